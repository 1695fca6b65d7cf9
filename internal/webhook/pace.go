package webhook

import (
	"time"

	"latchkey"
)

// DefaultRate is how many deliveries an endpoint is sent in a second at most,
// when neither its owner nor the operator has said anything else.
const DefaultRate = 100

// MaxRate is the highest rate that may be set.
const MaxRate = 1000

// farthest is how far ahead a rate can be used up: by a burst, and an interval.
const farthest = 2 * time.Second

// pace is the rate of one endpoint as the generic cell rate algorithm has it: a
// tenth of a second's deliveries may go out at once, and the rest follow evenly,
// so that there are never more than the rate in any second. An eighth is left
// over for what the network holds back and lets go together. How far the rate is
// used up is kept in the store, so it holds across replicas.
type pace struct {
	burst    int           // that may go out at once
	interval time.Duration // that each uses up
}

// paceOf returns the pace of a rate in deliveries a second, 1 or more.
func paceOf(rate int) pace {
	burst := max(1, rate/10)
	interval := time.Second / time.Duration(rate-burst+1-rate/8)
	return pace{burst: burst, interval: (interval + time.Microsecond - 1).Truncate(time.Microsecond)} // as it is stored
}

// from returns from when the next deliveries use up the rate. What is used up
// farther ahead than can be was written before a clock was set back.
func (p pace) from(now, usedUntil time.Time) time.Time {
	if usedUntil.Before(now) || usedUntil.After(now.Add(farthest)) {
		return now
	}
	return usedUntil
}

// room returns how many may go out now.
func (p pace) room(now, from time.Time) int {
	left := now.Add(time.Duration(p.burst) * p.interval).Sub(from)
	return int(max(left, 0) / p.interval)
}

// next returns when half a burst may go out again after n have: claims for one
// at a time would cost too much.
func (p pace) next(from time.Time, n int) time.Time {
	return from.Add(time.Duration(n-p.burst+(p.burst+1)/2) * p.interval)
}

// paceOf returns the pace of an endpoint.
func (d *Deliverer) paceOf(endpoint latchkey.DueEndpoint) pace {
	if endpoint.RateLimit > 0 {
		return paceOf(endpoint.RateLimit)
	}
	return paceOf(d.config.Rate)
}
