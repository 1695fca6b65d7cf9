package simtest

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// sink is where the organisations' webhooks go. It knows how far it has got
// with each subject.
type sink struct {
	world *world
	mu    sync.Mutex
	bad   [organisations]badness
	taken map[string]int64 // the sequence of the last event of each subject
}

// badness is how a receiver fails, and until when.
type badness struct {
	until time.Time
	how   int
}

// How a receiver fails.
const (
	answers500 = iota
	hangs
	takesInSilence // it has the event, and nobody learns of it
	ways
)

// mostSink is how many moods a failing receiver has: in one of them it is well.
const mostSink = 5

func newSink(w *world) *sink { return &sink{world: w, taken: map[string]int64{}} }

// url is where an organisation's events go.
func (o *organisation) url() string { return "https://hooks.example/" + o.name }

// receive takes an event. It must be the organisation's own (I6), and the next
// of its subject (I3).
func (s *sink) receive(request *http.Request, mood int) reply {
	event, known := s.world.journal.event(request.Header.Get("webhook-id"))
	if !known {
		return reply{status: http.StatusNotFound}
	}
	to := s.world.organisationAt(request.URL.String())
	if to == nil || to.id != event.OrganisationID {
		s.world.violated(tenantsApart, "an event of %s was sent to %s", event.OrganisationID, request.URL)
		return reply{status: http.StatusOK}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.taken[event.Subject]
	if missed := s.world.journal.between(event.Subject, taken, event.Sequence); missed != 0 {
		s.world.violated(inOrder, "event %d of %s came before event %d was taken", event.Sequence, event.Subject, missed)
	}
	bad := s.bad[to.number]
	failing := time.Now().Before(bad.until) && mood > 0
	if failing && bad.how == answers500 {
		return reply{status: http.StatusInternalServerError}
	}
	if failing && bad.how == hangs {
		return reply{}
	}
	s.taken[event.Subject] = max(taken, event.Sequence)
	if failing {
		return reply{}
	}
	return reply{status: http.StatusOK}
}

// has reports whether an event was taken.
func (s *sink) has(subject string, sequence int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken[subject] >= sequence
}

// silence is what comes of a request that nobody answers.
func silence(ctx context.Context) error {
	if err := nap(ctx, patience); err != nil {
		return err
	}
	return errNoAnswer
}
