package soaktest

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ledger is what was acknowledged, and when.
type ledger struct {
	mu          sync.Mutex
	sessions    map[string]*sessionEntry
	connections map[string]*connectionEntry
	lastAsked   time.Time // when the newest acknowledged write was asked for
	writes      int       // acknowledged
}

// sessionEntry is a session that was acknowledged.
type sessionEntry struct {
	made, consented time.Time
	connection      string
	checks          int
}

// connectionEntry is a connection that was acknowledged.
type connectionEntry struct {
	made, asked, ended time.Time // asked: for its end
	used               bool      // since it was last checked
	checks             int
}

func newLedger() *ledger {
	return &ledger{sessions: map[string]*sessionEntry{}, connections: map[string]*connectionEntry{}}
}

// write runs an entry of a write that was asked for then.
func (l *ledger) write(asked time.Time, entry func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writes++
	if asked.After(l.lastAsked) {
		l.lastAsked = asked
	}
	entry()
}

func (l *ledger) session(id string, asked time.Time) {
	l.write(asked, func() { l.sessions[id] = &sessionEntry{made: time.Now()} })
}

func (l *ledger) consent(session string, asked time.Time) {
	l.write(asked, func() { l.sessions[session].consented = time.Now() })
}

func (l *ledger) connection(session, id string, asked time.Time) {
	l.write(asked, func() {
		l.sessions[session].connection = id
		l.connections[id] = &connectionEntry{made: time.Now()}
	})
}

func (l *ledger) ending(connection string, asked time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.connections[connection].asked = asked
}

func (l *ledger) ended(connection string, asked time.Time) {
	l.write(asked, func() { l.connections[connection].ended, l.connections[connection].checks = time.Now(), 0 })
}

// counts returns how much has been acknowledged.
func (l *ledger) counts() (writes, sessions, consents, connections, ends int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, entry := range l.sessions {
		if !entry.consented.IsZero() {
			consents++
		}
	}
	for _, entry := range l.connections {
		if !entry.ended.IsZero() {
			ends++
		}
	}
	return l.writes, len(l.sessions), consents, len(l.connections), ends
}

// alive returns connections that must be there.
func (l *ledger) alive() (ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, entry := range l.connections {
		if entry.asked.IsZero() {
			ids = append(ids, id)
		}
	}
	return ids
}

// looks is how often an entry is checked before it is only sampled.
const looks = 2

// check asks the server for what was acknowledged before the moment and
// returns what is lost or half: all, or what has not been looked at twice and
// a few of the others.
func (l *ledger) check(s *server, before time.Time, all bool) (lost []string) {
	s.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	chosen := func(checks *int) bool {
		*checks++
		return all || *checks <= looks || rand.IntN(20) == 0
	}
	for _, id := range slices.Sorted(maps.Keys(l.sessions)) {
		if entry := l.sessions[id]; entry.made.Before(before) && chosen(&entry.checks) {
			lost = append(lost, l.checkSession(s, id, entry, before)...)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(l.connections)) {
		if entry := l.connections[id]; entry.made.Before(before) && chosen(&entry.checks) {
			lost = append(lost, l.checkConnection(s, id, entry, before)...)
		}
	}
	return lost
}

func (l *ledger) checkSession(s *server, id string, entry *sessionEntry, before time.Time) (lost []string) {
	s.Helper()
	state := get[struct {
		Status string `json:"status"`
		Data   struct {
			ID string `json:"id"`
		} `json:"data"`
	}](s, "/v2/link/sessions/"+id)
	connection := l.connections[entry.connection]
	switch {
	case state.Status == "not_found":
		return []string{id + " is unknown"}
	case connection != nil && connection.made.Before(before) && (state.Status != "completed" || state.Data.ID != entry.connection):
		lost = append(lost, id+" is "+state.Status+" without its connection")
	}
	if !entry.consented.IsZero() && entry.consented.Before(before) {
		records := get[struct {
			List []jsontext.Value `json:"list"`
		}](s, "/v2/audit?action=consent.given&subject="+id)
		if len(records.List) != 1 {
			lost = append(lost, fmt.Sprintf("%s has %d records of its consent", id, len(records.List)))
		}
	}
	return lost
}

func (l *ledger) checkConnection(s *server, id string, entry *connectionEntry, before time.Time) (lost []string) {
	s.Helper()
	got, err := s.ask(s.Context(), "GET", "/v2/account/connections/"+id, "", "")
	if err != nil {
		return []string{id + ": " + err.Error()}
	}
	ended := !entry.ended.IsZero() && entry.ended.Before(before)
	open := !ended && !entry.asked.IsZero() && entry.asked.Before(before) // nobody knows
	switch {
	case open:
		return nil
	case ended && got.status != http.StatusNotFound, !ended && got.status != http.StatusOK:
		return []string{fmt.Sprintf("%s: ended=%v but status %d", id, ended, got.status)}
	case ended || entry.used:
		return nil
	}
	entry.used = true
	if got, err := s.ask(s.Context(), "GET", "/v2/access/self", "", "", "x-connection-id", id); err != nil || got.status != http.StatusOK {
		lost = append(lost, fmt.Sprintf("%s can't be used: %d %v", id, got.status, err))
	}
	return lost
}

// get asks for JSON, whatever the status.
func get[T any](s *server, path string) T {
	s.Helper()
	var into T
	got, err := s.ask(context.WithoutCancel(s.Context()), "GET", path, "", "")
	if err == nil {
		err = json.Unmarshal(got.body, &into)
	}
	if err != nil {
		s.Errorf("%s: %d %.200s: %v", path, got.status, got.body, err)
	}
	return into
}

// forgetUses lets the next check use every connection again.
func (l *ledger) forgetUses() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, entry := range l.connections {
		entry.used = false
	}
}
