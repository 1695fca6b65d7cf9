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
	return s.meta(ctx, "vault_proof")
}

// FingerprintKey returns the sealed key of fingerprints, or nil when there is
// none yet.
func (s *Store) FingerprintKey(ctx context.Context) ([]byte, error) {
	return s.meta(ctx, "fingerprint_key")
}

func (s *Store) meta(ctx context.Context, name string) ([]byte, error) {
	var kept []byte
	err := s.read().QueryRowContext(ctx, `SELECT value FROM meta WHERE name = $1`, name).Scan(&kept)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return kept, nil
}

// DatabaseID returns what tells this database from every other, also where it
// was restored or moved, or nil when it has none yet.
func (s *Store) DatabaseID(ctx context.Context) ([]byte, error) {
	return s.meta(ctx, "database_id")
}

// KeepDatabaseID keeps the database's id unless there is one, and returns the
// one that stays.
func (s *Store) KeepDatabaseID(ctx context.Context, id []byte) ([]byte, error) {
	return s.keepMeta(ctx, "database_id", id)
}

// KeepVaultProof keeps the vault's proof unless there is one, and returns the
// one that stays: the first to come.
func (s *Store) KeepVaultProof(ctx context.Context, proof []byte) ([]byte, error) {
	return s.keepMeta(ctx, "vault_proof", proof)
}

// KeepFingerprintKey keeps the sealed key of fingerprints unless there is one,
// and returns the one that stays.
func (s *Store) KeepFingerprintKey(ctx context.Context, sealed []byte) ([]byte, error) {
	return s.keepMeta(ctx, "fingerprint_key", sealed)
}

// ReplaceFingerprintKey keeps the same key of fingerprints sealed otherwise,
// unless it has been meanwhile.
func (s *Store) ReplaceFingerprintKey(ctx context.Context, before, sealed []byte) error {
	return s.fact(ctx, func(tx *tx) error {
		_, err := tx.exec(`UPDATE meta SET value = $2 WHERE name = 'fingerprint_key' AND value = $1`, before, sealed)
		return err
	})
}

// keepMeta keeps the first value that comes.
func (s *Store) keepMeta(ctx context.Context, name string, value []byte) ([]byte, error) {
	var kept []byte
	err := s.fact(ctx, func(tx *tx) error {
		if _, err := tx.exec(`INSERT INTO meta (name, value) VALUES ($1, $2)
			ON CONFLICT (name) DO NOTHING`, name, value); err != nil {
			return err
		}
		return tx.row(`SELECT value FROM meta WHERE name = $1`, name).Scan(&kept)
	})
	if err != nil {
		return nil, fmt.Errorf("keep %s: %w", name, err)
	}
	return kept, nil
}
