package webhook

import (
	"context"
	"slices"
	"time"

	"latchkey"
)

const (
	turnPage    = 128                   // endpoints that are looked at at a time
	contendWait = 25 * time.Millisecond // until an endpoint that another replica has claimed of is looked at again
)

// claim takes due deliveries, at most limit: it goes on from the endpoint where
// the last claim ended, once around, and takes of each as much as slots and pace
// allow. What can't start at once is left in the queue.
func (d *Deliverer) claim(ctx context.Context, limit int) ([]latchkey.Delivery, error) {
	now := d.config.Now()
	due, err := d.due(ctx, now, limit)
	if err != nil || len(due) == 0 {
		return nil, err
	}
	shares, wait := d.divide(now, limit, due)
	if len(shares) == 0 {
		d.lookAgain(wait)
		return nil, nil
	}
	claimed, err := d.config.Store.ClaimDeliveries(ctx, now, Lease, shares)
	if err != nil {
		return nil, err
	}
	for _, delivery := range claimed {
		d.slots.begin(delivery.Endpoint.ID)
	}
	if len(claimed) == 0 && (wait == 0 || wait > contendWait) {
		wait = contendWait
	}
	d.turn = shares[len(shares)-1].EndpointID
	d.lookAgain(wait)
	return claimed, nil
}

// due lists endpoints that something is due for, in turn: those after the one
// that the last claim ended with come first. Usually all fit on one page; else
// it stops when as many as there is to claim may start something.
func (d *Deliverer) due(ctx context.Context, now time.Time, limit int) ([]latchkey.DueEndpoint, error) {
	var list []latchkey.DueEndpoint
	if !d.crowded {
		page, err := d.config.Store.DueEndpoints(ctx, now, "", turnPage)
		if err != nil {
			return nil, err
		}
		if d.crowded = len(page) == turnPage; !d.crowded {
			first := slices.IndexFunc(page, func(endpoint latchkey.DueEndpoint) bool { return endpoint.ID > d.turn })
			return slices.Concat(page[max(first, 0):], page[:max(first, 0)]), nil
		}
	}
	for after, around := d.turn, false; ; {
		page, err := d.config.Store.DueEndpoints(ctx, now, after, turnPage)
		if err != nil {
			return nil, err
		}
		for _, endpoint := range page {
			if around && endpoint.ID > d.turn {
				return list, nil
			}
			list = append(list, endpoint)
		}
		switch {
		case d.startable(list) >= limit:
			return list, nil
		case len(page) == turnPage:
			after = page[len(page)-1].ID
		case around:
			d.crowded = len(list) >= turnPage
			return list, nil
		default:
			after, around = "", true
		}
	}
}

// startable returns how many of the endpoints may start something as far as
// their slots go.
func (d *Deliverer) startable(list []latchkey.DueEndpoint) int {
	ids, room := make([]string, len(list)), make([]int, len(list))
	for i, endpoint := range list {
		ids[i], room[i] = endpoint.ID, 1
	}
	given, _ := d.slots.offer(len(list), ids, room)
	n := 0
	for _, one := range given {
		n += one
	}
	return n
}

// divide makes shares of the limit, and tells after which time an endpoint that
// has used up its rate may go on; zero: there is none.
func (d *Deliverer) divide(now time.Time, limit int, due []latchkey.DueEndpoint) ([]latchkey.DeliveryShare, time.Duration) {
	ids, room, from := make([]string, len(due)), make([]int, len(due)), make([]time.Time, len(due))
	for i, endpoint := range due {
		pace := d.paceOf(endpoint)
		from[i] = pace.from(now, endpoint.PacedUntil)
		ids[i], room[i] = endpoint.ID, pace.room(now, from[i])
	}
	given, held := d.slots.offer(limit, ids, room)
	d.held.Store(held)
	var shares []latchkey.DeliveryShare
	var again time.Time
	for i, endpoint := range due {
		pace := d.paceOf(endpoint)
		if given[i] == room[i] {
			if next := pace.next(from[i], given[i]); again.IsZero() || next.Before(again) {
				again = next
			}
		}
		if given[i] > 0 {
			shares = append(shares, latchkey.DeliveryShare{
				EndpointID: endpoint.ID, Most: given[i],
				PacedUntil: endpoint.PacedUntil, From: from[i], Interval: pace.interval,
			})
		}
	}
	if again.IsZero() {
		return shares, 0
	}
	return shares, max(again.Sub(now), time.Millisecond)
}

// lookAgain wakes the loop after the time, before its next poll; zero: not.
func (d *Deliverer) lookAgain(after time.Duration) {
	if d.again != nil {
		d.again.Stop()
	}
	if after > 0 && after < pollEvery {
		d.again = time.AfterFunc(after, d.wake)
	}
}

// run makes one claimed attempt. What waited for it to end is looked at again.
func (d *Deliverer) run(ctx context.Context, delivery latchkey.Delivery) {
	began, answered := time.Now(), false
	defer func() {
		d.slots.end(delivery.Endpoint.ID, time.Since(began), answered)
		if d.held.Load() {
			d.wake()
		}
	}()
	answered = d.Deliver(ctx, delivery)
}
