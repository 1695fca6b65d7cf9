package app

import (
	"context"
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
