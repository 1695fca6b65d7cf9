package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"latchkey/internal/store"
	"latchkey/internal/vault/seal"
)

// openRing opens the vault's key file, or makes one for a database that has
// never had one. It refuses a key that does not match the database: with it
// nothing that is stored could be opened.
func openRing(ctx context.Context, path string, random io.Reader, kept *store.Store) (*seal.Ring, error) {
	proof, err := kept.VaultProof(ctx)
	if err != nil {
		return nil, err
	}
	ring, err := seal.OpenFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if proof != nil {
			return nil, fmt.Errorf("the vault's key %s is missing, and this database was sealed with it: "+
				"put the key back, or point key_file at it", path)
		}
		ring, err = seal.CreateFile(path, random)
	}
	if err != nil {
		return nil, fmt.Errorf("open the vault's key: %w", err)
	}
	if proof == nil {
		own, err := ring.Proof()
		if err != nil {
			return nil, fmt.Errorf("prove the vault's key: %w", err)
		}
		// Of several replicas that start at once the first to come wins.
		if proof, err = kept.KeepVaultProof(ctx, own); err != nil {
			return nil, err
		}
	}
	if err := ring.Verify(proof); err != nil {
		return nil, fmt.Errorf("the vault's key %s does not belong to this database: %w", path, err)
	}
	return ring, nil
}

// fingerprintBinding is where the key of fingerprints belongs.
var fingerprintBinding = seal.Binding{Organisation: "latchkey", Subject: "fingerprint", Field: "key", Schema: 1}

// openFingerprintKey opens the key of fingerprints, or makes one for a database
// that has none. Every replica has the same.
func openFingerprintKey(ctx context.Context, ring *seal.Ring, random io.Reader, kept *store.Store) ([]byte, error) {
	sealed, err := kept.FingerprintKey(ctx)
	if err != nil {
		return nil, err
	}
	if sealed == nil {
		key := make([]byte, sha256.Size)
		defer clear(key)
		if _, err := io.ReadFull(random, key); err != nil {
			return nil, fmt.Errorf("make the fingerprint key: %w", err)
		}
		own, err := ring.Seal(fingerprintBinding, key)
		if err != nil {
			return nil, fmt.Errorf("seal the fingerprint key: %w", err)
		}
		if sealed, err = kept.KeepFingerprintKey(ctx, own); err != nil {
			return nil, err
		}
	}
	key, err := ring.Open(fingerprintBinding, sealed)
	if err != nil {
		return nil, fmt.Errorf("open the fingerprint key: %w", err)
	}
	return key, nil
}
