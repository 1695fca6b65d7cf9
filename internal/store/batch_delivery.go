package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"latchkey"
)

// finishedDelivery is a delivery that succeeded; more tells afterwards whether
// the next of its queue is due.
type finishedDelivery struct {
	delivery latchkey.Delivery
	outcome  latchkey.DeliveryOutcome
	more     atomic.Bool
}

// finishDeliveries is finishDelivery for many successes in one transaction.
func finishDeliveries(ctx context.Context, engine *postgresEngine, finished []*finishedDelivery) []error {
	var errs []error
	err := engine.write(ctx, func(tx *tx) error {
		var err error
		errs, err = finishGroup(tx, finished)
		return err
	})
	if err != nil {
		return sameError(len(finished), fmt.Errorf("finish deliveries: %w", err))
	}
	return errs
}

// deliveryArrays are the columns of a group, in the order of its numbers.
type deliveryArrays struct {
	numbers, sequences, fences, attempts, statuses, times []int64
	endpoints, subjects, excerpts                         []string
}

// arraysOf lists the chosen of a group, sorted by key so that two batches take
// their row locks in the same order.
func arraysOf(finished []*finishedDelivery, chosen []int64) deliveryArrays {
	slices.SortFunc(chosen, func(a, b int64) int {
		one, other := finished[a].delivery, finished[b].delivery
		return strings.Compare(one.Endpoint.ID+one.Subject, other.Endpoint.ID+other.Subject)
	})
	var arrays deliveryArrays
	for _, number := range chosen {
		delivery, outcome := finished[number].delivery, finished[number].outcome
		arrays.numbers = append(arrays.numbers, number)
		arrays.endpoints = append(arrays.endpoints, delivery.Endpoint.ID)
		arrays.subjects = append(arrays.subjects, delivery.Subject)
		arrays.sequences = append(arrays.sequences, delivery.Sequence)
		arrays.fences = append(arrays.fences, delivery.Fence)
		arrays.attempts = append(arrays.attempts, int64(delivery.Attempt))
		arrays.statuses = append(arrays.statuses, int64(outcome.Status))
		arrays.excerpts = append(arrays.excerpts, outcome.Excerpt)
		arrays.times = append(arrays.times, micros(outcome.At))
	}
	return arrays
}

func finishGroup(tx *tx, finished []*finishedDelivery) ([]error, error) {
	all := make([]int64, len(finished))
	for i := range all {
		all[i] = int64(i)
	}
	arrays := arraysOf(finished, all)
	held, err := numbers(tx, `UPDATE delivery_heads h SET fence = h.fence + 1
		FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[]) AS u (n, endpoint, subject, fence)
		WHERE h.endpoint_id = u.endpoint AND h.subject = u.subject AND h.fence = u.fence RETURNING u.n`,
		arrays.numbers, arrays.endpoints, arrays.subjects, arrays.fences)
	if err != nil {
		return nil, err
	}
	arrays = arraysOf(finished, held)
	_, err = tx.exec(`UPDATE deliveries d SET state = 'delivered', attempts = u.attempts, last_status = u.status,
			excerpt = u.excerpt, updated_at = u.at
		FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[])
			AS u (endpoint, subject, sequence, attempts, status, excerpt, at)
		WHERE d.endpoint_id = u.endpoint AND d.subject = u.subject AND d.sequence = u.sequence`,
		arrays.endpoints, arrays.subjects, arrays.sequences, arrays.attempts, arrays.statuses, arrays.excerpts,
		arrays.times)
	if err != nil {
		return nil, err
	}
	moved, err := numbers(tx, `UPDATE delivery_heads h SET sequence = next.sequence, event_id = next.event_id,
			attempt = 0, lease_until = 0, due_at = CASE WHEN EXISTS (SELECT 1 FROM webhook_endpoints w
				WHERE w.id = h.endpoint_id AND w.status = 'enabled') THEN u.at ELSE $6::bigint END
		FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
			AS u (n, endpoint, subject, sequence, at)
		CROSS JOIN LATERAL (SELECT d.sequence, d.event_id FROM deliveries d
			WHERE d.endpoint_id = u.endpoint AND d.subject = u.subject AND d.sequence > u.sequence
			AND d.state = 'pending' ORDER BY d.sequence LIMIT 1) AS next
		WHERE h.endpoint_id = u.endpoint AND h.subject = u.subject RETURNING u.n`,
		arrays.numbers, arrays.endpoints, arrays.subjects, arrays.sequences, arrays.times, neverDue)
	if err != nil {
		return nil, err
	}
	for _, number := range moved {
		finished[number].more.Store(true)
	}
	ended := arraysOf(finished, slices.DeleteFunc(held, func(n int64) bool { return slices.Contains(moved, n) }))
	_, err = tx.exec(`DELETE FROM delivery_heads h USING unnest($1::text[], $2::text[]) AS u (endpoint, subject)
		WHERE h.endpoint_id = u.endpoint AND h.subject = u.subject`, ended.endpoints, ended.subjects)
	if err != nil {
		return nil, err
	}
	errs := sameError(len(finished), conflict("delivery"))
	for _, number := range arrays.numbers {
		errs[number] = nil
	}
	return errs, nil
}

// numbers runs a statement that returns one number a row.
func numbers(tx *tx, query string, args ...any) ([]int64, error) {
	rows, err := tx.rows(query, args...)
	return collect(rows, err, scanNumber)
}
