package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
)

// stored adds a session and returns it as it is read.
func stored(t *testing.T, s *Store, name string) *latchkey.LinkSession {
	t.Helper()
	now := time.Now()
	session := &latchkey.LinkSession{
		ID: "ls_" + name, SecretHash: latchkey.HashSecret(name), OrganisationID: "org_a", Environment: latchkey.Sandbox,
		ClientAppID: "app_a", State: latchkey.StatePreLogin, Version: 1, CreatedAt: now, UpdatedAt: now, ExpiresAt: now.Add(time.Hour),
		Request: latchkey.SessionRequest{ClientReferenceID: name, Providers: []string{"sandbox"}},
	}
	if err := s.CreateLinkSession(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	return bySecret(t, s, name)
}

func bySecret(t *testing.T, s *Store, name string) *latchkey.LinkSession {
	t.Helper()
	session, err := s.LinkSessionBySecret(t.Context(), latchkey.HashSecret(name))
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// A session is remembered as it was written exactly as it would be read.
func TestASessionThatWasWrittenIsRememberedAsItWouldBeRead(t *testing.T) {
	s, _ := sharedFile(t)
	stored(t, s, "one")
	for i := range 50 {
		read := bySecret(t, s, "one")
		next := *read
		next.Version++
		next.State = latchkey.States()[i%len(latchkey.States())]
		next.Progress.AttemptsLeft, next.Progress.Provider = i, fmt.Sprint("provider", i)
		next.UpdatedAt, next.LeaseUntil = time.Now(), time.Now().Add(time.Duration(rand.Int64N(1e9)))
		next.Flow = [][]byte{nil, {}, []byte("sealed")}[i%3]
		if err := s.AdvanceLinkSession(t.Context(), &next, read.Version, latchkey.Consequences{}); err != nil {
			t.Fatal(err)
		}
		clear(next.Flow) // it was the caller's own
		before, _ := s.Counts()
		remembered := bySecret(t, s, "one")
		if after, _ := s.Counts(); after != before {
			t.Fatalf("change %d: the database was asked", i)
		}
		fromDatabase, err := s.LinkSession(t.Context(), read.OrganisationID, read.Environment, read.ID)
		if err != nil {
			t.Fatal(err)
		}
		if difference := cmp.Diff(fromDatabase, remembered); difference != "" {
			t.Fatalf("change %d:\n%s", i, difference)
		}
	}
}

// begun adds a session of the app "app_a", as it would be read.
func begun(t *testing.T, s *Store, name string) (remembered bool, session *latchkey.LinkSession) {
	t.Helper()
	now := time.Now()
	err := s.CreateLinkSession(t.Context(), &latchkey.LinkSession{
		ID: "ls_" + name, SecretHash: latchkey.HashSecret(name), OrganisationID: "org_a", Environment: latchkey.Sandbox,
		ClientAppID: "app_a", State: latchkey.StatePreLogin, Version: 1, CreatedAt: now, UpdatedAt: now, ExpiresAt: now.Add(time.Hour),
		Request: latchkey.SessionRequest{ClientReferenceID: name, Providers: []string{"sandbox"}, Metadata: map[string]string{"a": "b"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	before, _ := s.Counts()
	session = bySecret(t, s, name)
	after, _ := s.Counts()
	fromDatabase, err := s.LinkSession(t.Context(), "org_a", latchkey.Sandbox, "ls_"+name)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(fromDatabase, session); difference != "" {
		t.Fatalf("%s:\n%s", name, difference)
	}
	return before == after, session
}

// organise adds the app and its organisation.
func organise(t *testing.T, s *Store, app latchkey.ClientApp) {
	t.Helper()
	err := s.CreateOrganisation(t.Context(), latchkey.Organisation{ID: app.OrganisationID, Name: "A"}, nil, []latchkey.ClientApp{app})
	if err != nil {
		t.Fatal(err)
	}
}

// A new session needs no look into the database, unless its app may be suspended.
func TestANewSessionIsRememberedWhenItsAppIsKnownToBeActive(t *testing.T) {
	s, _ := sharedFile(t)
	app := latchkey.ClientApp{
		ID: "app_a", OrganisationID: "org_a", Environment: latchkey.Sandbox, Type: latchkey.AppRedirect, Name: "A",
		CreatedAt: time.UnixMicro(1), UpdatedAt: time.UnixMicro(1),
	}
	organise(t, s, app)
	if remembered, _ := begun(t, s, "first"); remembered {
		t.Error("nobody has looked at the app yet")
	}
	if remembered, session := begun(t, s, "second"); !remembered || session.AppSuspended {
		t.Errorf("remembered: %v, suspended: %v", remembered, session.AppSuspended)
	}
	suspended := app
	suspended.Suspended, suspended.UpdatedAt = true, time.UnixMicro(2)
	if err := s.UpdateClientApp(t.Context(), app, suspended, latchkey.AuditRecord{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"third", "fourth"} {
		if remembered, session := begun(t, s, name); remembered || !session.AppSuspended {
			t.Errorf("%s remembered: %v, suspended: %v", name, remembered, session.AppSuspended)
		}
	}
	if session := bySecret(t, s, "second"); !session.AppSuspended {
		t.Error("the app of the second is suspended")
	}
}

// A step is written over a new session whether anybody has looked at it or not.
func TestAStepOfANewSessionIsReadAsItIs(t *testing.T) {
	for _, looked := range []bool{true, false} {
		s, _ := sharedFile(t)
		app := latchkey.ClientApp{ID: "app_a", OrganisationID: "org_a", Environment: latchkey.Sandbox, Type: latchkey.AppRedirect, Name: "A"}
		organise(t, s, app)
		begun(t, s, "first")
		session := &latchkey.LinkSession{
			ID: "ls_b", SecretHash: latchkey.HashSecret("b"), OrganisationID: "org_a", Environment: latchkey.Sandbox,
			ClientAppID: "app_a", State: latchkey.StatePreLogin, Version: 1,
		}
		if err := s.CreateLinkSession(t.Context(), session); err != nil {
			t.Fatal(err)
		}
		if looked {
			session = bySecret(t, s, "b")
		}
		next := *session
		next.Version, next.Flow = 2, []byte("sealed")
		if err := s.AdvanceLinkSession(t.Context(), &next, 1, latchkey.Consequences{}); err != nil {
			t.Fatal(err)
		}
		if found := bySecret(t, s, "b"); found.Version != 2 || string(found.Flow) != "sealed" {
			t.Errorf("looked at: %v: %+v", looked, found)
		}
	}
}

func TestAStepThatWasNotWrittenIsNotRemembered(t *testing.T) {
	s, _ := sharedFile(t)
	read := stored(t, s, "one")
	next := *read
	next.Version, next.Progress.AttemptsLeft = 2, 7
	row, err := newSessionRow(&next)
	if err != nil {
		t.Fatal(err)
	}
	row.readVersion = read.Version
	refused := errors.New("what follows is refused")
	err = s.fact(t.Context(), func(tx *tx) error {
		if err := advanceSession(tx, row); err != nil {
			return err
		}
		return refused
	})
	if !errors.Is(err, refused) {
		t.Fatal(err)
	}
	if found := bySecret(t, s, "one"); found.Version != 1 || found.Progress.AttemptsLeft != 0 {
		t.Errorf("what was undone is remembered: %+v", found)
	}
	if err := s.AdvanceLinkSession(context.Background(), &next, 9, latchkey.Consequences{}); latchkey.CodeOf(err) != latchkey.Conflict {
		t.Fatal(err)
	}
	if found := bySecret(t, s, "one"); found.Version != 1 {
		t.Errorf("what met another version is remembered: %+v", found)
	}
}

func TestASessionThatNobodyLooksAtBetweenTwoStepsIsReadAnew(t *testing.T) {
	s, _ := sharedFile(t)
	read := stored(t, s, "one")
	for range 3 {
		next := *read
		next.Version++
		if err := s.AdvanceLinkSession(t.Context(), &next, read.Version, latchkey.Consequences{}); err != nil {
			t.Fatal(err)
		}
		read = &next
	}
	if found := bySecret(t, s, "one"); found.Version != 4 {
		t.Errorf("version %d", found.Version)
	}
}
