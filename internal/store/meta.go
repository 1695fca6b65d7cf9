package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// VaultProof returns what the vault left to recognise its key by, or nil when
// it has left nothing yet.
func (s *Store) VaultProof(ctx context.Context) ([]byte, error) {
	var kept []byte
	err := s.read().QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'vault_proof'`).Scan(&kept)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read the vault's proof: %w", err)
	}
	return kept, nil
}

// KeepVaultProof keeps the vault's proof unless there is one, and returns the
// one that stays: the first to come.
func (s *Store) KeepVaultProof(ctx context.Context, proof []byte) ([]byte, error) {
	var kept []byte
	err := s.fact(ctx, func(tx *tx) error {
		if _, err := tx.exec(`INSERT INTO meta (name, value) VALUES ('vault_proof', $1)
			ON CONFLICT (name) DO NOTHING`, proof); err != nil {
			return err
		}
		return tx.row(`SELECT value FROM meta WHERE name = 'vault_proof'`).Scan(&kept)
	})
	if err != nil {
		return nil, fmt.Errorf("keep the vault's proof: %w", err)
	}
	return kept, nil
}
