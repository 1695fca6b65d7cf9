package store

import (
	"regexp"
	"strings"

	"latchkey"
)

// changes are the rows that the statements of a transaction may have changed,
// as far as they are remembered. A nil one takes no notes.
type changes struct {
	sessions    changedKeys // the hashes of their secrets
	connections changedKeys // ids, of what Store.Credential reads
	rows        int64       // that were written for sure
}

// changedKeys are some rows of a kind, or all of them.
type changedKeys struct {
	keys []string
	all  bool
}

// forget makes it a note of nothing.
func (c *changes) forget() {
	c.sessions = changedKeys{keys: c.sessions.keys[:0]}
	c.connections = changedKeys{keys: c.connections.keys[:0]}
	c.rows = 0
}

// session notes a session that is about to change. One without a hash may be
// any.
func (c *changes) session(hash string) {
	switch {
	case c == nil:
	case hash == "":
		c.sessions.all = true
	default:
		c.sessions.keys = append(c.sessions.keys, hash)
	}
}

// statement notes what a statement may change.
func (c *changes) statement(touches touch, args []any) {
	c.sessions.all = c.sessions.all || touches.sessions
	switch {
	case !touches.connections:
	case touches.named && len(args) > 0:
		if id, ok := args[0].(string); ok && latchkey.ValidID(id, latchkey.PrefixConnection) {
			c.connections.keys = append(c.connections.keys, id)
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
}

// touchesOf reads a statement. One that adds rows changes no answer: that there
// is nothing is not remembered, and the digest of a credential is written in
// the transaction that writes the credential.
func touchesOf(query string) touch {
	touches := touch{sessions: query != advanceStatement && changesSessions.MatchString(query)}
	if strings.HasPrefix(query, "SELECT") || strings.HasPrefix(query, "INSERT") {
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
