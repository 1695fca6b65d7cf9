// Package auth says who is calling: it turns an API key into a caller.
//
//	key ─▶ SHA-256 ─▶ recent answers ─▶ store ─▶ revoked? expired? ─▶ Caller
//	                                                                                    └▶ uses, written down later
package auth

import (
	"context"
	"strings"
	"time"

	"latchkey"
	"latchkey/internal/recent"
)

// remembered bounds how many uses are remembered.
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
	known  *recent.Answers[string, known] // by the key's hash
	uses   uses
}

// known is a key and whom it speaks for.
type known struct {
	key    latchkey.APIKey
	caller latchkey.Caller
}

// New returns the room.
func New(config Config) *Auth {
	return &Auth{config: config, known: recent.New[string, known](config.Now)}
}

// Caller returns who a key belongs to. Every reason to refuse is the same
// UNAUTHORIZED error: it never tells how close a key was.
func (a *Auth) Caller(ctx context.Context, key string) (latchkey.Caller, error) {
	environment, ok := environmentOf(key)
	if !ok {
		return latchkey.Caller{}, refused()
	}
	now := a.config.Now()
	found, err := a.find(ctx, latchkey.HashSecret(key))
	if latchkey.CodeOf(err) == latchkey.NotFound {
		return latchkey.Caller{}, refused()
	}
	if err != nil {
		return latchkey.Caller{}, err
	}
	if found.key.Environment != environment || !found.key.RevokedAt.IsZero() ||
		(!found.key.ExpiresAt.IsZero() && !now.Before(found.key.ExpiresAt)) {
		return latchkey.Caller{}, refused()
	}
	a.uses.note(found.key.ID, now)
	return found.caller, nil
}

// find returns the key with that hash, or a not-found error.
func (a *Auth) find(ctx context.Context, hash string) (known, error) {
	return a.known.Get(hash, func() (known, string, error) {
		key, organisation, err := a.config.Store.APIKeyByHash(ctx, hash)
		if err != nil {
			return known{}, "", err
		}
		return known{key: key, caller: latchkey.Caller{
			KeyID: key.ID, OrganisationID: organisation.ID, Organisation: organisation.Name,
			Environment: key.Environment, Scopes: key.Scopes, Defaults: organisation.Defaults,
		}}, organisation.ID, nil
	})
}

// Forget drops what is remembered of an organisation's keys, or of everybody's
// for "", after one has changed.
func (a *Auth) Forget(organisationID string) { a.known.Forget(organisationID) }

// environmentOf reads a key's environment off its prefix, and refuses what
// can't be a key before anything is looked up.
func environmentOf(key string) (latchkey.Environment, bool) {
	switch {
	case strings.HasPrefix(key, latchkey.PrefixSandboxKey):
		return latchkey.Sandbox, latchkey.ValidID(key, latchkey.PrefixSandboxKey)
	case strings.HasPrefix(key, latchkey.PrefixLiveKey):
		return latchkey.Live, latchkey.ValidID(key, latchkey.PrefixLiveKey)
	}
	return "", false
}

func refused() error {
	return latchkey.Errorf(latchkey.Unauthorized, "the API key is missing or not valid")
}
