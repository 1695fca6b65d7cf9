package store

import (
	"context"
	"fmt"
	"time"
)

// finishesGather is how long the finish of a delivery waits for others. Nobody
// waits for it but the next delivery of its queue, and each commit costs as much
// as many finishes.
const finishesGather = 2 * time.Millisecond

// startFinishes groups the finishes of deliveries that succeeded into facts.
func startFinishes(writer *sqliteWriter) *batch[*finishedDelivery] {
	return startBatchOf(&batch[*finishedDelivery]{
		gather: finishesGather,
		run: func(ctx context.Context, finished []*finishedDelivery) []error {
			errs := make([]error, len(finished))
			err := writer.write(&waitingFact{ctx: ctx, urgent: true, run: func(tx *tx) error {
				for i, each := range finished {
					more, held, err := finishDelivered(tx, each)
					if err != nil {
						return err
					}
					each.more.Store(more)
					if errs[i] = nil; !held { // it may be run again
						errs[i] = conflict("delivery")
					}
				}
				return nil
			}})
			if err != nil {
				return sameError(len(finished), fmt.Errorf("finish deliveries: %w", err))
			}
			return errs
		},
	}, 1)
}

// finishDelivered writes a success, where one writer needs no locks: it ends the queue or moves it on, and reports whether there is more in
// it. A lost fence changes nothing, and held is false.
func finishDelivered(tx *tx, finished *finishedDelivery) (more, held bool, err error) {
	delivery, outcome := finished.delivery, finished.outcome
	ended, err := tx.exec(`DELETE FROM delivery_heads WHERE endpoint_id = $1 AND subject = $2 AND fence = $4
		AND NOT EXISTS (SELECT 1 FROM deliveries WHERE endpoint_id = $1 AND subject = $2 AND sequence > $3 AND state = 'pending')`,
		delivery.Endpoint.ID, delivery.Subject, delivery.Sequence, delivery.Fence)
	if err != nil {
		return false, false, fmt.Errorf("end the queue after %s: %w", delivery.EventID, err)
	}
	if ended == 0 {
		moved, err := tx.exec(`UPDATE delivery_heads SET fence = fence + 1, (sequence, event_id, attempt, lease_until, due_at) = (
				SELECT sequence, event_id, 0, 0, `+dueIfEnabled+` FROM deliveries WHERE endpoint_id = $1 AND subject = $2
				AND sequence > $3 AND state = 'pending' ORDER BY sequence LIMIT 1)
			WHERE endpoint_id = $1 AND subject = $2 AND fence = $6`, delivery.Endpoint.ID, delivery.Subject,
			delivery.Sequence, micros(outcome.At), neverDue, delivery.Fence)
		if err != nil {
			return false, false, fmt.Errorf("move the queue after %s: %w", delivery.EventID, err)
		}
		if moved == 0 {
			return false, false, nil
		}
	}
	_, err = tx.exec(`UPDATE deliveries SET state = 'delivered', attempts = $4, last_status = $5, excerpt = $6, updated_at = $7
		WHERE endpoint_id = $1 AND subject = $2 AND sequence = $3`, delivery.Endpoint.ID, delivery.Subject,
		delivery.Sequence, delivery.Attempt, outcome.Status, outcome.Excerpt, micros(outcome.At))
	if err != nil {
		return false, false, fmt.Errorf("write the outcome of %s: %w", delivery.EventID, err)
	}
	return ended == 0, true, nil
}
