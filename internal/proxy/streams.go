package proxy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"latchkey"
)

// The pace of CutEnded.
const (
	// settled is how old a call is before its connection is looked up again: it
	// was read from the store when the call began.
	settled = 500 * time.Millisecond
	// lookedUpAtOnce bounds the ids of one query.
	lookedUpAtOnce = 500
)

// errEnded ends the calls of a connection that has ended.
var errEnded = latchkey.Errorf(latchkey.SessionNotProvided, "the connection has ended")

// Streams are the calls under way, by connection. A call may last for hours,
// and its connection end meanwhile, on this replica or another: whoever calls
// CutEnded every second cuts those calls off, and needs no notice from anybody.
type Streams struct {
	live func(ctx context.Context, ids []string) ([]string, error)
	mu   sync.Mutex
	// running holds the calls of each connection.
	running map[string]map[*stream]struct{}
}

// stream is a call under way.
type stream struct {
	begun time.Time
	cut   context.CancelCauseFunc
}

// NewStreams returns no streams yet. Live returns those of the connections that
// may still be used.
func NewStreams(live func(ctx context.Context, ids []string) ([]string, error)) *Streams {
	return &Streams{live: live, running: map[string]map[*stream]struct{}{}}
}

// begin registers a call until the returned function is called. The context
// ends when the call is cut.
func (s *Streams) begin(ctx context.Context, connection string) (context.Context, func()) {
	ctx, cut := context.WithCancelCause(ctx)
	begun := &stream{time.Now(), cut}
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.running[connection]
	if calls == nil {
		calls = map[*stream]struct{}{}
		s.running[connection] = calls
	}
	calls[begun] = struct{}{}
	return ctx, func() {
		cut(nil)
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(calls, begun)
		if len(calls) == 0 {
			delete(s.running, connection)
		}
	}
}

// Cut ends the calls of the connections, for those who know that they ended.
func (s *Streams) Cut(connections ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range connections {
		for call := range s.running[id] {
			call.cut(errEnded)
		}
	}
}

// CutEnded looks up the connections of all calls that have lasted a while, and
// ends the calls of those that have ended. Without any it asks nothing.
func (s *Streams) CutEnded(ctx context.Context) error {
	for ids := range slices.Chunk(s.lasting(time.Now().Add(-settled)), lookedUpAtOnce) {
		live, err := s.live(ctx, ids)
		if err != nil {
			return fmt.Errorf("look up the connections of running calls: %w", err)
		}
		ended := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(live, id) })
		s.Cut(ended...)
	}
	return nil
}

// lasting returns the connections with a call that began before the time.
func (s *Streams) lasting(before time.Time) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for id, calls := range s.running {
		for call := range maps.Keys(calls) {
			if call.begun.Before(before) {
				ids = append(ids, id)
				break
			}
		}
	}
	return ids
}
