package store

import (
	"regexp"
	"strings"

	"latchkey"
)

// changes are the rows that the statements of a transaction may have changed,
// as far as they are remembered. A nil one takes no notes.
type changes struct {
	sessions    changedKeys[*knownSession]   // the hashes of their secrets
	connections changedKeys[knownCredential] // ids, of what Store.Credential reads
	rows        int64                        // that were written for sure
	active      *rowMemory[bool]             // of client apps; nil: nothing is known of them
}

// changedKeys are some rows of a kind, or all of them.
type changedKeys[V any] struct {
	keys []changedKey[V]
	all  bool
}

// changedKey is a row, and what becomes of it if all goes well; nil: who knows.
// One that begins was not there before.
type changedKey[V any] struct {
	key     string
	becomes func(before V) (after V, ok bool)
	begins  bool
}

// forget makes it a note of nothing.
func (c *changes) forget() {
	clear(c.sessions.keys) // they hold what was written
	c.sessions = changedKeys[*knownSession]{keys: c.sessions.keys[:0]}
	c.connections = changedKeys[knownCredential]{keys: c.connections.keys[:0]}
	c.rows = 0
}

// newSession notes a session that is about to be written for the first time. It is
// remembered if its app is known to be active: that is part of it.
func (c *changes) newSession(row *sessionRow) {
	if c == nil {
		return
	}
	becomes := func(*knownSession) (*knownSession, bool) {
		_, active, _ := c.active.get(row.clientAppID)
		return &knownSession{row: row.detached()}, active
	}
	c.sessions.keys = append(c.sessions.keys, changedKey[*knownSession]{row.secretHash, becomes, true})
}

// session notes a session that is about to be written so. One without a hash may
// be any.
func (c *changes) session(row *sessionRow) {
	switch {
	case c == nil:
	case row.secretHash == "":
		c.sessions.all = true
	default:
		c.sessions.keys = append(c.sessions.keys, changedKey[*knownSession]{row.secretHash, row.after, false})
	}
}

// mark is where a fact begins. What is noted after it is of that fact.
func (c *changes) mark() changesMark { return changesMark{len(c.sessions.keys), c.rows} }

type changesMark struct {
	sessions int
	rows     int64
}

// undo notes that what came after the mark was not written.
func (c *changes) undo(mark changesMark) {
	for i := range c.sessions.keys[mark.sessions:] {
		c.sessions.keys[mark.sessions+i].becomes = nil
	}
	c.rows = mark.rows
}

// statement notes what a statement may change.
func (c *changes) statement(touches touch, args []any) {
	c.sessions.all = c.sessions.all || touches.sessions
	switch {
	case !touches.connections:
	case touches.named && len(args) > 0:
		if id, ok := args[0].(string); ok && latchkey.ValidID(id, latchkey.PrefixConnection) {
			c.connections.keys = append(c.connections.keys, changedKey[knownCredential]{key: id})
			return
		}
		fallthrough
	default:
		c.connections.all = true
	}
}

// touch is what a statement may change of what is remembered, read off its
// text: whoever writes a new one can't forget to say so.
type touch struct {
	sessions    bool // any session that it does not name
	connections bool // of what Store.Credential reads
	named       bool // only the connection of its first argument
	reads       bool // it changes nothing
}

// touchesOf reads a statement. One that adds rows changes no answer: that there
// is nothing is not remembered, and the digest of a credential is written in
// the transaction that writes the credential.
func touchesOf(query string) touch {
	touches := touch{sessions: query != advanceStatement && changesSessions.MatchString(query)}
	touches.reads = strings.HasPrefix(query, "SELECT")
	if touches.reads || strings.HasPrefix(query, "INSERT") {
		return touches
	}
	touches.connections = strings.Contains(query, "connections") || strings.Contains(query, "client_apps") ||
		strings.Contains(query, "credential_marks")
	touches.named = strings.Contains(query, "WHERE id = $1") || strings.Contains(query, "WHERE connection_id = $1")
	return touches
}

// changesSessions fits the statements that may change what is remembered of
// sessions that they don't name: an app that is suspended is part of them. The
// statement that advances a session notes which itself.
var changesSessions = regexp.MustCompile(`(?i)\b(UPDATE|DELETE\s+FROM)\s+link_sessions\b|\b(UPDATE|DELETE\s+FROM|INTO)\s+client_apps\b`)
