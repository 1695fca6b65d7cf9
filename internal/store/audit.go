package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"

	"latchkey"
)

// auditLanes is how many chains the records of an organisation are spread
// over. Who appends to a chain waits until the one before has committed.
const auditLanes = 16

const auditColumns = `organisation_id, environment, actor, action, subject, detail, created_at, lane, number, hash`

// RecordAudit appends one record. When it returns nil the record is on disk.
func (s *Store) RecordAudit(ctx context.Context, record latchkey.AuditRecord) error {
	return s.ending(ctx, func(tx *tx) error {
		return insertAudit(tx, []latchkey.AuditRecord{record})
	})
}

// AuditOf returns the records about a subject, oldest first.
func (s *Store) AuditOf(ctx context.Context, organisationID, subject string) ([]latchkey.AuditRecord, error) {
	rows, err := s.read().QueryContext(ctx, `SELECT `+auditColumns+` FROM audit
		WHERE organisation_id = $1 AND subject = $2 ORDER BY position`, organisationID, subject)
	list, err := collect(rows, err, scanAudit)
	if err != nil {
		return nil, fmt.Errorf("read audit of %s: %w", subject, err)
	}
	return list, nil
}

// Audit returns the newest records that fit the filter, and whether there are
// more.
func (s *Store) Audit(ctx context.Context, filter latchkey.AuditFilter) ([]latchkey.AuditRecord, bool, error) {
	rows, err := s.read().QueryContext(ctx, `SELECT `+auditColumns+` FROM audit
		WHERE organisation_id = $1 AND environment = $2 AND ($3 = '' OR actor = $3) AND ($4 = '' OR action = $4)
		AND ($5 = '' OR subject = $5) AND created_at >= $6 AND (created_at < $7 OR $7 = 0)
		ORDER BY created_at DESC, position DESC LIMIT $8 OFFSET $9`,
		filter.OrganisationID, string(filter.Environment), filter.Actor, string(filter.Action), filter.Subject,
		micros(filter.From), micros(filter.To), filter.Limit+1, filter.Offset)
	list, err := collect(rows, err, scanAudit)
	if err != nil {
		return nil, false, fmt.Errorf("list audit records: %w", err)
	}
	if len(list) > filter.Limit {
		return list[:filter.Limit], true, nil
	}
	return list, false, nil
}

func scanAudit(row scanner) (latchkey.AuditRecord, error) {
	var record latchkey.AuditRecord
	var environment, action string
	var created int64
	err := row.Scan(&record.OrganisationID, &environment, &record.Actor, &action, &record.Subject, &record.Detail,
		&created, &record.Chain.Lane, &record.Chain.Number, &record.Chain.Hash)
	record.Environment, record.Action = latchkey.Environment(environment), latchkey.AuditAction(action)
	record.CreatedAt = moment(created)
	return record, err
}

// insertAudit appends records to their chains. Chains are taken in order, so
// that two facts never wait for each other.
func insertAudit(tx *tx, records []latchkey.AuditRecord) error {
	records = slices.Clone(records)
	slices.SortStableFunc(records, func(one, other latchkey.AuditRecord) int {
		return laneOf(one.Subject) - laneOf(other.Subject)
	})
	for _, record := range records {
		if err := appendAudit(tx, record); err != nil {
			return fmt.Errorf("record %s of %s: %w", record.Action, record.Subject, err)
		}
	}
	return nil
}

func appendAudit(tx *tx, record latchkey.AuditRecord) error {
	lane := laneOf(record.Subject)
	var length int64
	var before string
	err := tx.row(`INSERT INTO audit_chains (organisation_id, lane, length, hash) VALUES ($1, $2, 1, '')
		ON CONFLICT (organisation_id, lane) DO UPDATE SET length = audit_chains.length + 1 RETURNING length, hash`,
		record.OrganisationID, lane).Scan(&length, &before)
	if err != nil {
		return err
	}
	record.CreatedAt = moment(micros(record.CreatedAt))
	hash := chainHash(before, length, record)
	if _, err := tx.exec(`UPDATE audit_chains SET hash = $3 WHERE organisation_id = $1 AND lane = $2`,
		record.OrganisationID, lane, hash); err != nil {
		return err
	}
	_, err = tx.exec(`INSERT INTO audit (`+auditColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		record.OrganisationID, string(record.Environment), record.Actor, string(record.Action), record.Subject,
		record.Detail, micros(record.CreatedAt), lane, length, hash)
	return err
}

// laneOf returns the chain that records about a subject are in.
func laneOf(subject string) int {
	sum := sha256.Sum256([]byte(subject))
	return int(sum[0]) % auditLanes
}

// chainHash covers the hash before, the number and every field. Each part
// carries its length, so that no two records share a text.
func chainHash(before string, number int64, record latchkey.AuditRecord) string {
	sum := sha256.New()
	for _, part := range []string{
		before, strconv.FormatInt(number, 10), record.OrganisationID, string(record.Environment), record.Actor,
		string(record.Action), record.Subject, record.Detail, strconv.FormatInt(micros(record.CreatedAt), 10),
	} {
		_, _ = fmt.Fprintf(sum, "%d:%s,", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// VerifyAudit recomputes every chain of an organisation and returns how many
// records it covers. The error says where the first record is missing, out of
// place or changed.
func (s *Store) VerifyAudit(ctx context.Context, organisationID string) (int64, error) {
	var covered int64
	for lane := range auditLanes {
		length, err := s.verifyLane(ctx, organisationID, lane)
		if err != nil {
			return covered, err
		}
		covered += length
	}
	return covered, nil
}

// verifyPage is how many records are held in memory at once.
const verifyPage = 1000

func (s *Store) verifyLane(ctx context.Context, organisationID string, lane int) (int64, error) {
	var length, number int64
	var end, hash string
	// The head is read first: records that come meanwhile are behind it.
	err := s.read().QueryRowContext(ctx, `SELECT COALESCE(MAX(length), 0), COALESCE(MAX(hash), ''), COALESCE(MAX(removed), 0),
		COALESCE(MAX(removed_hash), '') FROM audit_chains WHERE organisation_id = $1 AND lane = $2`, organisationID, lane).
		Scan(&length, &end, &number, &hash)
	if err != nil {
		return 0, fmt.Errorf("read audit chain %d: %w", lane, err)
	}
	removed := number // the oldest are not kept for good
	for number < length {
		rows, err := s.read().QueryContext(ctx, `SELECT `+auditColumns+` FROM audit WHERE organisation_id = $1
			AND lane = $2 AND number > $3 AND number <= $4 ORDER BY number LIMIT $5`,
			organisationID, lane, number, length, verifyPage)
		page, err := collect(rows, err, scanAudit)
		if err != nil {
			return 0, fmt.Errorf("read audit chain %d: %w", lane, err)
		}
		if len(page) == 0 {
			return 0, fmt.Errorf("audit chain %d ends at %d of %d records", lane, number, length)
		}
		for _, record := range page {
			number++
			if record.Chain.Number != number {
				return 0, fmt.Errorf("audit chain %d lacks record %d", lane, number)
			}
			if hash = chainHash(hash, number, record); hash != record.Chain.Hash {
				return 0, fmt.Errorf("audit chain %d: record %d (%s) was changed", lane, number, record.CreatedAt.Format(time.RFC3339))
			}
		}
	}
	if hash != end {
		return 0, fmt.Errorf("audit chain %d does not end as it was left", lane)
	}
	return length - removed, nil
}
