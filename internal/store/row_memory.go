package store

import (
	"slices"
	"sync"

	"latchkey"
)

// mostRemembered bounds how many rows of a kind are remembered.
const mostRemembered = 4096

// rowMemory remembers rows of one kind as they stand, by their keys. Only SQLite
// has one: there every statement of this process that could change such a row
// passes one writer, and the count of commits tells whether another process has
// written to the file. So no answer outlives the commit that makes it false.
//
//	get ─▶ known, and no commit unseen? ─▶ the row
//	    └─▶ the database ─▶ keep, unless something was forgotten meanwhile
//
// Its methods are safe for concurrent use, those of nil too: it knows nothing.
// Who gets a row changes nothing in what it points to.
type rowMemory[V any] struct {
	index   *logIndex
	mu      sync.RWMutex
	known   map[string]V
	changes int64  // how often something was forgotten
	seen    uint32 // the count of commits for which all that is known holds
}

func newRowMemory[V any](index *logIndex) *rowMemory[V] {
	return &rowMemory[V]{index: index, known: map[string]V{}, seen: index.commits()}
}

// get returns what is remembered of a row, and otherwise the state of the
// memory to hand to keep.
func (m *rowMemory[V]) get(key string) (row V, ok bool, changes int64) {
	if m == nil {
		return row, false, 0
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	row, ok = m.known[key]
	return row, ok && m.index.commits() == m.seen, m.changes
}

// keep remembers a row that was read since get, unless something was forgotten
// meanwhile: it may be from before the change.
func (m *rowMemory[V]) keep(key string, row V, changes int64) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.changes == changes {
		m.put(key, row)
	}
}

// put adds a row, in the place of some other one when there are many.
func (m *rowMemory[V]) put(key string, row V) {
	if len(m.known) >= mostRemembered {
		for other := range m.known { // any: the order of a map is random
			delete(m.known, other)
			break
		}
	}
	m.known[key] = row
}

// begin is called when the writer has the lock of the file, or now and then. A
// commit that was not seen is another process's: everything is forgotten.
func (m *rowMemory[V]) begin() {
	if m == nil {
		return
	}
	if now := m.index.commits(); now != m.seen { // only the writer changes what was seen
		m.mu.Lock()
		defer m.mu.Unlock()
		m.changes++
		clear(m.known)
		m.seen = now
	}
}

// end drops what a transaction has changed, once that has ended, or puts what was
// written in its place. One that wrote rows for sure has counted one commit. If
// there is more to see, or one where none was written for sure, it may be another
// process's.
func (m *rowMemory[V]) end(changed *changedKeys[V], wrote bool) {
	if m == nil {
		return
	}
	now := m.index.commits()
	own := now == m.seen || wrote && now == m.seen+1
	if own && now == m.seen && !changed.all && len(changed.keys) == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = now
	if changed.all || !own || slices.ContainsFunc(changed.keys, func(key changedKey[V]) bool { return !key.begins }) {
		m.changes++
	}
	if changed.all || !own {
		clear(m.known)
		return
	}
	for _, change := range changed.keys {
		before, known := m.known[change.key]
		delete(m.known, change.key)
		if (known || change.begins) && wrote && change.becomes != nil {
			if after, ok := change.becomes(before); ok {
				m.put(change.key, after)
			}
		}
	}
}

// memories are the rows that one writer keeps true.
type memories struct {
	sessions    *rowMemory[*knownSession]   // by the hashes of their secrets
	credentials *rowMemory[knownCredential] // by the ids of their connections
	activeApps  *rowMemory[bool]            // by their ids: true for client apps that are not suspended
}

// newMemories returns those of the database with the index, or ones that know
// nothing where there is none: its commits can't be counted.
func newMemories(index *logIndex) memories {
	if index == nil {
		return memories{}
	}
	return memories{newRowMemory[*knownSession](index), newRowMemory[knownCredential](index), newRowMemory[bool](index)}
}

func (m memories) begin() {
	m.sessions.begin()
	m.credentials.begin()
	m.activeApps.begin()
}

func (m memories) end(changed *changes) {
	m.activeApps.end(&changedKeys[bool]{all: changed.sessions.all}, changed.rows > 0) // first: a new session asks it
	m.sessions.end(&changed.sessions, changed.rows > 0)
	m.credentials.end(&changed.connections, changed.rows > 0)
}

// knownCredential is an answer of Store.Credential. The credential is sealed.
type knownCredential struct {
	connection latchkey.Connection
	sealed     latchkey.SealedCredential
}
