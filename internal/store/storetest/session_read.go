package storetest

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
)

// bySecret reads a session as a client secret opens it.
func (w *world) bySecret(session *latchkey.LinkSession) *latchkey.LinkSession {
	w.Helper()
	found, err := w.store.LinkSessionBySecret(w.Context(), session.SecretHash)
	w.must(err)
	return found
}

func sessionReadFacts() map[string]func(*world) {
	return map[string]func(*world){
		"a session that was changed is never read as it was before":       (*world).readsKeepUp,
		"who reads a session may do with it what they like":               (*world).readsAreTheReadersOwn,
		"a session is read as it stands, whatever has changed it":         (*world).readsSeeEveryChange,
		"many who ask at once get their own sessions, and none a foreign": (*world).readsAreNotMixedUp,
	}
}

// readsKeepUp changes a session over and over while many read it.
func (w *world) readsKeepUp() {
	const changes, readers = 40, 2
	session := w.storedSession()
	hash := session.SecretHash
	var done atomic.Int64
	done.Store(session.Version)
	var reading sync.WaitGroup
	for range readers {
		reading.Go(func() {
			for before := done.Load(); before < changes; before = done.Load() {
				found, err := w.store.LinkSessionBySecret(w.Context(), hash)
				if err != nil || found.Version < before {
					w.Errorf("version %d had been written, and %+v was read: %v", before, found, err)
					return
				}
			}
		})
	}
	for session.Version < changes {
		next := advanced(session, latchkey.StatePreLogin)
		w.must(w.store.AdvanceLinkSession(w.Context(), next, session.Version, latchkey.Consequences{}))
		session = next
		done.Store(session.Version)
	}
	reading.Wait()
}

// readsAreTheReadersOwn changes what was read.
func (w *world) readsAreTheReadersOwn() {
	session := w.storedSession()
	for range 3 {
		found := w.bySecret(session)
		if diff := cmp.Diff(session, found); diff != "" {
			w.Fatal(diff)
		}
		found.State, found.Progress.Failure, found.Version = latchkey.StateExpired, latchkey.FailureCancelled, 9
	}
}

// readsSeeEveryChange changes a session in every way that leaves its version
// alone, and in those that end it, with a read before each.
func (w *world) readsSeeEveryChange() {
	session := w.session()
	session.Flow = []byte("sealed the old way")
	w.must(w.store.CreateLinkSession(w.Context(), session))
	w.bySecret(session)
	w.must(w.store.ReplaceSealed(w.Context(), []latchkey.SealedChange{{
		SealedValue: latchkey.SealedValue{
			Place: latchkey.PlaceFlow, Row: session.ID, OrganisationID: session.OrganisationID, Environment: session.Environment,
			Subject: session.ID, Bytes: session.Flow,
		},
		After: []byte("sealed the new way"),
	}}))
	if found := w.bySecret(session); string(found.Flow) != "sealed the new way" {
		w.Errorf("after its flow was sealed anew it is %q", found.Flow)
	}
	suspended := w.app
	suspended.Suspended, suspended.UpdatedAt = true, start.Add(time.Second)
	w.must(w.store.UpdateClientApp(w.Context(), w.app, suspended, w.noted(latchkey.AuditAppUpdated, w.app.ID)))
	if !w.bySecret(session).AppSuspended {
		w.Error("after its app was suspended it is as if not")
	}
	ended := advanced(session, latchkey.StateDenied)
	w.must(w.store.AdvanceLinkSession(w.Context(), ended, 1, latchkey.Consequences{}))
	if found := w.bySecret(session); found.State != latchkey.StateDenied {
		w.Errorf("after it was denied it is %s", found.State)
	}
	_, err := w.store.RemoveSessions(w.Context(), session.OrganisationID, session.Environment, start.Add(time.Hour), 0, 10)
	w.must(err)
	_, err = w.store.LinkSessionBySecret(w.Context(), session.SecretHash)
	w.wants(latchkey.NotFound, err)
}

// readsAreNotMixedUp asks for several sessions and for none, many times at once.
func (w *world) readsAreNotMixedUp() {
	var asking sync.WaitGroup
	for range 20 {
		session := w.storedSession()
		for range 10 {
			asking.Go(func() {
				found, err := w.store.LinkSessionBySecret(w.Context(), session.SecretHash)
				if err != nil || found.ID != session.ID {
					w.Errorf("asked for %s and got %+v, %v", session.ID, found, err)
				}
			})
		}
		asking.Go(func() {
			found, err := w.store.LinkSessionBySecret(w.Context(), latchkey.HashSecret(session.ID))
			if latchkey.CodeOf(err) != latchkey.NotFound || found != nil {
				w.Errorf("asked for none and got %+v, %v", found, err)
			}
		})
	}
	asking.Wait()
}
