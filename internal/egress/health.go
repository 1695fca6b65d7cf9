package egress

import (
	"log/slog"
	"sync"
	"time"
)

// How an exit is taken out and comes back.
const (
	failuresToLeave = 3 // in a row
	firstBackOff    = time.Second
	maxBackOff      = time.Minute
)

// health is whether an exit works. Failures in a row take it out; a health
// check that passes lets it in again on probation, where the next failure takes
// it out at once and for longer; a tunnel that opens clears its name.
type health struct {
	now   func() time.Time
	log   *slog.Logger // with the exit's name
	every time.Duration

	mu        sync.Mutex
	down      bool
	since     time.Time
	inARow    int       // failures
	relapses  int       // times it was found down without a tunnel in between
	nextCheck time.Time // zero: at once
	tunnels   uint64
	failures  uint64
}

// isUp reports whether the exit may be used.
func (h *health) isUp() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.down
}

// succeeded notes that a tunnel was opened.
func (h *health) succeeded() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tunnels++
	h.inARow, h.relapses = 0, 0
	h.rise()
}

// passed notes that a check found the exit alive, which says little about what
// it does for us.
func (h *health) passed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nextCheck = h.now().Add(h.every)
	if h.down {
		h.inARow = failuresToLeave - 1
		h.rise()
	}
}

// failed notes that the exit did not do its duty.
func (h *health) failed(cause error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures++
	h.inARow++
	if h.down || h.inARow < failuresToLeave {
		return
	}
	h.down, h.since = true, h.now()
	h.backOff()
	h.log.Warn("exit down", "failures", h.inARow, "cause", cause.Error())
}

// missed notes that a check found the exit dead.
func (h *health) missed(cause error) {
	h.mu.Lock()
	down := h.down
	if down {
		h.backOff()
	} else {
		h.nextCheck = h.now().Add(firstBackOff)
	}
	h.mu.Unlock()
	if !down {
		h.failed(cause)
	}
}

// postpone puts off a check that came to nothing.
func (h *health) postpone() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nextCheck = h.now().Add(firstBackOff)
}

// backOff puts the next check off, longer each time.
func (h *health) backOff() {
	h.nextCheck = h.now().Add(min(firstBackOff<<min(h.relapses, 10), maxBackOff))
	h.relapses++
}

func (h *health) rise() {
	if h.down {
		h.down, h.since = false, h.now()
		h.log.Info("exit up")
	}
}

// isDue reports whether a check is due, and takes it.
func (h *health) isDue() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	if now.Before(h.nextCheck) {
		return false
	}
	h.nextCheck = now.Add(maxBackOff) // until its outcome says otherwise
	return true
}
