package store

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"latchkey"
)

// TestEveryStatementThatChangesWhatIsRememberedIsNoticed reads the statements of
// this package: one that is not noticed would leave old answers in the memories.
func TestEveryStatementThatChangesWhatIsRememberedIsNoticed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	change := regexp.MustCompile(`(?is)\b(UPDATE|DELETE\s+FROM|(INSERT|REPLACE)\s+(OR\s+\w+\s+)?INTO)\s+(link_sessions|client_apps|connections|credential_marks)\b`)
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || strings.Contains(file, "postgres") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range change.FindAllString(string(text), -1) {
			found++
			touches, isNew := touchesOf(statement), strings.HasPrefix(statement, "INSERT")
			ofSession := strings.HasSuffix(statement, "client_apps") || strings.HasSuffix(statement, "link_sessions") && !isNew
			ofConnection := !strings.HasSuffix(statement, "link_sessions") && !isNew
			if touches.sessions != ofSession || touches.connections != ofConnection {
				t.Errorf("%s: %s: %+v", file, statement, touches)
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d statements were found", found)
	}
	if touchesOf(advanceStatement).sessions || touchesOf(`SELECT 1 FROM link_sessions, connections`) != (touch{reads: true}) {
		t.Error("what names its session, or only reads, changes any")
	}
}

func TestAStatementChangesWhatItNamesOrAll(t *testing.T) {
	named := connectionID(1)
	for query, each := range map[string]struct {
		args []any
		want []string
		all  bool
	}{
		`UPDATE connections SET version = 2 WHERE id = $1`:      {[]any{named}, []string{named}, false},
		`UPDATE connections SET version = 3 WHERE id = $1 `:     {[]any{"ls_1"}, nil, true},
		`UPDATE connections SET version = 4 WHERE id = $1  `:    {nil, nil, true},
		`DELETE FROM credential_marks WHERE connection_id = $1`: {[]any{named}, []string{named}, false},
		`UPDATE connections SET version = $1`:                   {[]any{named}, nil, true},
		`UPDATE client_apps SET suspended = $1`:                 {[]any{true}, nil, true},
		`UPDATE link_sessions SET version = $1`:                 {[]any{named}, nil, false},
	} {
		var got changes
		got.statement(touchesOf(query), each.args)
		var keys []string
		for _, change := range got.connections.keys {
			keys = append(keys, change.key)
		}
		if got.connections.all != each.all || !slices.Equal(keys, each.want) {
			t.Errorf("%s: %+v", query, got.connections)
		}
	}
}

func TestASessionWithoutAHashMayBeAny(t *testing.T) {
	var got changes
	got.session(&sessionRow{secretHash: latchkey.HashSecret("one")})
	if got.sessions.all || len(got.sessions.keys) != 1 {
		t.Errorf("one with a hash: %+v", got.sessions)
	}
	if got.session(&sessionRow{}); !got.sessions.all {
		t.Error("only those that are named are forgotten")
	}
	if got.forget(); got.sessions.all || len(got.sessions.keys) != 0 {
		t.Errorf("noted from before: %+v", got.sessions)
	}
}
