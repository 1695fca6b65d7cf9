// Package auth says who is calling: it turns an API key into a caller.
//
//	key ─▶ SHA-256 ─▶ recent answers (under a second old) ─▶ store ─▶ revoked? expired? ─▶ Caller
//	                                                                                    └▶ uses, written down later
package auth

import (
	"context"
	"strings"
	"sync"
	"time"

	"latchkey"
)

// freshness is how old an answer may be. A revoked key is dead everywhere
// within a second, so it must be less.
const freshness = 800 * time.Millisecond

// remembered bounds how many keys are remembered; when it is full it is
// emptied.
const remembered = 10_000

// Store finds keys.
type Store interface {
	// APIKeyByHash returns the key with that hash and its organisation, or a
	// not-found error.
	APIKeyByHash(ctx context.Context, hash string) (latchkey.APIKey, latchkey.Organisation, error)
}

// Config says what the room works with.
type Config struct {
	Store Store
	Now   func() time.Time
}

// Auth resolves keys. Its methods are safe for concurrent use.
type Auth struct {
	config Config
	mu     sync.RWMutex
	recent map[string]answer
	uses   uses
}

type answer struct {
	key    latchkey.APIKey
	caller latchkey.Caller
	at     time.Time
}

// New returns the room.
func New(config Config) *Auth {
	return &Auth{config: config, recent: map[string]answer{}}
}

// Caller returns who a key belongs to. Every reason to refuse is the same
// UNAUTHORIZED error: it never tells how close a key was.
func (a *Auth) Caller(ctx context.Context, key string) (latchkey.Caller, error) {
	environment, ok := environmentOf(key)
	if !ok {
		return latchkey.Caller{}, refused()
	}
	hash := latchkey.HashSecret(key)
	now := a.config.Now()
	known, ok := a.lookUp(hash, now)
	if !ok {
		found, organisation, err := a.config.Store.APIKeyByHash(ctx, hash)
		if latchkey.CodeOf(err) == latchkey.NotFound {
			return latchkey.Caller{}, refused()
		}
		if err != nil {
			return latchkey.Caller{}, err
		}
		known = answer{key: found, at: now, caller: latchkey.Caller{
			KeyID: found.ID, OrganisationID: organisation.ID, Organisation: organisation.Name,
			Environment: found.Environment, Scopes: found.Scopes, Defaults: organisation.Defaults,
		}}
		a.keep(hash, known)
	}
	if known.key.Environment != environment || !known.key.RevokedAt.IsZero() ||
		(!known.key.ExpiresAt.IsZero() && !now.Before(known.key.ExpiresAt)) {
		return latchkey.Caller{}, refused()
	}
	a.uses.note(known.key.ID, now)
	return known.caller, nil
}

// Forget drops what is remembered, after a key of this process has changed.
func (a *Auth) Forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.recent)
}

func (a *Auth) lookUp(hash string, now time.Time) (answer, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	known, ok := a.recent[hash]
	return known, ok && now.Sub(known.at) < freshness && now.Sub(known.at) >= 0
}

func (a *Auth) keep(hash string, known answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.recent) >= remembered {
		clear(a.recent)
	}
	a.recent[hash] = known
}

// environmentOf reads a key's environment off its prefix, and refuses what
// can't be a key before anything is looked up.
func environmentOf(key string) (latchkey.Environment, bool) {
	for prefix, environment := range map[string]latchkey.Environment{
		latchkey.PrefixSandboxKey: latchkey.Sandbox, latchkey.PrefixLiveKey: latchkey.Live,
	} {
		if strings.HasPrefix(key, prefix) {
			return environment, latchkey.ValidID(key, prefix)
		}
	}
	return "", false
}

func refused() error {
	return latchkey.Errorf(latchkey.Unauthorized, "the API key is missing or not valid")
}
