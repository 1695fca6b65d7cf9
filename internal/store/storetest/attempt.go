package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"latchkey"
)

// tries are the budgets of these sentences: three in a minute, five in an hour.
var tries = []latchkey.Budget{{Tries: 3, Within: time.Minute}, {Tries: 5, Within: time.Hour}}

// attempt is a try against a key so long after the start.
func attempt(key string, after time.Duration) latchkey.Attempt {
	return latchkey.Attempt{Key: key, At: start.Add(after), Budgets: tries}
}

// taken counts a try and returns how many seconds it must wait; 0 when it was
// counted.
func (w *world) taken(attempts ...latchkey.Attempt) int {
	w.Helper()
	err := w.store.TakeAttempts(w.Context(), attempts)
	if err == nil {
		return 0
	}
	var refused *latchkey.Error
	if !errors.As(err, &refused) || refused.Code != latchkey.RateLimited || refused.RetryAfter <= 0 {
		w.Fatalf("got %v, want a refusal with a time to wait", err)
	}
	return refused.RetryAfter
}

func attemptFacts() map[string]func(*world) {
	return map[string]func(*world){
		"tries are counted within every span of their budgets": func(w *world) {
			for _, try := range []struct {
				after time.Duration
				wait  int // seconds
			}{
				{0, 0},
				{10 * time.Second, 0},
				{20 * time.Second, 0},
				{30 * time.Second, 30}, // three in a minute
				{59*time.Second + 999*time.Millisecond, 1}, // and a refusal is no try
				{60 * time.Second, 0},
				{61 * time.Second, 9},
				{70 * time.Second, 0},
				{10 * time.Minute, 50 * 60}, // five in an hour
				{time.Hour, 0},
				{time.Hour + 5*time.Second, 5},
				{time.Hour + 10*time.Second, 0},
			} {
				if wait := w.taken(attempt("a", try.after)); wait != try.wait {
					w.Errorf("after %s: wait %d seconds, want %d", try.after, wait, try.wait)
				}
			}
			if w.taken(attempt("b", time.Minute)) != 0 {
				w.Error("another key pays for it")
			}
		},
		"a try by a clock that is behind is counted among the others": func(w *world) {
			for _, after := range []time.Duration{10, 20, 0, 61} {
				if w.taken(attempt("a", after*time.Second)) != 0 {
					w.Errorf("the try after %ds is refused", after)
				}
			}
			if w.taken(attempt("a", 62*time.Second)) == 0 {
				w.Error("a fourth try within a minute is let through")
			}
		},
		"a try that was right is forgotten, once": func(w *world) {
			for i := range 3 {
				w.taken(attempt("a", time.Duration(i)*time.Second))
			}
			right := []latchkey.Attempt{attempt("a", time.Second)}
			for range 2 {
				w.must(w.store.ReleaseAttempts(w.Context(), right))
			}
			if w.taken(attempt("a", 3*time.Second)) != 0 || w.taken(attempt("a", 4*time.Second)) == 0 {
				w.Error("there is not room for exactly one")
			}
			w.must(w.store.ReleaseAttempts(w.Context(), []latchkey.Attempt{attempt("never", 0)}))
		},
		"several tries are counted together or not at all": func(w *world) {
			for range 3 {
				w.taken(attempt("full", 0))
			}
			for range 5 {
				if w.taken(attempt("free", 0), attempt("full", time.Second)) == 0 {
					w.Fatal("a full key let it pass")
				}
			}
			for i := range 3 {
				if w.taken(attempt("free", 0)) != 0 {
					w.Errorf("try %d: the free key was counted for what was refused", i+1)
				}
			}
		},
		"a step whose try is refused is not taken": func(w *world) {
			for range 3 {
				w.taken(attempt("a", 0))
			}
			session := w.storedSession()
			record := latchkey.AuditRecord{
				OrganisationID: w.organisation.ID, Environment: latchkey.Sandbox, Actor: session.ID,
				Action: latchkey.AuditConsent, Subject: session.ID, Detail: "{}", CreatedAt: start,
			}
			err := w.store.AdvanceLinkSession(w.Context(), advanced(session, latchkey.StateTrying), 1, latchkey.Consequences{
				Take: []latchkey.Attempt{attempt("b", 0), attempt("a", time.Second)}, Records: []latchkey.AuditRecord{record},
			})
			w.wants(latchkey.RateLimited, err)
			got, err := w.store.LinkSessionBySecret(w.Context(), session.SecretHash)
			w.must(err)
			records, err := w.store.AuditOf(w.Context(), w.organisation.ID, session.ID)
			w.must(err)
			if got.Version != 1 || len(records) != 0 {
				w.Errorf("the session is at version %d with %d records", got.Version, len(records))
			}
		},
		"a step that loses counts no try and forgets none": func(w *world) {
			session := w.storedSession()
			w.taken(attempt("a", 0))
			w.wants(latchkey.Conflict, w.store.AdvanceLinkSession(w.Context(), advanced(session, latchkey.StateTrying), 9,
				latchkey.Consequences{Take: []latchkey.Attempt{attempt("a", 1)}, Release: []latchkey.Attempt{attempt("a", 0)}}))
			for i := range 3 {
				if wait := w.taken(attempt("a", time.Duration(i+1)*time.Second)); (wait == 0) != (i < 2) {
					w.Errorf("try %d beside the first: wait %d", i+1, wait)
				}
			}
		},
		"of 64 tries at once no more pass than may": func(w *world) {
			var passed atomic.Int32
			var all sync.WaitGroup
			for i := range 64 {
				all.Go(func() {
					err := w.store.TakeAttempts(w.Context(), []latchkey.Attempt{attempt("a", time.Duration(i)*time.Millisecond)})
					switch {
					case err == nil:
						passed.Add(1)
					case latchkey.CodeOf(err) != latchkey.RateLimited:
						w.Errorf("try %d: %v", i, err)
					}
				})
			}
			all.Wait()
			if passed.Load() != 3 {
				w.Errorf("%d passed, want 3", passed.Load())
			}
		},
		"keys that nobody tries are forgotten, a few at a time": func(w *world) {
			for i := range 5 {
				w.taken(attempt(fmt.Sprint("old", i), 0))
			}
			w.taken(attempt("young", time.Hour))
			for _, want := range []int{3, 2, 0} {
				got, err := w.store.ForgetAttempts(w.Context(), start.Add(time.Second), 3)
				w.must(err)
				if got != want {
					w.Errorf("forgot %d, want %d", got, want)
				}
			}
			for i := range 3 {
				if wait := w.taken(attempt("young", time.Hour)); (wait == 0) != (i < 2) {
					w.Errorf("the young key's try %d: wait %d", i+2, wait)
				}
			}
		},
	}
}
