package simtest

import (
	"context"
	"math"
	"sync"
	"time"

	"latchkey"
)

// DueEndpoints finds the endpoints that something is due for.
func (s shelf) DueEndpoints(ctx context.Context, now time.Time, after string, limit int) ([]latchkey.DueEndpoint, error) {
	if s.queue.rests(now) {
		return nil, nil
	}
	due, err := ask(ctx, s, "DueEndpoints", after, func(ctx context.Context) ([]latchkey.DueEndpoint, error) {
		return s.database.store.DueEndpoints(ctx, now, after, limit)
	})
	if after == "" {
		s.queue.claimed(len(due), err)
	}
	return due, err
}

// ClaimDeliveries claims deliveries that are due.
func (s shelf) ClaimDeliveries(ctx context.Context, now time.Time, lease time.Duration, shares []latchkey.DeliveryShare,
) ([]latchkey.Delivery, error) {
	return ask(ctx, s, "ClaimDeliveries", "", func(ctx context.Context) ([]latchkey.Delivery, error) {
		return s.database.store.ClaimDeliveries(ctx, now, lease, shares)
	}, func([]latchkey.Delivery) { s.queue.touch() })
}

// FinishDelivery writes how an attempt ended. With a bug planted a failed event
// is passed over, and the next of its subject goes out.
func (s shelf) FinishDelivery(ctx context.Context, delivery latchkey.Delivery, outcome latchkey.DeliveryOutcome) error {
	if s.bug == bugPassesOver && !outcome.Delivered {
		outcome.Delivered, outcome.RetryAt = true, time.Time{}
	}
	return tell(ctx, s, "FinishDelivery", delivery.EventID, func(ctx context.Context) error {
		return s.database.store.FinishDelivery(ctx, delivery, outcome)
	}, s.queue.touch)
}

// agenda knows whether a queue has anything due, so that three replicas which
// look every second need not ask the database each time: what rests until the
// earliest due time is only asked for again once something has changed it.
type agenda struct {
	world   *world
	query   string // for the earliest due time, in microseconds
	mu      sync.Mutex
	changed bool
	due     int64
}

// touch tells that the queue has changed.
func (a *agenda) touch() { a.touchIf(true) }

func (a *agenda) touchIf(changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changed = a.changed || changed
}

// rests reports whether nothing is due.
func (a *agenda) rests(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.changed && now.UnixMicro() < a.due
}

// claimed tells of a claim. One that found nothing finds nothing until the
// earliest due time.
func (a *agenda) claimed(count int, err error) {
	if err != nil || count > 0 {
		a.touch()
		return
	}
	a.mu.Lock()
	a.changed = false
	a.mu.Unlock()
	due, known := int64(math.MaxInt64), true
	a.world.database.do(func() {
		row := a.world.database.empty.QueryRowContext(context.Background(), a.query)
		known = row.Scan(&due) == nil
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	a.due, a.changed = due, a.changed || !known
}
