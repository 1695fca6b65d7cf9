package simtest

import (
	"context"
	"time"

	"latchkey"
	"latchkey/internal/vault"
)

// keyShelf is where data keys are kept. To find one takes no time and never
// fails: what is simulated is what a replica does with its secrets, and every
// call of the shelf before and after can fail.
type keyShelf struct{ database *database }

// keys returns the keys of one replica, with an empty memory.
func (d *database) keys(now func() time.Time, random *random) *vault.Keys {
	return vault.NewKeys(vault.KeysConfig{Store: keyShelf{d}, Ring: d.ring, Now: now, Random: random, Log: silent})
}

// asked makes a call of the store outside the bubble.
func asked[T any](d *database, call func(ctx context.Context) (T, error)) (result T, err error) {
	d.do(func() { result, err = call(context.Background()) })
	return result, err
}

// DataKey finds a key.
func (k keyShelf) DataKey(_ context.Context, id int64) (latchkey.DataKey, error) {
	return asked(k.database, func(ctx context.Context) (latchkey.DataKey, error) { return k.database.store.DataKey(ctx, id) })
}

// ActiveDataKey finds the key that seals for an organisation.
func (k keyShelf) ActiveDataKey(_ context.Context, organisationID string) (latchkey.DataKey, error) {
	return asked(k.database, func(ctx context.Context) (latchkey.DataKey, error) {
		return k.database.store.ActiveDataKey(ctx, organisationID)
	})
}

// TakeSeals counts seals of that key.
func (k keyShelf) TakeSeals(_ context.Context, organisationID string, seals, most int64) (latchkey.DataKey, error) {
	return asked(k.database, func(ctx context.Context) (latchkey.DataKey, error) {
		return k.database.store.TakeSeals(ctx, organisationID, seals, most)
	})
}

// AddDataKey keeps a new key.
func (k keyShelf) AddDataKey(_ context.Context, key latchkey.DataKey, replaced int64) (latchkey.DataKey, error) {
	return asked(k.database, func(ctx context.Context) (latchkey.DataKey, error) {
		return k.database.store.AddDataKey(ctx, key, replaced)
	})
}

// VaultProof returns what the ring is recognised by.
func (k keyShelf) VaultProof(context.Context) ([]byte, error) {
	return asked(k.database, k.database.store.VaultProof)
}

// RingKeys lists the keys of the ring.
func (k keyShelf) RingKeys(context.Context) ([]latchkey.RingKey, error) {
	return asked(k.database, k.database.store.RingKeys)
}

// AdoptRingKey makes a key of the ring the primary.
func (k keyShelf) AdoptRingKey(_ context.Context, id string, proof []byte, now time.Time) error {
	_, err := asked(k.database, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, k.database.store.AdoptRingKey(ctx, id, proof, now)
	})
	return err
}
