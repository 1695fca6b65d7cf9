package store

import (
	"context"
	"fmt"

	"latchkey"
)

// RecordAudit appends one record. When it returns nil the record is on disk.
func (s *Store) RecordAudit(ctx context.Context, record latchkey.AuditRecord) error {
	return s.fact(ctx, func(tx *tx) error {
		return insertAudit(tx, []latchkey.AuditRecord{record})
	})
}

// AuditOf returns the records about a subject, oldest first.
func (s *Store) AuditOf(ctx context.Context, organisationID, subject string) ([]latchkey.AuditRecord, error) {
	rows, err := s.read().QueryContext(ctx, `SELECT organisation_id, environment, actor, action, subject, detail,
		created_at FROM audit WHERE organisation_id = $1 AND subject = $2 ORDER BY position`, organisationID, subject)
	list, err := collect(rows, err, func(row scanner) (latchkey.AuditRecord, error) {
		var record latchkey.AuditRecord
		var environment, action string
		var created int64
		err := row.Scan(&record.OrganisationID, &environment, &record.Actor, &action, &record.Subject,
			&record.Detail, &created)
		record.Environment, record.Action = latchkey.Environment(environment), latchkey.AuditAction(action)
		record.CreatedAt = moment(created)
		return record, err
	})
	if err != nil {
		return nil, fmt.Errorf("read audit of %s: %w", subject, err)
	}
	return list, nil
}

func insertAudit(tx *tx, records []latchkey.AuditRecord) error {
	for _, record := range records {
		_, err := tx.exec(`INSERT INTO audit (organisation_id, environment, actor, action, subject, detail, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`, record.OrganisationID, string(record.Environment), record.Actor,
			string(record.Action), record.Subject, record.Detail, micros(record.CreatedAt))
		if err != nil {
			return fmt.Errorf("record %s of %s: %w", record.Action, record.Subject, err)
		}
	}
	return nil
}
