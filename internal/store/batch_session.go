package store

import (
	"context"
	"database/sql"
	"fmt"
)

// createSessions inserts many sessions in one statement.
func createSessions(ctx context.Context, db *sql.DB, rows []*sessionRow) []error {
	n := len(rows)
	ids, hashes, organisations := make([]string, n), make([]string, n), make([]string, n)
	environments, apps, states := make([]string, n), make([]string, n), make([]string, n)
	versions, expiries, leases := make([]int64, n), make([]int64, n), make([]int64, n)
	created, updated := make([]int64, n), make([]int64, n)
	requests, progresses, flows, statuses := make([]string, n), make([]string, n), make([][]byte, n), make([]string, n)
	for i, row := range rows {
		ids[i], hashes[i], organisations[i] = row.id, row.secretHash, row.organisationID
		environments[i], apps[i], states[i] = row.environment, row.clientAppID, row.state
		versions[i], expiries[i], leases[i] = row.version, row.expiresAt, row.leaseUntil
		created[i], updated[i] = row.createdAt, row.updatedAt
		requests[i], progresses[i], flows[i], statuses[i] = row.request, row.progress, row.flow, row.status
	}
	_, err := db.ExecContext(ctx, `INSERT INTO link_sessions (`+sessionColumns+`)
		SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
			$8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::text[], $13::text[], $14::bytea[], $15::text[])`,
		ids, hashes, organisations, environments, apps, states, versions, expiries, leases, created, updated,
		requests, progresses, flows, statuses)
	if err != nil {
		return sameError(n, fmt.Errorf("create sessions: %w", err))
	}
	return make([]error, n)
}

// advanceSessions updates many sessions in one statement, each only if it is
// still at the version that was read. Of two changes to the same session in
// one batch the server applies one; its number is what comes back, so the
// other learns that it lost.
func advanceSessions(ctx context.Context, db *sql.DB, rows []*sessionRow) []error {
	n := len(rows)
	numbers, ids, reads := make([]int64, n), make([]string, n), make([]int64, n)
	states, versions, leases := make([]string, n), make([]int64, n), make([]int64, n)
	updated, progresses, flows := make([]int64, n), make([]string, n), make([][]byte, n)
	statuses, expiries := make([]string, n), make([]int64, n)
	for i, row := range rows {
		numbers[i], ids[i], reads[i] = int64(i), row.id, row.readVersion
		states[i], versions[i], leases[i] = row.state, row.version, row.leaseUntil
		updated[i], progresses[i], flows[i] = row.updatedAt, row.progress, row.flow
		statuses[i], expiries[i] = row.status, row.expiresAt
	}
	applied, err := db.QueryContext(ctx, `UPDATE link_sessions s SET state = u.state, version = u.version,
			lease_until = u.lease, updated_at = u.updated, progress = u.progress, flow = u.flow,
			status = u.status, expires_at = u.expires
		FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
			$8::text[], $9::bytea[], $10::text[], $11::bigint[])
			AS u (n, id, read, state, version, lease, updated, progress, flow, status, expires)
		WHERE s.id = u.id AND s.version = u.read RETURNING u.n`,
		numbers, ids, reads, states, versions, leases, updated, progresses, flows, statuses, expiries)
	won, err := collect(applied, err, func(row scanner) (int64, error) {
		var number int64
		err := row.Scan(&number)
		return number, err
	})
	if err != nil {
		return sameError(n, fmt.Errorf("advance sessions: %w", err))
	}
	errs := sameError(n, conflict("session"))
	for _, number := range won {
		errs[number] = nil
	}
	return errs
}
