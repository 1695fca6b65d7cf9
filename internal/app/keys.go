package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"latchkey"
	"latchkey/internal/jobs"
	"latchkey/internal/store"
	"latchkey/internal/vault"
	"latchkey/internal/vault/seal"
)

// The pace of what looks after keys.
const (
	keysEvery    = 5 * time.Second
	keysTimeout  = 5 * time.Minute // of one look with all the steps that it finds
	scrubEvery   = time.Hour
	scrubTimeout = 10 * time.Second
)

// KeyStatus is how far the keys of an installation are.
type KeyStatus struct {
	RingKeys []RingKeyStatus `json:"ringKeys"`
	Use      latchkey.KeyUse `json:"use"`
	// Settled says that nothing is left to be wrapped or sealed anew. Retired
	// data keys may be waiting for their end.
	Settled bool `json:"settled"`
}

// RingKeyStatus is a key that wraps data keys, or did.
type RingKeyStatus struct {
	ID    string                `json:"id"`
	State latchkey.RingKeyState `json:"state"`
	Since time.Time             `json:"since"`
}

// KeyRoom is the part of an installation that its keys are in: its database and
// its key file, which a server may be running on.
type KeyRoom struct {
	store *store.Store
	keys  *vault.Keys
	now   func() time.Time
}

// OpenKeyRoom opens the keys of an installation that has been set up.
func OpenKeyRoom(ctx context.Context, config Config, log *slog.Logger) (*KeyRoom, error) {
	kept, config, err := openInstallation(ctx, config, log)
	if err != nil {
		return nil, err
	}
	keys, err := openKeys(ctx, config, Parts{Now: time.Now, Random: rand.Reader, Log: log}, kept)
	if err != nil {
		return nil, errors.Join(err, kept.Close())
	}
	return &KeyRoom{store: kept, keys: keys, now: time.Now}, nil
}

// openInstallation opens the database of an installation that has been set up,
// beside a server that may be running on it.
func openInstallation(ctx context.Context, config Config, log *slog.Logger) (*store.Store, Config, error) {
	config, err := config.complete()
	if err != nil {
		return nil, config, err
	}
	path := filepath.Join(config.Data, "latchkey.db")
	if _, err := os.Stat(path); err != nil && config.DatabaseURL == "" {
		return nil, config, fmt.Errorf("there is no database yet; run latchkey setup first: %w", err)
	}
	kept, err := store.Open(ctx, store.Config{URL: config.DatabaseURL, Path: path, Log: log})
	return kept, config, err
}

// Close closes the database.
func (r *KeyRoom) Close() error { return r.store.Close() }

// Rotate begins to use a new ring key and, with dataKeys, has every data key
// replaced too. A running server does the rest.
func (r *KeyRoom) Rotate(ctx context.Context, dataKeys bool) error {
	if dataKeys {
		if err := r.store.ReplaceDataKeys(ctx, r.now()); err != nil {
			return fmt.Errorf("replace the data keys: %w", err)
		}
	}
	if err := r.keys.Rotate(ctx); err != nil {
		return fmt.Errorf("rotate the ring key: %w", err)
	}
	return nil
}

// Finish does here what is left to be done, as a running server would.
func (r *KeyRoom) Finish(ctx context.Context) error { return r.keys.Tend(ctx) }

// Status says how far the keys are.
func (r *KeyRoom) Status(ctx context.Context) (KeyStatus, error) { return keyStatus(ctx, r.store) }

func keyStatus(ctx context.Context, kept *store.Store) (KeyStatus, error) {
	known, err := kept.RingKeys(ctx)
	if err != nil {
		return KeyStatus{}, err
	}
	status := KeyStatus{RingKeys: []RingKeyStatus{}}
	primary, retiring := "", false
	for _, key := range known {
		status.RingKeys = append(status.RingKeys, RingKeyStatus{key.ID, key.State, key.ChangedAt.UTC()})
		retiring = retiring || key.State == latchkey.RingKeyRetiring
		if key.State == latchkey.RingKeyPrimary {
			primary = key.ID
		}
	}
	low, high := seal.RingPrefixes()
	if status.Use, err = kept.KeyUse(ctx, primary, low, high, vault.PrefixesOf); err != nil {
		return status, err
	}
	use := status.Use
	status.Settled = !retiring && use.WrappedElse+use.SealedByOld+use.SealedByRing == 0
	return status, nil
}

// keyUpkeep makes the loops that look after keys: one takes up a changed ring
// and does what follows, one takes what was erased out of the database's log.
func (a *App) keyUpkeep(keys *vault.Keys) []lifecycle {
	return []lifecycle{
		jobs.NewTicker(jobs.TickerConfig{
			Name: "keys", Every: keysEvery, Timeout: keysTimeout, Log: a.parts.Log, Now: a.parts.Now, Do: keys.Tend,
		}),
		jobs.NewTicker(jobs.TickerConfig{
			Name: "erasure", Every: scrubEvery, Timeout: scrubTimeout, Log: a.parts.Log, Now: a.parts.Now, Do: a.store.Scrub,
		}),
	}
}
