package store

import (
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"latchkey"
)

// sessionMemory remembers sessions as they stand, by the hashes of their
// secrets, on SQLite: an app asks ten times how a session stands for once that
// it changes. Nothing that was read or changed here is ever older in it: the
// writer holds what a group changes from before its commit until after, and
// what is held is neither handed out nor taken in.
//
//	read ─▶ remembered? ─▶ a copy
//	    └─▶ the database ─▶ taken in, unless it was held meanwhile
//
// Another process that writes to the same file, such as one that rotates keys,
// is not seen by it, so nothing is kept for longer than sessionAge.
type sessionMemory struct {
	shards [sessionShards]sessionShard
	all    atomic.Int64 // how many groups are being committed that may change any session
}

// The bounds of the memory.
const (
	sessionAge    = 800 * time.Millisecond // what was changed by another process is seen within a second
	sessionShards = 16
	shardSessions = 256 // when there are more, those of the shard are forgotten
)

// sessionShard holds the sessions whose hashes begin alike.
type sessionShard struct {
	mu      sync.Mutex
	known   map[string]rememberedSession
	held    map[string]int
	changes int64 // how often something was held or let go
}

type rememberedSession struct {
	session *latchkey.LinkSession
	at      time.Time
}

func newSessionMemory() *sessionMemory {
	m := &sessionMemory{}
	for i := range m.shards {
		m.shards[i].known, m.shards[i].held = map[string]rememberedSession{}, map[string]int{}
	}
	return m
}

func (m *sessionMemory) shard(hash string) *sessionShard {
	if hash == "" {
		return &m.shards[0]
	}
	return &m.shards[hash[0]%sessionShards]
}

// find returns a copy of what is remembered, or nil, and the number by which
// what is read instead may be taken in.
func (m *sessionMemory) find(hash string) (*latchkey.LinkSession, int64) {
	s := m.shard(hash)
	s.mu.Lock()
	known, ok := s.known[hash]
	changes := s.changes
	s.mu.Unlock()
	if !ok || time.Since(known.at) >= sessionAge || m.all.Load() > 0 {
		return nil, changes
	}
	session := *known.session
	return &session, changes
}

// take remembers a session that was read after find gave the number, at the
// moment at.
func (m *sessionMemory) take(session *latchkey.LinkSession, changes int64, at time.Time) {
	s := m.shard(session.SecretHash)
	kept := *session
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changes != changes || s.held[session.SecretHash] > 0 || m.all.Load() > 0 {
		return
	}
	if len(s.known) >= shardSessions {
		clear(s.known)
	}
	s.known[session.SecretHash] = rememberedSession{&kept, at}
}

// sessionChanges is what a group of facts changes of the sessions.
type sessionChanges struct {
	hashes []string
	any    bool
}

// note adds a session that is about to change.
func (c *sessionChanges) note(hash string) {
	if c != nil {
		c.hashes, c.any = append(c.hashes, hash), c.any || hash == ""
	}
}

// hold forgets what changes and keeps it out until it is let go.
func (m *sessionMemory) hold(changes *sessionChanges) {
	if changes.any {
		m.all.Add(1)
		m.forgetAll()
	}
	for _, hash := range changes.hashes {
		s := m.shard(hash)
		s.mu.Lock()
		s.held[hash]++
		s.changes++
		delete(s.known, hash)
		s.mu.Unlock()
	}
}

// letGo ends a hold, once the change can be read or has failed.
func (m *sessionMemory) letGo(changes *sessionChanges) {
	for _, hash := range changes.hashes {
		s := m.shard(hash)
		s.mu.Lock()
		if s.held[hash]--; s.held[hash] == 0 {
			delete(s.held, hash)
		}
		s.changes++
		s.mu.Unlock()
	}
	if changes.any {
		m.forgetAll()
		m.all.Add(-1)
	}
}

func (m *sessionMemory) forgetAll() {
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		s.changes++
		clear(s.known)
		s.mu.Unlock()
	}
}

// changesSessions fits the statements that may change what is remembered of
// sessions that they don't name: an app that is suspended is part of them.
var changesSessions = regexp.MustCompile(`(?i)\b(UPDATE|DELETE\s+FROM)\s+link_sessions\b|\b(UPDATE|DELETE\s+FROM|INTO)\s+client_apps\b`)

// isBroad reports whether a statement may change any session. The one that
// advances a session notes which itself.
func isBroad(query string) bool {
	return query != advanceStatement && changesSessions.MatchString(query)
}
