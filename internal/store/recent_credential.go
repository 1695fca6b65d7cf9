package store

import (
	"strings"
	"sync"
	"time"

	"latchkey"
)

const (
	// unseenFor is how long an answer is good without a look at whether another
	// process has written to the file. What this process writes makes it forget
	// at once; others are commands of the operator's.
	unseenFor = 800 * time.Millisecond
	// lookForOthers is how often that is looked at.
	lookForOthers = unseenFor / 2
	// mostCredentials bounds how many answers are remembered.
	mostCredentials = 4096
)

// recentCredentials remembers the rows that calls through the proxy need, as
// they are stored: the credentials are sealed. Only SQLite has one: there every
// statement of this process that could change such a row passes one writer, so
// that no answer outlives the commit that makes it false. Its methods are safe
// for concurrent use, those of nil too.
type recentCredentials struct {
	mu      sync.RWMutex
	known   map[string]knownCredential // by the connection's id
	changes int64                      // how often something was forgotten
	alone   time.Time                  // until when no other process had written
	version int64                      // of the file, which others' commits change
}

// knownCredential is an answer of Store.Credential. Who gets it changes nothing
// in what it points to.
type knownCredential struct {
	connection latchkey.Connection
	sealed     latchkey.SealedCredential
	at         time.Time
}

func newRecentCredentials() *recentCredentials {
	return &recentCredentials{known: map[string]knownCredential{}}
}

// get returns what is remembered of the connection of that organisation and
// environment, and otherwise the state of the memory to hand to keep.
func (r *recentCredentials) get(organisationID string, environment latchkey.Environment, id string,
) (known knownCredential, ok bool, changes int64) {
	if r == nil {
		return known, false, 0
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	known, ok = r.known[id]
	ok = ok && known.connection.OrganisationID == organisationID && known.connection.Environment == environment &&
		(time.Since(r.alone) < unseenFor || time.Since(known.at) < unseenFor)
	return known, ok, r.changes
}

// keep remembers an answer that was read since get, unless something was
// forgotten meanwhile: it may be from before the change.
func (r *recentCredentials) keep(connection latchkey.Connection, sealed latchkey.SealedCredential, at time.Time, changes int64) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changes != changes {
		return
	}
	if len(r.known) >= mostCredentials {
		for other := range r.known { // any: the order of a map is random
			delete(r.known, other)
			break
		}
	}
	r.known[connection.ID] = knownCredential{connection, sealed, at}
}

// forget drops what a transaction has changed, once that has ended.
func (r *recentCredentials) forget(changed *changedRows) {
	if r == nil || !changed.all && len(changed.ids) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes++
	if changed.all {
		clear(r.known)
	}
	for _, id := range changed.ids {
		delete(r.known, id)
	}
}

// look is told the version of the file at a time. Another one than before tells
// that another process has written to it.
func (r *recentCredentials) look(version int64, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if version != r.version {
		r.changes++
		clear(r.known)
	}
	r.version, r.alone = version, at
}

// changedRows are the connections that the statements of a transaction may have
// changed in what Store.Credential reads.
type changedRows struct {
	ids []string
	all bool
}

// note looks at a statement. One that adds rows changes no answer: that there
// is nothing is not remembered, and the digest of a credential is written in
// the transaction that writes the credential.
func (c *changedRows) note(query string, args []any) {
	if c == nil || strings.HasPrefix(query, "SELECT") || strings.HasPrefix(query, "INSERT") {
		return
	}
	if !strings.Contains(query, "connections") && !strings.Contains(query, "client_apps") && !strings.Contains(query, "credential_marks") {
		return
	}
	if len(args) > 0 && (strings.Contains(query, "WHERE id = $1") || strings.Contains(query, "WHERE connection_id = $1")) {
		if id, ok := args[0].(string); ok && latchkey.ValidID(id, latchkey.PrefixConnection) {
			c.ids = append(c.ids, id)
			return
		}
	}
	c.all = true
}
