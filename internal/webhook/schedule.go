package webhook

import (
	"encoding/binary"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Attempts is how often a delivery is tried before its queue is parked. From
// the first attempt to the last it takes at least 90 hours.
const Attempts = 17

const (
	firstGap          = 4500 * time.Millisecond // before jitter; every later gap is twice the one before
	leastJitter       = 0.10                    // of a gap, added
	mostJitter        = 0.30
	askedJitter       = 0.10            // at most, of what Retry-After asks for
	longestRetryAfter = time.Hour       // a receiver may not ask for more
	longestOwnGap     = 5 * time.Minute // between attempts that fail by our own fault
)

// schedule says when a failed delivery is tried again.
//
// The gaps double: a receiver that is back after an outage waits about as long
// again at the worst, and since each gap's jitter is as wide as those of all
// gaps before it together, endpoints that failed at one moment spread at every
// attempt and never bunch again.
type schedule struct {
	random io.Reader
}

// next returns when to try again after attempt number attempt (from 1) failed,
// no sooner than the receiver asked for (zero: it did not ask); the zero time
// after the last attempt.
func (s schedule) next(attempt int, failedAt time.Time, asked time.Duration) time.Time {
	if attempt >= Attempts {
		return time.Time{}
	}
	wait := s.stretch(gap(attempt), leastJitter, mostJitter)
	asked = s.stretch(min(asked, longestRetryAfter), 0, askedJitter)
	return failedAt.Add(max(wait, asked))
}

// again returns when to try again after an attempt that could not be made by
// our own fault. It never gives up: the receiver did nothing wrong.
func (s schedule) again(attempt int, failedAt time.Time) time.Time {
	wait := min(gap(min(attempt, Attempts)), longestOwnGap)
	return failedAt.Add(s.stretch(wait, leastJitter, mostJitter))
}

// gap returns the time between an attempt and the next, without jitter.
func gap(attempt int) time.Duration { return firstGap << (max(attempt, 1) - 1) }

// stretch adds a random share of wait, from least up to most.
func (s schedule) stretch(wait time.Duration, least, most float64) time.Duration {
	share := least + (most-least)*s.fraction()
	return wait + time.Duration(share*float64(wait))
}

// fraction returns a random number in [0, 1); a half without randomness, since
// a predictable retry is better than none.
func (s schedule) fraction() float64 {
	var word [8]byte
	if _, err := io.ReadFull(s.random, word[:]); err != nil {
		return 0.5
	}
	return float64(binary.BigEndian.Uint64(word[:])>>11) / (1 << 53)
}

// retryAfter reads a Retry-After header (RFC 9110, section 10.2.3: seconds or
// an HTTP date), bounded by an hour. Nonsense and the past are zero.
func retryAfter(value string, now time.Time) time.Duration {
	if value == "" {
		return 0
	}
	if digits(value) {
		seconds, err := strconv.ParseInt(value, 10, 32)
		if err != nil { // more than fits
			return longestRetryAfter
		}
		return min(time.Duration(seconds)*time.Second, longestRetryAfter)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), longestRetryAfter)
}

// digits reports whether the text is nothing but ASCII digits.
func digits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}
