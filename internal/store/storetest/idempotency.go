package storetest

import (
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
)

// once is what an init with an idempotency key is recognised by.
func (w *world) once(session *latchkey.LinkSession, key string, at time.Time) latchkey.IdempotencyKey {
	return latchkey.IdempotencyKey{
		OrganisationID: w.organisation.ID, Environment: session.Environment, KeyHash: key, BodyHash: "body",
		SessionID: session.ID, Answer: []byte("sealed " + session.ID), CreatedAt: at,
	}
}

// createOnce creates a session with the key so long after the start, and
// returns what was kept before.
func (w *world) createOnce(key string, after time.Duration) (*latchkey.LinkSession, *latchkey.IdempotencyKey) {
	w.Helper()
	session, at := w.session(), start.Add(after)
	before, err := w.store.CreateLinkSessionOnce(w.Context(), session, w.once(session, key, at), at.Add(-24*time.Hour))
	w.must(err)
	return session, before
}

// exists reports whether a session is stored.
func (w *world) exists(session *latchkey.LinkSession) bool {
	w.Helper()
	_, err := w.store.LinkSessionBySecret(w.Context(), session.SecretHash)
	if latchkey.CodeOf(err) == latchkey.NotFound {
		return false
	}
	w.must(err)
	return true
}

func idempotencyFacts() map[string]func(*world) {
	return map[string]func(*world){
		"an idempotency key makes one session in a day": func(w *world) {
			first, before := w.createOnce("k", 0)
			if before != nil || !w.exists(first) {
				w.Fatalf("at first there is %+v before", before)
			}
			second, before := w.createOnce("k", 24*time.Hour-time.Microsecond)
			want := w.once(first, "k", start)
			if diff := cmp.Diff(&want, before); diff != "" || w.exists(second) {
				w.Errorf("a second session is there: %v; kept before (-want +got):\n%s", w.exists(second), diff)
			}
			third, before := w.createOnce("k", 24*time.Hour)
			if before != nil || !w.exists(third) || !w.exists(first) {
				w.Errorf("after a day there is %+v before", before)
			}
			if _, before = w.createOnce("k", 25*time.Hour); before == nil || before.SessionID != third.ID {
				w.Errorf("after a day and an hour there is %+v before", before)
			}
		},
		"an idempotency key is its organisation's and environment's": func(w *world) {
			w.createOnce("k", 0)
			live := w.session()
			live.Environment = latchkey.Live
			key := w.once(live, "k", start)
			key.Environment = latchkey.Live
			before, err := w.store.CreateLinkSessionOnce(w.Context(), live, key, start.Add(-time.Hour))
			w.must(err)
			other, err := w.tenant()
			w.must(err)
			foreign := w.session()
			foreign.OrganisationID = other
			key = w.once(foreign, "k", start)
			key.OrganisationID = other
			beside, err := w.store.CreateLinkSessionOnce(w.Context(), foreign, key, start.Add(-time.Hour))
			w.must(err)
			if before != nil || beside != nil {
				w.Errorf("the live one finds %+v, another organisation %+v", before, beside)
			}
		},
		"a session that can't be made leaves its idempotency key free": func(w *world) {
			taken := w.storedSession()
			session := w.session()
			session.SecretHash = taken.SecretHash
			if _, err := w.store.CreateLinkSessionOnce(w.Context(), session, w.once(session, "k", start), start.Add(-time.Hour)); err == nil {
				w.Fatal("a taken secret was accepted")
			}
			if _, before := w.createOnce("k", 0); before != nil {
				w.Errorf("there is %+v before", before)
			}
		},
		"of 32 inits with one idempotency key at once one is made and all learn which": func(w *world) {
			sessions := make([]*latchkey.LinkSession, 32)
			learnt := make([]string, len(sessions))
			var all sync.WaitGroup
			for i := range sessions {
				sessions[i] = w.session()
				all.Go(func() {
					before, err := w.store.CreateLinkSessionOnce(w.Context(), sessions[i], w.once(sessions[i], "k", start), start.Add(-time.Hour))
					if err != nil {
						w.Error(err)
					}
					if learnt[i] = sessions[i].ID; before != nil {
						learnt[i] = before.SessionID
					}
				})
			}
			all.Wait()
			made := 0
			for i, session := range sessions {
				if w.exists(session) {
					made++
				}
				if learnt[i] != learnt[0] {
					w.Errorf("caller %d learnt of another session", i)
				}
			}
			if made != 1 {
				w.Errorf("%d sessions were made", made)
			}
		},
		"idempotency keys are forgotten after a time, a few at a time": func(w *world) {
			for _, key := range []string{"a", "b", "c"} {
				w.createOnce(key, 0)
			}
			young, _ := w.createOnce("young", time.Second)
			for _, want := range []int{2, 1, 0} {
				got, err := w.store.ForgetIdempotencyKeys(w.Context(), start, 2)
				w.must(err)
				if got != want {
					w.Errorf("forgot %d, want %d", got, want)
				}
			}
			if _, before := w.createOnce("young", 2*time.Second); before == nil || before.SessionID != young.ID {
				w.Errorf("the young key was forgotten: %+v", before)
			}
			if _, before := w.createOnce("a", 2*time.Second); before != nil {
				w.Error("an old key was not forgotten")
			}
		},
	}
}
