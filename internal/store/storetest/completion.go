package storetest

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/store"
)

func completionFacts() map[string]func(*world) {
	return map[string]func(*world){
		"a completed link is a session, a connection and its credential": func(w *world) {
			connection := w.linked(w.connection("u1", "user_1"))
			got, credential, err := w.store.Credential(w.Context(), w.organisation.ID, latchkey.Sandbox, connection.ID)
			w.must(err)
			if diff := cmp.Diff(connection, got); diff != "" {
				w.Error(diff)
			}
			want := sealed("credential")
			digest := sha256.Sum256(want.Bytes)
			want.Digest = digest[:]
			if diff := cmp.Diff(want, credential); diff != "" {
				w.Error(diff)
			}
		},
		"a session that moved on completes nothing": func(w *world) {
			session, connection := w.storedSession(), w.connection("u1", "")
			w.must(w.store.AdvanceLinkSession(w.Context(), advanced(session, latchkey.StateDenied), 1, latchkey.Consequences{}))
			err := w.store.CompleteLink(w.Context(), advanced(session, latchkey.StateCompleted), 1, connection, sealed("x"), latchkey.Consequences{})
			w.wants(latchkey.Conflict, err)
			_, err = w.store.Connection(w.Context(), w.organisation.ID, latchkey.Sandbox, connection.ID)
			w.wants(latchkey.NotFound, err)
		},
		"the same account with the same reference is never linked twice": func(w *world) {
			first := w.linked(w.connection("u1", "user_1"))
			session := w.storedSession()
			err := w.store.CompleteLink(w.Context(), advanced(session, latchkey.StateCompleted), 1,
				w.connection("u1", "user_1"), sealed("second"), latchkey.Consequences{})
			twin, ok := errors.AsType[*store.TwinError](err)
			if !ok {
				w.Fatalf("got %v, want a TwinError", err)
			}
			if diff := cmp.Diff(first, twin.Existing); diff != "" {
				w.Error(diff)
			}
			got, err := w.store.LinkSessionBySecret(w.Context(), session.SecretHash)
			w.must(err)
			if got.State != latchkey.StatePreLogin {
				w.Errorf("the session is %s although nothing was linked", got.State)
			}
		},
		"the same account with another reference is another connection": func(w *world) {
			w.linked(w.connection("u1", "user_1"))
			w.linked(w.connection("u1", "user_2"))
			w.linked(w.connection("u1", ""))
		},
		"linking again renews the connection and its credential": func(w *world) {
			first := w.linked(w.connection("u1", "user_1"))
			renewed := first
			renewed.Version, renewed.EventSequence = 2, 2
			renewed.User.Name = "Ada L."
			session := w.storedSession()
			w.must(w.store.CompleteLink(w.Context(), advanced(session, latchkey.StateCompleted), 1, renewed, sealed("new"),
				latchkey.Consequences{Events: []latchkey.Event{w.event(renewed, latchkey.EventConnectionUpdated)}}))
			got, credential, err := w.store.Credential(w.Context(), w.organisation.ID, latchkey.Sandbox, first.ID)
			w.must(err)
			if got.User.Name != "Ada L." || got.Version != 2 || string(credential.Bytes) != "new" {
				w.Errorf("got %+v", got)
			}
		},
		"of 16 sessions that link the same account at once one makes it": func(w *world) {
			sessions := make([]*latchkey.LinkSession, 16)
			for i := range sessions {
				sessions[i] = w.storedSession()
			}
			won, lost := w.race(16, func(i int) error {
				return w.store.CompleteLink(w.Context(), advanced(sessions[i], latchkey.StateCompleted), 1,
					w.connection("same", "user_1"), sealed("c"), latchkey.Consequences{})
			})
			if won != 1 || lost != 15 {
				w.Errorf("%d won and %d lost", won, lost)
			}
		},
		"a refresh is leased to one caller until the lease ends": func(w *world) {
			connection := w.linked(w.connection("u1", ""))
			won, _ := w.race(16, func(int) error {
				return w.store.LeaseRefresh(w.Context(), connection, start, start.Add(time.Minute))
			})
			if won != 1 {
				w.Errorf("%d callers hold the lease", won)
			}
			w.must(w.store.LeaseRefresh(w.Context(), connection, start.Add(time.Minute), start.Add(2*time.Minute)))
		},
		"a refreshed credential replaces the one that was read and no other": func(w *world) {
			connection := w.linked(w.connection("u1", ""))
			w.must(w.store.ReplaceCredential(w.Context(), connection, sealed("fresh"), start))
			w.wants(latchkey.Conflict, w.store.ReplaceCredential(w.Context(), connection, sealed("late"), start))
			_, credential, err := w.store.Credential(w.Context(), w.organisation.ID, latchkey.Sandbox, connection.ID)
			w.must(err)
			if string(credential.Bytes) != "fresh" {
				w.Error("the late refresh won")
			}
		},
		"the first proof of the vault's key stays": func(w *world) {
			none, err := w.store.VaultProof(w.Context())
			w.must(err)
			first, err := w.store.KeepVaultProof(w.Context(), []byte("first"))
			w.must(err)
			second, err := w.store.KeepVaultProof(w.Context(), []byte("second"))
			w.must(err)
			kept, err := w.store.VaultProof(w.Context())
			w.must(err)
			if none != nil || string(first) != "first" || string(second) != "first" || string(kept) != "first" {
				w.Errorf("got %q, %q, %q and %q", none, first, second, kept)
			}
		},
		"ids that were made at random do not meet": func(w *world) {
			seen := map[string]bool{}
			for range 1000 {
				seen[latchkey.NewID(rand.Reader, latchkey.PrefixEvent)] = true
			}
			if len(seen) != 1000 {
				w.Error("an id came twice")
			}
		},
	}
}
