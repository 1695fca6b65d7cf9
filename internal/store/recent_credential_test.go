package store

import (
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
	"time"

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

func TestWhatAnotherProcessHasWrittenIsSeenSoon(t *testing.T) {
	s, path := sharedFile(t)
	id := connectionID(1)
	connected(t, s, id, "first")
	credentialOf(t, s, id)
	stranger := rawSQLite(t, path)
	if _, err := stranger.ExecContext(t.Context(), `UPDATE connections SET credential = $1`, []byte("second")); err != nil {
		t.Fatal(err)
	}
	changed := time.Now()
	for {
		text, _ := credentialOf(t, s, id)
		if text == "second" {
			break
		}
		if time.Since(changed) > 20*time.Second {
			t.Fatal("it is never seen")
		}
		time.Sleep(time.Millisecond)
	}
	t.Logf("seen after %v", time.Since(changed))
}

func TestAnAnswerFromBeforeAChangeIsNotKept(t *testing.T) {
	r := newRecentCredentials()
	connection := latchkey.Connection{ID: connectionID(1), OrganisationID: "org_a", Environment: latchkey.Sandbox}
	_, _, changes := r.get("org_a", latchkey.Sandbox, connection.ID)
	r.forget(&changedRows{ids: []string{connectionID(2)}}) // while it is read
	r.keep(connection, latchkey.SealedCredential{}, time.Now(), changes)
	if _, ok, _ := r.get("org_a", latchkey.Sandbox, connection.ID); ok {
		t.Error("it is kept")
	}
}

func TestNotMoreThanSoManyConnectionsAreRemembered(t *testing.T) {
	r := newRecentCredentials()
	for i := range mostCredentials + 100 {
		r.keep(latchkey.Connection{ID: strconv.Itoa(i)}, latchkey.SealedCredential{}, time.Now(), 0)
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
