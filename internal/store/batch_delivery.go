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

// finishGroup writes the outcomes and moves the queues on.
//
// By the statistics of an empty queue (see byIndexes) the heads joined with a group
// were read as a whole for every delivery of it. So each head is looked up by its
// key, for itself (LATERAL, LIMIT 1), and from then on, as it is locked, by its place.
func finishGroup(tx *tx, finished []*finishedDelivery) ([]error, error) {
	if err := tx.byIndexes(); err != nil {
		return nil, err
	}
	errs := sameError(len(finished), conflict("delivery"))
	all := make([]int64, len(finished))
	for i := range all {
		all[i] = int64(i)
	}
	held, err := holdHeads(tx, arraysOf(finished, all))
	if err != nil || len(held) == 0 {
		return errs, err
	}
	chosen := make([]int64, 0, len(held))
	for _, head := range held {
		chosen, errs[head.number] = append(chosen, head.number), nil
	}
	arrays := arraysOf(finished, chosen)
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
	return errs, moveHeads(tx, finished, held, slices.Max(arrays.times))
}

// queue is what one endpoint is to hear of one subject, in order.
type queue struct{ endpoint, subject string }

// heldHead is a head that is locked: where it is, and the number of the delivery that
// it was finished by.
type heldHead struct {
	number int64
	place  string
}

// holdHeads locks the heads that are still under the fences of their deliveries. Of
// two that finish the same one, one does.
func holdHeads(tx *tx, arrays deliveryArrays) (map[queue]heldHead, error) {
	held := map[queue]heldHead{}
	rows, err := tx.rows(`SELECT u.n, u.endpoint, u.subject, held.at::text
		FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[]) AS u (n, endpoint, subject, fence)
		CROSS JOIN LATERAL (SELECT h.ctid AS at FROM delivery_heads h WHERE h.endpoint_id = u.endpoint
			AND h.subject = u.subject AND h.fence = u.fence LIMIT 1 FOR UPDATE) AS held`,
		arrays.numbers, arrays.endpoints, arrays.subjects, arrays.fences)
	_, err = collect(rows, err, func(row scanner) (of queue, err error) {
		var head heldHead
		err = row.Scan(&head.number, &of.endpoint, &of.subject, &head.place)
		held[of] = head
		return of, err
	})
	return held, err
}

// moveHeads gives the locked heads the next of their queues, due at that time, in
// microseconds, and removes those of which there is none.
func moveHeads(tx *tx, finished []*finishedDelivery, held map[queue]heldHead, due int64) error {
	const next = `FROM deliveries d WHERE d.endpoint_id = h.endpoint_id AND d.subject = h.subject AND d.sequence > h.sequence
		AND d.state = 'pending' ORDER BY d.sequence LIMIT 1`
	rows, err := tx.rows(`UPDATE delivery_heads h SET (sequence, event_id) = (SELECT d.sequence, d.event_id `+next+`),
			attempt = 0, lease_until = 0, fence = h.fence + 1,
			due_at = CASE WHEN EXISTS (SELECT 1 FROM webhook_endpoints w WHERE w.id = h.endpoint_id AND w.status = 'enabled')
				THEN $2::bigint ELSE $3::bigint END
		WHERE h.ctid = ANY ($1::text[]::tid[]) AND (SELECT d.sequence `+next+`) IS NOT NULL
		RETURNING h.endpoint_id, h.subject`,
		placesOf(held), due, neverDue)
	moved, err := collect(rows, err, func(row scanner) (of queue, err error) {
		err = row.Scan(&of.endpoint, &of.subject)
		return of, err
	})
	if err != nil {
		return err
	}
	for _, of := range moved {
		finished[held[of].number].more.Store(true)
		delete(held, of)
	}
	if len(held) == 0 {
		return nil
	}
	_, err = tx.exec(`DELETE FROM delivery_heads h WHERE h.ctid = ANY ($1::text[]::tid[])`, placesOf(held))
	return err
}

// placesOf lists where heads are.
func placesOf(held map[queue]heldHead) []string {
	places := make([]string, 0, len(held))
	for _, head := range held {
		places = append(places, head.place)
	}
	return places
}
