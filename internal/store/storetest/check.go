package storetest

import (
	"fmt"
	"time"

	"latchkey"
)

// written stores a new connection with what is planned for its credential.
func (w *world) written(upstream string, planned latchkey.SealedCredential) latchkey.Connection {
	w.Helper()
	connection := w.connection(upstream, "")
	w.must(w.store.WriteConnection(w.Context(), connection, planned, latchkey.Consequences{}))
	return connection
}

// checkAt is a credential of which the provider is asked at the time.
func checkAt(at time.Time) latchkey.SealedCredential {
	return latchkey.SealedCredential{Bytes: []byte("c"), CheckAt: at}
}

// due claims what of the provider is due at the time.
func (w *world) due(now time.Time) []latchkey.DueCheck {
	w.Helper()
	claimed, err := w.store.ClaimChecks(w.Context(), "sandbox", now, 1000, time.Minute)
	w.must(err)
	return claimed
}

func checkFacts() map[string]func(*world) {
	return map[string]func(*world){
		"a connection is checked when it is due, by one, and again when the lease is over": func(w *world) {
			connection := w.written("u1", checkAt(start))
			w.written("u2", checkAt(start.Add(time.Hour)))
			w.written("u3", checkAt(time.Time{})) // never
			early, first, again := w.due(start.Add(-time.Second)), w.due(start), w.due(start)
			if len(early) != 0 || len(first) != 1 || len(again) != 0 || first[0].Connection.ID != connection.ID {
				w.Fatalf("claimed %d, %d, %d", len(early), len(first), len(again))
			}
			later := w.due(start.Add(time.Minute))
			if len(later) != 1 {
				w.Fatalf("after the lease %d are due", len(later))
			}
			late := latchkey.CheckOutcome{CheckedAt: start, NextAt: start.Add(2 * time.Hour), Failures: 9}
			w.must(w.store.FinishCheck(w.Context(), first[0], late)) // whose lease is over
			if got, _ := w.credential(connection); !got.LastCheckedAt.IsZero() {
				w.Error("who lost the lease finished")
			}
			if other, err := w.store.ClaimChecks(w.Context(), "other", start.Add(99*time.Hour), 9, time.Minute); err != nil || len(other) != 0 {
				w.Errorf("of another provider %d are due, %v", len(other), err)
			}
		},
		"a look tells which providers have something to claim, and claims nothing": func(w *world) {
			w.written("u9", checkAt(start))
			w.leased()
			look := func(now time.Time, providers ...string) string {
				due, interrupted, err := w.store.DueChecks(w.Context(), providers, now)
				w.must(err)
				return fmt.Sprint(due, interrupted)
			}
			for range 2 {
				for _, c := range [][2]string{
					{look(start.Add(-time.Second), "other", "sandbox"), "[] false"}, {look(start, "other", "sandbox"), "[sandbox] false"},
					{look(refreshUntil, "other"), "[] true"}, {look(refreshUntil), "[] true"},
				} {
					if c[0] != c[1] {
						w.Errorf("due are %s, want %s", c[0], c[1])
					}
				}
			}
			w.due(start)
			if got := look(start, "sandbox"); got != "[] false" {
				w.Errorf("after the claim due are %s", got)
			}
		},
		"of 8 that claim checks at once each gets others": func(w *world) {
			for i := range 40 {
				w.written(string(rune('a'+i)), checkAt(start))
			}
			seen := make(chan string, 100)
			w.race(8, func(int) error {
				claimed, err := w.store.ClaimChecks(w.Context(), "sandbox", start, 5, time.Minute)
				for _, check := range claimed {
					seen <- check.Connection.ID
				}
				return err
			})
			close(seen)
			different := map[string]bool{}
			for id := range seen {
				if different[id] {
					w.Errorf("%s was claimed twice", id)
				}
				different[id] = true
			}
			if rest := w.due(start); len(rest)+len(different) != 40 {
				w.Errorf("%d were claimed and %d were left", len(different), len(rest))
			}
		},
		"a check is no change of its connection": func(w *world) {
			connection := w.written("u1", checkAt(start))
			claimed := w.due(start)
			changed := connection
			changed.Version, changed.Metadata = 2, map[string]string{"a": "b"}
			w.must(w.store.UpdateConnection(w.Context(), changed))
			at := start.Add(time.Second)
			w.must(w.store.FinishCheck(w.Context(), claimed[0], latchkey.CheckOutcome{CheckedAt: at, NextAt: start.Add(time.Hour), At: at}))
			got, _ := w.credential(connection)
			if got.Version != 2 || !got.LastCheckedAt.Equal(at) || !got.UpdatedAt.Equal(changed.UpdatedAt) || got.EventSequence != 1 {
				w.Errorf("afterwards it is %+v", got)
			}
			w.must(w.expire(ended(got)))
		},
		"a check that came to nothing keeps the last success and counts": func(w *world) {
			connection := w.written("u1", checkAt(start))
			for i := range 3 {
				at := start.Add(time.Duration(i) * time.Hour)
				claimed := w.due(at)
				if len(claimed) != 1 || claimed[0].Failures != i {
					w.Fatalf("claim %d: %+v", i, claimed)
				}
				w.must(w.store.FinishCheck(w.Context(), claimed[0], latchkey.CheckOutcome{NextAt: at.Add(time.Hour), Failures: i + 1, At: at}))
			}
			if got, _ := w.credential(connection); !got.LastCheckedAt.IsZero() {
				w.Errorf("last checked at %v", got.LastCheckedAt)
			}
		},
		"the next check is not later than the known end, and one that ended is not due for ever": func(w *world) {
			planned := checkAt(start)
			planned.EndsAt = start.Add(time.Hour)
			w.written("u1", planned)
			never := checkAt(start)
			w.written("u2", never)
			for _, check := range w.due(start) {
				w.must(w.store.FinishCheck(w.Context(), check, latchkey.CheckOutcome{At: start})) // never
			}
			if early := w.due(start.Add(59 * time.Minute)); len(early) != 0 {
				w.Errorf("%d are due before the end", len(early))
			}
			end := start.Add(time.Hour)
			at := w.due(end)
			if len(at) != 1 {
				w.Fatalf("%d are due at the end", len(at))
			}
			w.must(w.store.FinishCheck(w.Context(), at[0], latchkey.CheckOutcome{NextAt: end.Add(time.Minute), Failures: 1, At: end}))
			if len(w.due(end)) != 0 || len(w.due(end.Add(time.Minute))) != 1 {
				w.Error("after its end it is not due in its turn")
			}
		},
		"a connection that ended or was linked anew is not what was claimed": func(w *world) {
			connection := w.written("u1", checkAt(start))
			claimed := w.due(start)
			anew := connection
			anew.Version, anew.EventSequence = 2, 2
			w.must(w.store.WriteConnection(w.Context(), anew, checkAt(start.Add(time.Hour)), latchkey.Consequences{}))
			w.must(w.store.FinishCheck(w.Context(), claimed[0], latchkey.CheckOutcome{NextAt: start, Failures: 5, At: start}))
			next := w.due(start.Add(time.Hour))
			if len(next) != 1 || next[0].Failures != 0 {
				w.Fatalf("linked anew: %+v", next)
			}
			w.must(w.expire(ended(anew)))
			w.must(w.store.FinishCheck(w.Context(), next[0], latchkey.CheckOutcome{NextAt: start, At: start}))
			if due := w.due(start.Add(9 * time.Hour)); len(due) != 0 {
				w.Errorf("%d that have ended are due", len(due))
			}
		},
		"a refresh that was cut short is due when its lease is over": func(w *world) {
			connection := w.leased()
			interrupted := func(now time.Time) []latchkey.DueCheck {
				claimed, err := w.store.ClaimInterrupted(w.Context(), now, 10, time.Minute)
				w.must(err)
				return claimed
			}
			early, first, again := interrupted(refreshUntil.Add(-1)), interrupted(refreshUntil), interrupted(refreshUntil)
			if len(early) != 0 || len(first) != 1 || len(again) != 0 || first[0].Connection.ID != connection.ID {
				w.Fatalf("claimed %d, %d, %d", len(early), len(first), len(again))
			}
			w.must(w.store.FinishCheck(w.Context(), first[0], latchkey.CheckOutcome{NextAt: start.Add(time.Hour), Failures: 1, At: start}))
			if due := interrupted(start.Add(59 * time.Minute)); len(due) != 0 {
				w.Error("it is due again before its turn")
			}
		},
		"an app is warned of a known end once": func(w *world) {
			w.endpoint("connection.expiring")
			planned := checkAt(time.Time{})
			planned.WarnAt, planned.EndsAt = start, start.Add(time.Hour)
			connection := w.written("u1", planned)
			w.written("u2", checkAt(start))
			if early, err := w.store.ExpiringConnections(w.Context(), start.Add(-1), 10); err != nil || len(early) != 0 {
				w.Fatalf("%d are early, %v", len(early), err)
			}
			due, err := w.store.ExpiringConnections(w.Context(), start, 10)
			w.must(err)
			if len(due) != 1 || due[0].Connection.ID != connection.ID || !due[0].EndsAt.Equal(planned.EndsAt) {
				w.Fatalf("due are %+v", due)
			}
			warned := due[0].Connection
			warned.Version, warned.EventSequence = 2, 2
			won, lost := w.race(4, func(int) error {
				return w.store.WarnConnection(w.Context(), warned, w.event(warned, latchkey.EventConnectionExpiring))
			})
			if won != 1 || lost != 3 || len(w.claim()) != 1 {
				w.Errorf("%d warned, %d lost", won, lost)
			}
			w.must(w.store.LeaseRefresh(w.Context(), warned, start, refreshUntil))
			same := planned
			w.must(w.refresh(warned, same)) // of the same end
			if due, err := w.store.ExpiringConnections(w.Context(), start.Add(time.Hour), 10); err != nil || len(due) != 0 {
				w.Errorf("%d are warned of again, %v", len(due), err)
			}
			got, _ := w.credential(connection)
			w.must(w.store.LeaseRefresh(w.Context(), got, start, refreshUntil))
			same.EndsAt, same.WarnAt = start.Add(9*time.Hour), start.Add(8*time.Hour)
			w.must(w.refresh(got, same))
			if due, err := w.store.ExpiringConnections(w.Context(), start.Add(8*time.Hour), 10); err != nil || len(due) != 1 {
				w.Errorf("%d are warned of a later end, %v", len(due), err)
			}
		},
	}
}
