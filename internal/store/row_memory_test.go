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
func alone() (m *rowMemory[int], commit func()) {
	index := &logIndex{memory: make([]byte, indexMapped)}
	return newRowMemory[int](index), func() { index.memory[indexHeader+indexChange]++ }
}

func TestAnAnswerFromBeforeAChangeIsNotKept(t *testing.T) {
	for name, changed := range map[string]*changedKeys[int]{"of it": {keys: []changedKey[int]{{key: "a"}}}, "of another": {keys: []changedKey[int]{{key: "b"}}}, "of all": {all: true}} {
		m, commit := alone()
		m.keep("a", 1, 0)
		_, _, before := m.get("a")
		commit()
		if _, ok, _ := m.get("a"); ok {
			t.Errorf("a change %s is committed, and may not be known yet", name)
		}
		_, _, during := m.get("a")
		m.end(changed, true) // while it is read
		if _, ok, _ := m.get("a"); ok != (name == "of another") {
			t.Errorf("after a change %s: known is %v", name, ok)
		}
		delete(m.known, "a")
		for _, old := range []int64{before, during} {
			if m.keep("a", 1, old); len(m.known) > 0 {
				t.Errorf("what was read before a change %s is kept", name)
			}
		}
		_, _, after := m.get("a")
		if m.keep("a", 2, after); m.known["a"] != 2 {
			t.Errorf("after a change %s nothing is kept", name)
		}
	}
}

func TestACommitThatMayBeAnothersMakesEverythingForgotten(t *testing.T) {
	for name, each := range map[string]struct {
		commits     int
		wrote, kept bool
	}{
		"none": {0, false, true}, "its own": {1, true, true}, "one, and it wrote nothing": {1, false, false}, "two": {2, true, false},
	} {
		m, commit := alone()
		m.keep("a", 1, 0)
		for range each.commits {
			commit()
		}
		m.end(&changedKeys[int]{}, each.wrote)
		if _, ok, _ := m.get("a"); ok != each.kept {
			t.Errorf("%s: kept is %v", name, ok)
		}
	}
}

func TestWhatWasWrittenIsRememberedInThePlaceOfWhatWasBefore(t *testing.T) {
	double := func(before int) (int, bool) { return 2 * before, true }
	for name, each := range map[string]struct {
		known        int // before; 0: nothing
		commits      int
		wrote, holds bool
		want         int
	}{
		"it was known":                     {3, 1, true, true, 6},
		"nothing was known":                {0, 1, true, true, 0},
		"the transaction has written none": {3, 0, false, true, 0},
		"another process wrote too":        {3, 2, true, true, 0},
		"who knows what becomes of it":     {3, 1, true, false, 0},
	} {
		m, commit := alone()
		if each.known != 0 {
			m.keep("a", each.known, 0)
		}
		for range each.commits {
			commit()
		}
		change := changedKey[int]{key: "a"}
		if each.holds {
			change.becomes = double
		}
		m.end(&changedKeys[int]{keys: []changedKey[int]{change}}, each.wrote)
		if m.known["a"] != each.want {
			t.Errorf("%s: %d is remembered, not %d", name, m.known["a"], each.want)
		}
	}
}

func TestNotMoreThanSoManyRowsAreRemembered(t *testing.T) {
	m, _ := alone()
	for i := range mostRemembered + 100 {
		m.keep(strconv.Itoa(i), i, 0)
	}
	if len(m.known) != mostRemembered {
		t.Errorf("%d are", len(m.known))
	}
}

func TestWhereCommitsCannotBeCountedNothingIsRemembered(t *testing.T) {
	none := newMemories(nil)
	none.sessions.keep("a", &knownSession{}, 0)
	none.begin()
	none.end(&changes{})
	if _, ok, _ := none.sessions.get("a"); ok {
		t.Error("a session is")
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
