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
