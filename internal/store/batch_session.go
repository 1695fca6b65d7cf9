package store

import (
	"context"
	"fmt"
)

// createSessions inserts many sessions in one statement. When the answer was
// lost it is sent again: those that are there already are of the first time.
func createSessions(ctx context.Context, engine *postgresEngine, rows []*sessionRow) []error {
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
	err := insist(ctx, func(ctx context.Context, repeated bool) error {
		statement := `INSERT INTO link_sessions (` + sessionColumns + `)
			SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
				$8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::text[], $13::text[], $14::bytea[], $15::text[])`
		if repeated {
			statement += ` ON CONFLICT (id) DO NOTHING`
		}
		_, err := engine.db.ExecContext(ctx, statement, ids, hashes, organisations, environments, apps, states,
			versions, expiries, leases, created, updated, requests, progresses, flows, statuses)
		return err
	})
	if err != nil {
		return sameError(n, fmt.Errorf("create sessions: %w", err))
	}
	return make([]error, n)
}
