package web

import (
	"context"

	"latchkey"
)

// busyPause is how long who was refused at a gate should wait, in seconds.
const busyPause = 1

// Gate bounds how many requests are under way at once. Who comes when it is
// full is refused at once, before anything is read or looked up: nobody waits
// at it, so those inside are answered in bounded time.
type Gate struct{ slots chan struct{} }

// NewGate returns a gate for so many at once; none, which lets all pass, for
// fewer than one.
func NewGate(atOnce int) *Gate {
	if atOnce < 1 {
		return nil
	}
	return &Gate{slots: make(chan struct{}, atOnce)}
}

// pass admits the request, or fails because too many are under way. It must
// leave when it is over.
func (g *Gate) pass(about *note) error {
	if g == nil {
		return nil
	}
	select {
	case g.slots <- struct{}{}:
		about.gate = g
		return nil
	default:
		about.shed = true
		return &latchkey.Error{
			Code: latchkey.NetworkFailed, Message: "too many requests are under way", RetryAfter: busyPause,
		}
	}
}

// leaveGate gives the place back, once.
func (n *note) leaveGate() {
	if n.gate != nil && !n.left.Swap(true) {
		<-n.gate.slots
	}
}

// LeaveGate gives a request's place at its gate back before it is over: for a
// stream that lasts and does nothing, and that has a bound of its own.
func LeaveGate(ctx context.Context) { noteOf(ctx).leaveGate() }
