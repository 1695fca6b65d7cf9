package proxy

import (
	"context"
	"fmt"
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
	// running holds the newest call of each connection, and that the others.
	running map[string]*stream
}

// stream is a call under way.
type stream struct {
	streams    *Streams
	connection string
	begun      time.Time
	cut        context.CancelCauseFunc
	newer      *stream
	older      *stream
}

// NewStreams returns no streams yet. Live returns those of the connections that
// may still be used.
func NewStreams(live func(ctx context.Context, ids []string) ([]string, error)) *Streams {
	return &Streams{live: live, running: map[string]*stream{}}
}

// begin registers a call until the returned function is called. The context
// ends when the call is cut.
func (s *Streams) begin(ctx context.Context, connection string) (context.Context, func()) {
	ctx, cut := context.WithCancelCause(ctx)
	call := &stream{streams: s, connection: connection, begun: time.Now(), cut: cut}
	s.mu.Lock()
	defer s.mu.Unlock()
	if call.older = s.running[connection]; call.older != nil {
		call.older.newer = call
	}
	s.running[connection] = call
	return ctx, call.end
}

// end takes the call out of those that run.
func (c *stream) end() {
	c.cut(nil)
	c.streams.mu.Lock()
	defer c.streams.mu.Unlock()
	if c.older != nil {
		c.older.newer = c.newer
	}
	switch {
	case c.newer != nil:
		c.newer.older = c.older
	case c.older != nil:
		c.streams.running[c.connection] = c.older
	default:
		delete(c.streams.running, c.connection)
	}
}

// Cut ends the calls of the connections, for those who know that they ended.
func (s *Streams) Cut(connections ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range connections {
		for call := s.running[id]; call != nil; call = call.older {
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
	for id, newest := range s.running {
		for call := newest; call != nil; call = call.older {
			if call.begun.Before(before) {
				ids = append(ids, id)
				break
			}
		}
	}
	return ids
}
