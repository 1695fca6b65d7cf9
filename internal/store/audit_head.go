package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"latchkey"
)

// AuditHeads returns where every chain of audit records ends now.
func (s *Store) AuditHeads(ctx context.Context) ([]latchkey.AuditHead, error) {
	rows, err := s.read().QueryContext(ctx, `SELECT organisation_id, lane, length, hash FROM audit_chains ORDER BY organisation_id, lane`)
	list, err := collect(rows, err, func(row scanner) (latchkey.AuditHead, error) {
		var head latchkey.AuditHead
		err := row.Scan(&head.OrganisationID, &head.Lane, &head.Number, &head.Hash)
		return head, err
	})
	if err != nil {
		return nil, fmt.Errorf("list audit chains: %w", err)
	}
	return list, nil
}

// HoldsAuditHead reports whether a chain has the record that once was its end.
func (s *Store) HoldsAuditHead(ctx context.Context, head latchkey.AuditHead) (bool, error) {
	var hash string
	err := s.read().QueryRowContext(ctx, `SELECT hash FROM audit WHERE organisation_id = $1 AND lane = $2 AND number = $3`,
		head.OrganisationID, head.Lane, head.Number).Scan(&hash)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read audit record %d of chain %d: %w", head.Number, head.Lane, err)
	}
	return hash == head.Hash, nil
}
