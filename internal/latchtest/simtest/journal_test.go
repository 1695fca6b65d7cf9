package simtest

import (
	"sync"
	"time"

	"latchkey"
)

// journal is what the world knows beside the database: what was committed, as
// the shelves saw it, and what was acknowledged to people and apps.
type journal struct {
	world       *world
	mu          sync.Mutex
	events      map[string]latchkey.Event
	sequences   map[string][]int64 // of each subject's committed events
	connections map[string]*linked
	order       [organisations][]string // the connections of each, as they were made
	sessions    []*visited
	calls       []*called
}

// linked is a connection, by its last committed change.
type linked struct {
	id       string
	owner    *organisation
	username string
	session  string    // of its last login
	alive    bool      // it has been linked since it was last ended
	endedAt  time.Time // when its end was acknowledged to its app; zero: it was not, or it was linked anew
}

// visited is a session whose init was acknowledged.
type visited struct {
	id, secret string
	owner      *organisation
	version    int64  // the newest that was acknowledged
	connection string // that its completion was acknowledged with
	deleted    bool   // its app has asked for that
}

// called is a call through the proxy.
type called struct {
	by         *organisation
	connection *linked
	second     bool // with the key that may be revoked
	began      time.Time
}

func newJournal(w *world) *journal {
	return &journal{
		world: w, events: map[string]latchkey.Event{}, sequences: map[string][]int64{}, connections: map[string]*linked{},
	}
}

// happened notes committed events.
func (j *journal) happened(events []latchkey.Event) {
	for _, event := range events {
		late := j.world.sink.has(event.Subject, event.Sequence)
		j.mu.Lock()
		j.events[event.ID] = event
		j.sequences[event.Subject] = append(j.sequences[event.Subject], event.Sequence)
		j.mu.Unlock()
		if late {
			j.world.violated(inOrder, "event %d of %s was committed after a later one was taken", event.Sequence, event.Subject)
		}
	}
}

// event finds a committed event.
func (j *journal) event(id string) (latchkey.Event, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	event, known := j.events[id]
	return event, known
}

// between returns the sequence of a committed event of the subject after one and
// before another, or 0.
func (j *journal) between(subject string, after, before int64) int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, sequence := range j.sequences[subject] {
		if sequence > after && sequence < before {
			return sequence
		}
	}
	return 0
}

// linked notes a committed link.
func (j *journal) linked(connection latchkey.Connection) {
	j.mu.Lock()
	defer j.mu.Unlock()
	known := j.connections[connection.ID]
	if known == nil {
		owner := j.world.organisationOf(connection.OrganisationID)
		known = &linked{id: connection.ID, owner: owner, username: connection.User.Username}
		j.connections[connection.ID] = known
		j.order[owner.number] = append(j.order[owner.number], connection.ID)
	}
	known.session, known.alive, known.endedAt = connection.SessionID, true, time.Time{}
}

// ended notes a committed end.
func (j *journal) ended(connection latchkey.Connection) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if known := j.connections[connection.ID]; known != nil {
		known.alive = false
	}
}

// acknowledgedEnd notes that an app was told of the end, unless the connection
// has been linked anew meanwhile.
func (j *journal) acknowledgedEnd(connection *linked) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !connection.alive && connection.endedAt.IsZero() {
		connection.endedAt = time.Now()
	}
}

// pick returns one of an organisation's connections, nil when it has none yet.
func (j *journal) pick(owner, which int) *linked {
	j.mu.Lock()
	defer j.mu.Unlock()
	list := j.order[owner]
	if len(list) == 0 {
		return nil
	}
	return j.connections[list[which%len(list)]]
}

// call notes that a call begins and returns its number.
func (j *journal) call(by *organisation, connection *linked, second bool) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls = append(j.calls, &called{by: by, connection: connection, second: second, began: time.Now()})
	return len(j.calls) - 1
}

// visit notes that an init was acknowledged.
func (j *journal) visit(v *visited) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sessions = append(j.sessions, v)
}

// acknowledged notes how a session stands that was shown to its person.
func (j *journal) acknowledged(v *visited, session *latchkey.LinkSession) {
	j.mu.Lock()
	defer j.mu.Unlock()
	v.version = max(v.version, session.Version)
	if session.State == latchkey.StateCompleted {
		v.connection = session.Progress.ConnectionID
	}
}

// newest returns the newest version of a session that was shown to its person.
func (j *journal) newest(v *visited) int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return v.version
}
