package vault

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"latchkey"
	"latchkey/internal/vault/seal"
)

const (
	mostSeals   = 1 << 31 // of one data key; far from the 2^32 after which no random nonce is trusted here
	sealsAhead  = 1 << 16 // counted at once, so that a seal costs no write; what a restart leaves unused is lost
	keyLifetime = 30 * 24 * time.Hour
	sealingFor  = time.Minute      // how long a key seals before it is looked at again
	openingFor  = 10 * time.Minute // how long a key stays in memory to open with
	keptKeys    = 4096             // data keys in memory; when there are more, all are forgotten and read again
	keyTimeout  = 10 * time.Second // to find a key: it is many callers' and ends with none of them
)

// Wrapper encrypts data keys by a key that never is in the database. The ring is
// one, a key management service another. A wrapped key opens only under the
// Binding that it was wrapped with.
type Wrapper interface {
	Wrap(ctx context.Context, b seal.Binding, key []byte) ([]byte, error)
	Unwrap(ctx context.Context, b seal.Binding, wrapped []byte) ([]byte, error)
}

// KeyStore is where data keys are kept.
type KeyStore interface {
	DataKey(ctx context.Context, id int64) (latchkey.DataKey, error)
	ActiveDataKey(ctx context.Context, organisationID string) (latchkey.DataKey, error)
	TakeSeals(ctx context.Context, organisationID string, seals, most int64) (latchkey.DataKey, error)
	AddDataKey(ctx context.Context, key latchkey.DataKey, replaced int64) (latchkey.DataKey, error)
	VaultProof(ctx context.Context) ([]byte, error)
	RingKeys(ctx context.Context) ([]latchkey.RingKey, error)
	AdoptRingKey(ctx context.Context, id string, proof []byte, now time.Time) error
}

// KeysConfig says what keys work with.
type KeysConfig struct {
	Store  KeyStore
	Upkeep UpkeepStore
	Values ValueStore
	Ring   *seal.Ring // nil: the service alone wraps
	KMS    Wrapper    // wraps in the place of the ring; nil: the ring does
	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger
}

// Keys seal and open with the data key of each organisation. Their methods are
// safe for concurrent use.
//
//	ring, or KMS ──wraps──▶ data key of an organisation ──seals──▶ credentials, flows, secrets
type Keys struct {
	config KeysConfig
	turns  *turns // of finding the key that seals, by organisation

	mu         sync.Mutex
	sealing    map[string]*sealingKey
	opening    map[int64]openingKey
	unreadable map[string]bool // values that could not be sealed anew
}

// sealingKey is the key that seals for an organisation, with the seals that
// are counted already.
type sealingKey struct {
	key  *seal.DataKey
	left int64
	at   time.Time // when it was last known to be the one
}

// openingKey is a key in memory.
type openingKey struct {
	key            *seal.DataKey
	organisationID string
	at             time.Time
}

// NewKeys returns keys that know none yet.
func NewKeys(config KeysConfig) *Keys {
	return &Keys{
		config: config, turns: newTurns(), sealing: map[string]*sealingKey{}, opening: map[int64]openingKey{},
		unreadable: map[string]bool{},
	}
}

// Seal encrypts plaintext for the place that b names, with the key of its
// organisation, which is made when there is none.
func (k *Keys) Seal(b seal.Binding, plaintext []byte) ([]byte, error) {
	key, err := k.sealingKey(b.Organisation)
	if err != nil {
		return nil, err
	}
	return key.Seal(b, plaintext)
}

// Open decrypts what Seal, or a release before data keys, sealed for the same
// place. It is seal.ErrOpen for bytes that do not open, also since their key was
// destroyed; any other error says nothing about them.
func (k *Keys) Open(b seal.Binding, sealed []byte) ([]byte, error) {
	id, err := seal.DataKeyOf(sealed)
	if err != nil {
		return k.openByRing(b, sealed)
	}
	key, err := k.openingKey(id, b.Organisation)
	if err != nil {
		return nil, err
	}
	return key.Open(b, sealed)
}

// openByRing opens what a release before data keys sealed.
func (k *Keys) openByRing(b seal.Binding, sealed []byte) ([]byte, error) {
	if k.config.Ring == nil {
		return nil, seal.ErrOpen
	}
	plaintext, err := k.config.Ring.Open(b, sealed)
	if err == nil {
		return plaintext, nil
	}
	id, headless := seal.KeyIDOf(sealed)
	if headless != nil || k.config.Ring.Has(id) {
		return nil, err
	}
	if changed, reloadErr := k.reload(context.Background()); reloadErr != nil || !changed {
		return nil, err
	}
	return k.config.Ring.Open(b, sealed)
}

// openingKey returns a data key of the organisation to open with.
func (k *Keys) openingKey(id int64, organisationID string) (*seal.DataKey, error) {
	now := k.config.Now()
	k.mu.Lock()
	known, ok := k.opening[id]
	k.mu.Unlock()
	if age := now.Sub(known.at); ok && age >= 0 && age < openingFor {
		if known.organisationID != organisationID {
			return nil, seal.ErrOpen
		}
		return known.key, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), keyTimeout)
	defer cancel()
	key, err := k.unwrapped(ctx, organisationID, func() (latchkey.DataKey, error) { return k.config.Store.DataKey(ctx, id) })
	if latchkey.CodeOf(err) == latchkey.NotFound {
		return nil, seal.ErrOpen
	}
	return key, err
}

// remember keeps a key in memory for a while.
func (k *Keys) remember(key *seal.DataKey, organisationID string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.opening) >= keptKeys {
		clear(k.opening)
		clear(k.sealing)
	}
	k.opening[key.ID()] = openingKey{key, organisationID, k.config.Now()}
}

// sealingKey returns the key that seals for an organisation, for one seal.
func (k *Keys) sealingKey(organisationID string) (*seal.DataKey, error) {
	ctx, cancel := context.WithTimeout(context.Background(), keyTimeout)
	defer cancel()
	for {
		if key := k.takeSeal(organisationID); key != nil {
			return key, nil
		}
		turn, first := k.turns.take(organisationID)
		if !first {
			if !turn.wait(ctx) {
				return nil, ctx.Err()
			}
			if turn.err != nil {
				return nil, turn.err
			}
			continue
		}
		err := errors.New("the key was not found")
		func() {
			defer func() { turn.end(err) }()
			err = k.findSealing(ctx, organisationID)
		}()
		if err != nil {
			return nil, err
		}
	}
}

// takeSeal counts one seal of the key in memory, or returns nil.
func (k *Keys) takeSeal(organisationID string) *seal.DataKey {
	now := k.config.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	known := k.sealing[organisationID]
	if known == nil || known.left <= 0 || now.Sub(known.at) >= sealingFor || now.Before(known.at) {
		return nil
	}
	known.left--
	return known.key
}

// findSealing finds the key that seals for an organisation, and counts the
// seals to come.
func (k *Keys) findSealing(ctx context.Context, organisationID string) error {
	k.mu.Lock()
	known := k.sealing[organisationID]
	again := known != nil && known.left > 0
	k.mu.Unlock()
	if again {
		active, err := k.config.Store.ActiveDataKey(ctx, organisationID)
		if err != nil && latchkey.CodeOf(err) != latchkey.NotFound {
			return err
		}
		if err == nil && active.ID == known.key.ID() {
			k.mu.Lock()
			defer k.mu.Unlock()
			known.at = k.config.Now()
			return nil
		}
	}
	key, err := k.unwrapped(ctx, organisationID, func() (latchkey.DataKey, error) { return k.take(ctx, organisationID) })
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sealing[organisationID] = &sealingKey{key: key, left: sealsAhead, at: k.config.Now()}
	return nil
}

// takeTries is how often a key is looked for: another process may put one in the
// place of the one that was just made.
const takeTries = 4

// take counts seals of the organisation's key, which is made when there is none
// or the one there is has sealed enough.
func (k *Keys) take(ctx context.Context, organisationID string) (latchkey.DataKey, error) {
	for try := 1; ; try++ {
		taken, err := k.config.Store.TakeSeals(ctx, organisationID, sealsAhead, mostSeals)
		if latchkey.CodeOf(err) != latchkey.NotFound || try == takeTries {
			return taken, err
		}
		used, err := k.config.Store.ActiveDataKey(ctx, organisationID)
		if err != nil && latchkey.CodeOf(err) != latchkey.NotFound {
			return used, err
		}
		if _, err := k.make(ctx, organisationID, used.ID); err != nil {
			return used, err
		}
	}
}
