package simtest

import (
	"math/rand/v2"
	"time"
)

// place is where one of the three replicas runs, and what troubles it.
type place struct {
	number       int
	starts       int
	running      *replica // nil: it has crashed and is not back yet
	skew         time.Duration
	stalledUntil time.Time
	cutUntil     time.Time
	badUntil     time.Time
	trap         string // the call after whose answer the replica is to stand still
	trapFor      time.Duration
	upsetAt      time.Time // when a stall or a trouble of the database last touched it
}

// until is the later of two ends of a trouble.
func until(before time.Time, lasts time.Duration) time.Time {
	if end := time.Now().Add(lasts); end.After(before) {
		return end
	}
	return before
}

// alive reports whether the replica has not crashed.
func (r *replica) alive() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.places[r.number].running == r
}

// standStill lets a stalled replica wait, and fails when it has crashed. What
// has waited goes on one after the other.
func (r *replica) standStill(dice *rand.Rand) error {
	after := between(dice, 0, time.Millisecond)
	for {
		r.mu.Lock()
		place := r.places[r.number]
		dead, left := place.running != r, time.Until(place.stalledUntil)
		r.mu.Unlock()
		switch {
		case dead:
			return errCrashed
		case left <= 0:
			return nil
		}
		pass(min(left+after, time.Second+after)) // a crash ends a stall
	}
}

// isBad reports whether the replica's database is in trouble.
func (r *replica) isBad() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Before(r.places[r.number].badUntil)
}

// isCut reports whether the replica reaches nobody.
func (r *replica) isCut() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Before(r.places[r.number].cutUntil)
}

// troubled notes that the replica's database has failed it.
func (r *replica) troubled() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.places[r.number].upsetAt = time.Now()
}

// upsetSince reports whether the replica has crashed, stood still or been failed
// by its database since then.
func (r *replica) upsetSince(then time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	place := r.places[r.number]
	return place.running != r || !place.upsetAt.Before(then)
}

// spring lets the replica stand still if it was to do so after this call: when
// it has just been given something, which is the worst moment.
func (r *replica) spring(method string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	place := r.places[r.number]
	if place.running == r && place.trap == method {
		place.stalledUntil, place.upsetAt, place.trap = until(place.stalledUntil, place.trapFor), time.Now(), ""
	}
}
