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

// turn is what one endpoint gets of a claim.
type turn struct {
	endpoint latchkey.DueEndpoint
	pace     pace
	from     time.Time // from when what is taken uses up the pace
	room     int       // that the pace has now
	given    int       // that the slots leave of it
	taken    int
}

// claim takes due deliveries, at most limit: it goes on from the endpoint where
// the last claim ended, once around, and takes of each as much as slots and pace
// allow. What can't start at once is left in the queue.
func (d *Deliverer) claim(ctx context.Context, limit int) ([]latchkey.Delivery, error) {
	now := d.config.Now()
	due, err := d.due(ctx, now, limit)
	if err != nil {
		return nil, err
	}
	turns := d.divide(now, limit, due)
	var shares []latchkey.DeliveryShare
	for _, turn := range turns {
		if turn.given > 0 {
			d.last = turn.endpoint.ID
			shares = append(shares, latchkey.DeliveryShare{
				EndpointID: turn.endpoint.ID, Most: turn.given,
				PacedUntil: turn.endpoint.PacedUntil, From: turn.from, Interval: turn.pace.interval,
			})
		}
	}
	var claimed []latchkey.Delivery
	if len(shares) > 0 {
		if claimed, err = d.config.Store.ClaimDeliveries(ctx, now, Lease, shares); err != nil {
			return nil, err
		}
	}
	taken := map[string]int{}
	for _, delivery := range claimed {
		taken[delivery.Endpoint.ID]++
		d.slots.begin(delivery.Endpoint.ID)
	}
	for i := range turns {
		turns[i].taken = taken[turns[i].endpoint.ID]
	}
	d.arrange(now, turns)
	return claimed, nil
}

// arrange sees to it that what a claim had to leave behind is looked at again:
// when an attempt ends, if it waits for one, or when a pace has room.
func (d *Deliverer) arrange(now time.Time, turns []turn) {
	held, wait := false, pollEvery
	for _, turn := range turns {
		switch {
		case turn.given > 0 && turn.taken == 0: // another replica was there first
			wait = min(wait, contendWait)
		case turn.taken < turn.given: // there was no more
		case turn.given < turn.room:
			held = true
		default:
			wait = min(wait, max(turn.pace.next(turn.from, turn.taken).Sub(now), time.Millisecond))
		}
	}
	d.held.Store(held)
	if d.again != nil {
		d.again.Stop()
	}
	if wait < pollEvery {
		d.again = time.AfterFunc(wait, d.wake)
	}
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
			first := slices.IndexFunc(page, func(endpoint latchkey.DueEndpoint) bool { return endpoint.ID > d.last })
			return slices.Concat(page[max(first, 0):], page[:max(first, 0)]), nil
		}
	}
	for after, around := d.last, false; ; {
		page, err := d.config.Store.DueEndpoints(ctx, now, after, turnPage)
		if err != nil {
			return nil, err
		}
		for _, endpoint := range page {
			if around && endpoint.ID > d.last {
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
	given := d.slots.offer(len(list), ids, room)
	n := 0
	for _, one := range given {
		n += one
	}
	return n
}

// divide makes turns of a claim.
func (d *Deliverer) divide(now time.Time, limit int, due []latchkey.DueEndpoint) []turn {
	turns := make([]turn, len(due))
	ids, room := make([]string, len(due)), make([]int, len(due))
	for i, endpoint := range due {
		pace := d.paceOf(endpoint)
		from := pace.from(now, endpoint.PacedUntil)
		turns[i] = turn{endpoint: endpoint, pace: pace, from: from, room: pace.room(now, from)}
		ids[i], room[i] = endpoint.ID, turns[i].room
	}
	for i, given := range d.slots.offer(limit, ids, room) {
		turns[i].given = given
	}
	return turns
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
