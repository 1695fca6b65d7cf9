package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"latchkey"
)

// longestLease is longer than any lease. One that ends later still was written by
// a clock that has been set back since, and is over.
const longestLease = 2 * time.Minute

// ClaimDeliveries takes what is due at now of each share's endpoint, the longest
// due first and at most one of each subject, for as long as the lease, up to a minute. What is
// not finished by then is due again, and the late finisher is fenced off. What
// another claims at this moment is passed by.
func (s *Store) ClaimDeliveries(ctx context.Context, now time.Time, lease time.Duration, shares []latchkey.DeliveryShare,
) ([]latchkey.Delivery, error) {
	// Two claims take the paces in the same order.
	shares = slices.SortedFunc(slices.Values(shares), func(a, b latchkey.DeliveryShare) int {
		return cmp.Compare(a.EndpointID, b.EndpointID)
	})
	var list []latchkey.Delivery
	err := s.fact(ctx, func(tx *tx) (err error) {
		list, err = claimShares(tx, shares, now, lease)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim deliveries: %w", err)
	}
	return list, nil
}

// claimShares takes what is due of each share.
func claimShares(tx *tx, shares []latchkey.DeliveryShare, now time.Time, lease time.Duration) (list []latchkey.Delivery, err error) {
	if err := tx.byIndexes(); err != nil {
		return nil, err
	}
	endpoints, err := shareEndpoints(tx, shares)
	if err != nil {
		return nil, err
	}
	for _, share := range shares {
		endpoint, there := endpoints[share.EndpointID]
		if !there {
			if err := dropQueues(tx, share.EndpointID); err != nil {
				return nil, err
			}
			continue
		}
		claimed, err := claimShare(tx, share, now, lease)
		if err != nil {
			return nil, fmt.Errorf("of %s: %w", share.EndpointID, err)
		}
		for _, delivery := range claimed {
			delivery.Endpoint = endpoint
			list = append(list, delivery)
		}
	}
	return list, nil
}

// shareEndpoints loads the endpoints of the shares, as far as they are there.
func shareEndpoints(tx *tx, shares []latchkey.DeliveryShare) (map[string]latchkey.WebhookEndpoint, error) {
	ids := make([]string, len(shares))
	for i, share := range shares {
		ids[i] = share.EndpointID
	}
	rows, err := tx.rows(`SELECT `+endpointColumns+` FROM webhook_endpoints WHERE id IN `+tx.fragments.in(1),
		strings.Join(ids, ","))
	list, err := collect(rows, err, func(row scanner) (latchkey.WebhookEndpoint, error) { return scanEndpoint(row) })
	if err != nil {
		return nil, fmt.Errorf("load the endpoints: %w", err)
	}
	endpoints := make(map[string]latchkey.WebhookEndpoint, len(list))
	for _, endpoint := range list {
		endpoints[endpoint.ID] = endpoint
	}
	return endpoints, nil
}

// claimShare takes the due heads of one endpoint and hides them. It
// takes nothing when another has claimed of it since the share was made.
func claimShare(tx *tx, share latchkey.DeliveryShare, now time.Time, lease time.Duration) ([]latchkey.Delivery, error) {
	heads, lost, err := findHeads(tx, share, now)
	if err != nil || len(heads)+len(lost) == 0 {
		return nil, err
	}
	for _, subject := range lost { // its event is no longer kept
		if err := dropQueue(tx, share.EndpointID, subject); err != nil {
			return nil, err
		}
	}
	kept, err := keepPace(tx, share, len(heads))
	if err != nil || !kept {
		return nil, err
	}
	subjects := make([]string, len(heads))
	for i := range heads {
		subjects[i] = heads[i].Subject
		heads[i].Attempt++
		heads[i].Fence++
	}
	_, err = tx.exec(`UPDATE delivery_heads SET lease_until = $2, attempt = attempt + 1, fence = fence + 1
		WHERE `+tx.fragments.heads,
		share.EndpointID, micros(now.Add(lease)), strings.Join(subjects, ","))
	if err != nil {
		return nil, fmt.Errorf("take the heads: %w", err)
	}
	return heads, nil
}

// findHeadsOf reads the first heads of an endpoint in the order of the index,
// which is used because neverDue is written out.
const findHeadsOf = `SELECT h.subject, h.sequence, h.event_id, h.attempt, h.fence, COALESCE(e.type, ''), e.body
	FROM delivery_heads h LEFT JOIN events e ON e.id = h.event_id
	WHERE h.endpoint_id = $1 AND h.due_at <= $2 AND h.due_at < 9223372036854775807
	AND (h.lease_until <= $2 OR h.lease_until > $4)
	ORDER BY h.due_at LIMIT $3`

// findHeads returns the due heads of an endpoint with their events, and holds
// them; beside them the subjects of those whose event is not there.
//
// A head that was moved on between the statement's snapshot and its lock is
// joined with nothing by PostgreSQL, which looks at the moved row again but at
// the events as they were (its manual, 13.2.1). Such a one's event is asked for
// once more, by a statement of its own, before it is taken for lost.
func findHeads(tx *tx, share latchkey.DeliveryShare, now time.Time) (heads []latchkey.Delivery, lost []string, err error) {
	rows, err := tx.rows(findHeadsOf+tx.fragments.skipHeads, share.EndpointID, micros(now), share.Most,
		micros(now.Add(longestLease)))
	heads, err = collect(rows, err, func(row scanner) (latchkey.Delivery, error) {
		var head latchkey.Delivery
		var eventType string
		err := row.Scan(&head.Subject, &head.Sequence, &head.EventID, &head.Attempt, &head.Fence, &eventType, &head.Body)
		head.EventType = latchkey.EventType(eventType)
		return head, err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("find the heads: %w", err)
	}
	found := heads[:0]
	for _, head := range heads {
		if head.EventType == "" {
			err := loadEvent(tx, &head)
			if errors.Is(err, sql.ErrNoRows) {
				lost = append(lost, head.Subject)
				continue
			}
			if err != nil {
				return nil, nil, err
			}
		}
		found = append(found, head)
	}
	return found, lost, nil
}

// loadEvent adds the type and body of the head's event.
func loadEvent(tx *tx, head *latchkey.Delivery) error {
	var eventType string
	err := tx.row(`SELECT type, body FROM events WHERE id = $1`, head.EventID).Scan(&eventType, &head.Body)
	if err != nil {
		return fmt.Errorf("load event %s: %w", head.EventID, err)
	}
	head.EventType = latchkey.EventType(eventType)
	return nil
}

// keepPace uses up the endpoint's rate for n deliveries and reports whether
// nobody else has since it was read.
func keepPace(tx *tx, share latchkey.DeliveryShare, n int) (bool, error) {
	if share.Interval == 0 {
		return true, nil
	}
	changed, err := tx.exec(`INSERT INTO endpoint_paces (endpoint_id, paced_until) VALUES ($1, $2)
		ON CONFLICT (endpoint_id) DO UPDATE SET paced_until = excluded.paced_until WHERE endpoint_paces.paced_until = $3`,
		share.EndpointID, micros(share.From.Add(time.Duration(n)*share.Interval)), micros(share.PacedUntil))
	if err != nil {
		return false, fmt.Errorf("use up the rate: %w", err)
	}
	return changed == 1, nil
}

// dropQueues forgets what waits for an endpoint that is gone. Facts hold the
// endpoints that they queue for, but a replica of an older release did not, and
// may have left a queue behind.
func dropQueues(tx *tx, endpointID string) error {
	if _, err := tx.exec(`DELETE FROM deliveries WHERE endpoint_id = $1`, endpointID); err != nil {
		return fmt.Errorf("forget the deliveries of %s: %w", endpointID, err)
	}
	if _, err := tx.exec(`DELETE FROM delivery_heads WHERE endpoint_id = $1`, endpointID); err != nil {
		return fmt.Errorf("forget the queues of %s: %w", endpointID, err)
	}
	return nil
}

// dropQueue forgets what waits for an endpoint about one subject.
func dropQueue(tx *tx, endpointID, subject string) error {
	if _, err := tx.exec(`DELETE FROM deliveries WHERE endpoint_id = $1 AND subject = $2`, endpointID, subject); err != nil {
		return fmt.Errorf("forget the deliveries about %s: %w", subject, err)
	}
	_, err := tx.exec(`DELETE FROM delivery_heads WHERE endpoint_id = $1 AND subject = $2`, endpointID, subject)
	if err != nil {
		return fmt.Errorf("forget the queue of %s: %w", subject, err)
	}
	return nil
}
