package store

import (
	"context"
	"fmt"
)

// sessionArrays are the columns of a group of changes, in the order of its
// numbers.
type sessionArrays struct {
	numbers, reads, versions, leases, updated, expiries []int64
	ids, states, progresses, statuses                   []string
	flows                                               [][]byte
}

func sessionArraysOf(rows []*sessionRow) sessionArrays {
	var a sessionArrays
	for i, row := range rows {
		a.numbers, a.reads = append(a.numbers, int64(i)), append(a.reads, row.readVersion)
		a.versions, a.leases = append(a.versions, row.version), append(a.leases, row.leaseUntil)
		a.updated, a.expiries = append(a.updated, row.updatedAt), append(a.expiries, row.expiresAt)
		a.ids, a.states = append(a.ids, row.id), append(a.states, row.state)
		a.progresses, a.statuses = append(a.progresses, row.progress), append(a.statuses, row.status)
		a.flows = append(a.flows, row.flow)
	}
	return a
}

// advanceSessions updates many sessions in one statement, each only if it is
// still at the version that was read. Of two changes to the same session in
// one batch the server applies one; its number is what comes back, so the
// other learns that it lost. When the answer was lost, those that are there
// already are of the first time.
func advanceSessions(ctx context.Context, engine *postgresEngine, rows []*sessionRow) []error {
	arrays := sessionArraysOf(rows)
	var won, before []int64
	err := insist(ctx, func(ctx context.Context, repeated bool) (err error) {
		won, err = engine.advance(ctx, arrays) // waits for the first time, where that is still under way
		if err == nil && repeated {
			before, err = engine.advanced(ctx, arrays)
		}
		return err
	})
	if err != nil {
		return sameError(len(rows), fmt.Errorf("advance sessions: %w", err))
	}
	errs := sameError(len(rows), conflict("session"))
	for _, number := range append(won, before...) {
		errs[number] = nil
	}
	return errs
}

// advance returns the numbers of the changes that were made.
func (e *postgresEngine) advance(ctx context.Context, a sessionArrays) ([]int64, error) {
	rows, err := e.db.QueryContext(ctx, `UPDATE link_sessions s SET state = u.state, version = u.version,
			lease_until = u.lease, updated_at = u.updated, progress = u.progress, flow = u.flow,
			status = u.status, expires_at = u.expires
		FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
			$8::text[], $9::bytea[], $10::text[], $11::bigint[])
			AS u (n, id, read, state, version, lease, updated, progress, flow, status, expires)
		WHERE s.id = u.id AND s.version = u.read RETURNING u.n`, a.numbers, a.ids, a.reads, a.states, a.versions,
		a.leases, a.updated, a.progresses, a.flows, a.statuses, a.expiries)
	return collect(rows, err, scanNumber)
}

// advanced returns the numbers of the changes that have been made. Of two that
// are the same in all but the flow, which is sealed with a nonce, that tells
// them apart.
func (e *postgresEngine) advanced(ctx context.Context, a sessionArrays) ([]int64, error) {
	rows, err := e.db.QueryContext(ctx, `SELECT MIN(u.n) FROM link_sessions s
		JOIN unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::bytea[])
			AS u (n, id, state, version, lease, updated, progress, flow)
		ON s.id = u.id AND s.version = u.version AND s.state = u.state AND s.lease_until = u.lease
			AND s.updated_at = u.updated AND s.progress = u.progress AND s.flow IS NOT DISTINCT FROM u.flow
		GROUP BY s.id`, a.numbers, a.ids, a.states, a.versions, a.leases, a.updated, a.progresses, a.flows)
	return collect(rows, err, scanNumber)
}

func scanNumber(row scanner) (int64, error) {
	var number int64
	err := row.Scan(&number)
	return number, err
}
