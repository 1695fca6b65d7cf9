package store

import (
	"strings"
	"sync"
	"time"

	"latchkey"
)

// mostCredentials bounds how many answers are remembered.
const mostCredentials = 4096

// lookForOthers is how often the writer looks whether another process has
// written to the file, so that answers are good again.
const lookForOthers = 400 * time.Millisecond

// recentCredentials remembers the rows that calls through the proxy need, as
// they are stored: the credentials are sealed. Only SQLite has one: there every
// statement of this process that could change such a row passes one writer, and
// the count of commits tells whether another process has written to the file.
// So no answer outlives the commit that makes it false. Its methods are safe for
// concurrent use, those of nil too.
type recentCredentials struct {
	commits *commitCount
	mu      sync.RWMutex
	known   map[string]knownCredential // by the connection's id
	changes int64                      // how often something was forgotten
	seen    uint32                     // the count of commits for which all that is known holds
}

// knownCredential is an answer of Store.Credential. Who gets it changes nothing
// in what it points to.
type knownCredential struct {
	connection latchkey.Connection
	sealed     latchkey.SealedCredential
}

func newRecentCredentials(commits *commitCount) *recentCredentials {
	return &recentCredentials{commits: commits, known: map[string]knownCredential{}, seen: commits.load()}
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
		r.commits.load() == r.seen
	return known, ok, r.changes
}

// keep remembers an answer that was read since get, unless something was
// forgotten meanwhile: it may be from before the change.
func (r *recentCredentials) keep(connection latchkey.Connection, sealed latchkey.SealedCredential, changes int64) {
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
	r.known[connection.ID] = knownCredential{connection, sealed}
}

// begin is called when the writer has the lock of the file, or now and then. A
// commit that was not seen is another process's: everything is forgotten.
func (r *recentCredentials) begin() {
	if r == nil {
		return
	}
	if now := r.commits.load(); now != r.seen { // only the writer changes what was seen
		r.mu.Lock()
		defer r.mu.Unlock()
		r.changes++
		clear(r.known)
		r.seen = now
	}
}

// end drops what a transaction has changed, once that has ended. One that wrote
// rows has counted one commit. If there is more to see, or one where none was
// written for sure, it may be another process's.
func (r *recentCredentials) end(changed *changedRows) {
	if r == nil {
		return
	}
	now := r.commits.load()
	own := now == r.seen || changed.rows > 0 && now == r.seen+1
	if own && now == r.seen && !changed.all && len(changed.ids) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = now
	if changed.all || len(changed.ids) > 0 || !own {
		r.changes++
	}
	if changed.all || !own {
		clear(r.known)
	}
	for _, id := range changed.ids {
		delete(r.known, id)
	}
}

// changedRows are the connections that the statements of a transaction may have
// changed in what Store.Credential reads.
type changedRows struct {
	ids  []string
	all  bool
	rows int64 // that were written for sure
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
