package store

import (
	"fmt"
	"path/filepath"
	"strconv"
	"testing"

	"latchkey"
)

// connected adds a connection's row with a credential.
func connected(t *testing.T, s *Store, id, credential string) {
	t.Helper()
	err := s.fact(t.Context(), func(tx *tx) error {
		_, err := tx.exec(`INSERT INTO connections (`+connectionColumns+`, upstream_id, credential, credential_expires_at,
			credential_ends_at, warn_at, check_due_at, refresh_lease_until)
			VALUES ($1, 'org_a', 'sandbox', 'app_a', 'sandbox', '', 'active', '{}', FALSE, 1, 1, '', 0, 0, 1, 1, $1, $2, 0, 0, 0, 0, 0)`,
			id, []byte(credential))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// credentialOf returns the sealed bytes, and whether the store was asked.
func credentialOf(t *testing.T, s *Store, id string) (text string, asked bool) {
	t.Helper()
	before, _ := s.Counts()
	_, sealed, err := s.Credential(t.Context(), "org_a", latchkey.Sandbox, id)
	if err != nil {
		t.Fatal(err)
	}
	after, _ := s.Counts()
	return string(sealed.Bytes), after != before
}

func connectionID(i int) string { return fmt.Sprintf("%s%026d", latchkey.PrefixConnection, i) }

func TestAConnectionIsReadOnceUntilItIsChangedHere(t *testing.T) {
	s, _ := sharedFile(t)
	one, other := connectionID(1), connectionID(2)
	connected(t, s, one, "first")
	connected(t, s, other, "other")
	credentialOf(t, s, one)
	credentialOf(t, s, other)
	if text, asked := credentialOf(t, s, one); asked || text != "first" {
		t.Errorf("%q, asked again: %v", text, asked)
	}
	change := func(query string, args ...any) {
		t.Helper()
		if err := s.fact(t.Context(), func(tx *tx) error { _, err := tx.exec(query, args...); return err }); err != nil {
			t.Fatal(err)
		}
	}
	change(`UPDATE connections SET credential = $2 WHERE id = $1`, one, []byte("second"))
	if text, _ := credentialOf(t, s, one); text != "second" {
		t.Errorf("after the change it is %q", text)
	}
	if _, asked := credentialOf(t, s, other); asked {
		t.Error("the change of one has made another forgotten")
	}
	change(`UPDATE connections SET credential = $1`, []byte("all"))
	for _, id := range []string{one, other} {
		if text, _ := credentialOf(t, s, id); text != "all" {
			t.Errorf("after a change of all it is %q", text)
		}
	}
}

func TestWhatAnotherProcessHasWrittenIsSeenAtOnce(t *testing.T) {
	s, path := sharedFile(t)
	id := connectionID(1)
	connected(t, s, id, "0")
	stranger := rawSQLite(t, path)
	for i := range 50 {
		credentialOf(t, s, id)
		if i%2 == 0 { // and this process writes too
			if err := s.fact(t.Context(), noting(strconv.Itoa(i))); err != nil {
				t.Fatal(err)
			}
			credentialOf(t, s, id)
		}
		want := strconv.Itoa(i + 1)
		if _, err := stranger.ExecContext(t.Context(), `UPDATE connections SET credential = $1`, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if text, _ := credentialOf(t, s, id); text != want {
			t.Fatalf("%q after %q was written", text, want)
		}
	}
}

// alone returns a memory of nobody's file, and counts a commit.
func alone() (r *recentCredentials, commit func()) {
	count := &commitCount{memory: make([]byte, 2*indexHeader)}
	return newRecentCredentials(count), func() { count.memory[indexHeader+indexChange]++ }
}

func TestAnAnswerFromBeforeAChangeIsNotKept(t *testing.T) {
	r, commit := alone()
	connection := latchkey.Connection{ID: connectionID(1), OrganisationID: "org_a", Environment: latchkey.Sandbox}
	_, _, changes := r.get("org_a", latchkey.Sandbox, connection.ID)
	commit()
	r.end(&changedRows{ids: []string{connectionID(2)}, rows: 1}) // while it is read
	r.keep(connection, latchkey.SealedCredential{}, changes)
	if _, ok, _ := r.get("org_a", latchkey.Sandbox, connection.ID); ok {
		t.Error("it is kept")
	}
}

func TestACommitThatMayBeAnothersMakesEverythingForgotten(t *testing.T) {
	connection := latchkey.Connection{ID: connectionID(1), OrganisationID: "org_a", Environment: latchkey.Sandbox}
	for name, each := range map[string]struct {
		commits int
		rows    int64
		kept    bool
	}{
		"none": {0, 0, true}, "its own": {1, 3, true}, "one, and it wrote nothing": {1, 0, false}, "two": {2, 3, false},
	} {
		r, commit := alone()
		r.keep(connection, latchkey.SealedCredential{}, 0)
		for range each.commits {
			commit()
		}
		r.end(&changedRows{rows: each.rows})
		if _, ok, _ := r.get("org_a", latchkey.Sandbox, connection.ID); ok != each.kept {
			t.Errorf("%s: kept is %v", name, ok)
		}
	}
}

func TestNotMoreThanSoManyConnectionsAreRemembered(t *testing.T) {
	r, _ := alone()
	for i := range mostCredentials + 100 {
		r.keep(latchkey.Connection{ID: strconv.Itoa(i)}, latchkey.SealedCredential{}, 0)
	}
	if len(r.known) != mostCredentials {
		t.Errorf("%d are", len(r.known))
	}
}

// sharedFile opens a store on a file that others can open too.
func sharedFile(t *testing.T) (*Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "latchkey.db")
	s, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, path
}
