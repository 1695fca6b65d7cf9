package killtest

import (
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// An oracle that finds nothing is worth what it would have found.
func TestTheOracleNoticesWhatIsLost(t *testing.T) {
	s := newServer(t, "")
	o := newOracle()
	s.start()
	for n := 1; n <= 4; n++ { // the fourth is disconnected again
		if err := s.link(t.Context(), o, n); err != nil {
			t.Fatal(err)
		}
	}
	s.kill()
	var sessions, there []string
	var ended string
	for session, connection := range o.sessions {
		if o.connections[connection] {
			sessions, there = append(sessions, session), append(there, connection)
		} else {
			ended = connection
		}
	}
	database, err := sql.Open("sqlite", filepath.Join(filepath.Dir(s.config), "latchkey.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, damage := range [][]any{
		{`DELETE FROM link_sessions WHERE id = $1`, sessions[0]},
		{`DELETE FROM audit WHERE subject = $1 AND action = 'consent.given'`, sessions[1]},
		{`DELETE FROM connections WHERE id = $1`, there[0]},
		{`UPDATE connections SET id = 'conn_stranger' WHERE id = $1`, there[1]},
		{`UPDATE connections SET id = $2 WHERE id = $1`, there[2], ended},
	} {
		if _, err := database.ExecContext(t.Context(), damage[0].(string), damage[1:]...); err != nil {
			t.Fatal(err)
		}
	}
	if err := database.Close(); err != nil {
		t.Fatal(err)
	}
	s.start()
	noticed := s.ask(o)
	for _, want := range []string{
		sessions[0] + " is unknown", sessions[1] + " has lost its consent", there[0] + ": there=true but status 404", there[1] + ": there=true but status 404",
		"conn_stranger is there without its session", ended + ": there=false but status 200", there[0] + " can't be used",
	} {
		if !slices.ContainsFunc(noticed, func(what string) bool { return strings.HasPrefix(what, want) }) {
			t.Errorf("it did not notice that %s; it noticed %q", want, noticed)
		}
	}
}
