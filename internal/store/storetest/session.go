package storetest

import (
	"errors"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
)

func sessionFacts() map[string]func(*world) {
	return map[string]func(*world){
		"sessions are listed by when they were created": func(w *world) {
			session := w.storedSession()
			for name, each := range map[string]struct {
				from, to time.Time
				want     int
			}{
				"any time": {want: 1}, "from then": {from: start, want: 1}, "after": {from: start.Add(time.Second)},
				"until then": {to: start}, "until later": {to: start.Add(time.Second), want: 1},
			} {
				list, more, err := w.store.LinkSessions(w.Context(), latchkey.SessionFilter{
					OrganisationID: session.OrganisationID, Environment: session.Environment, From: each.from, To: each.to, Limit: 10,
				})
				w.must(err)
				if len(list) != each.want || more {
					w.Errorf("%s: %d sessions, want %d", name, len(list), each.want)
				}
			}
		},
		"a session is found by its secret's hash just as it was stored": func(w *world) {
			session := w.storedSession()
			got, err := w.store.LinkSessionBySecret(w.Context(), session.SecretHash)
			w.must(err)
			if diff := cmp.Diff(session, got); diff != "" {
				w.Error(diff)
			}
		},
		"a session is found by its id only within its organisation and environment": func(w *world) {
			session := w.storedSession()
			got, err := w.store.LinkSession(w.Context(), w.organisation.ID, latchkey.Sandbox, session.ID)
			w.must(err)
			if got.SecretHash != session.SecretHash {
				w.Error("another session came back")
			}
			_, err = w.store.LinkSession(w.Context(), w.organisation.ID, latchkey.Live, session.ID)
			w.wants(latchkey.NotFound, err)
			_, err = w.store.LinkSession(w.Context(), "org_other", latchkey.Sandbox, session.ID)
			w.wants(latchkey.NotFound, err)
		},
		"an unknown secret opens nothing": func(w *world) {
			_, err := w.store.LinkSessionBySecret(w.Context(), "nothing")
			w.wants(latchkey.NotFound, err)
		},
		"a step replaces the version that it read": func(w *world) {
			session := w.storedSession()
			next := advanced(session, latchkey.StateAuthorization)
			next.Progress.Provider, next.Flow = "sandbox", []byte{1, 2, 3}
			next.LeaseUntil = start.Add(time.Minute)
			w.must(w.store.AdvanceLinkSession(w.Context(), next, session.Version, latchkey.Consequences{}))
			got, err := w.store.LinkSessionBySecret(w.Context(), session.SecretHash)
			w.must(err)
			if diff := cmp.Diff(next, got); diff != "" {
				w.Error(diff)
			}
		},
		"of 32 steps from the same version one wins": func(w *world) {
			session := w.storedSession()
			won, lost := w.race(32, func(int) error {
				next := advanced(session, latchkey.StateAuthorization)
				return w.store.AdvanceLinkSession(w.Context(), next, session.Version, latchkey.Consequences{})
			})
			if won != 1 || lost != 31 {
				w.Errorf("%d won and %d lost", won, lost)
			}
		},
		"a lost step leaves neither its events nor its audit records": func(w *world) {
			w.endpoint("*")
			session := w.storedSession()
			next := advanced(session, latchkey.StateDenied)
			event := latchkey.Event{
				ID: "evt_1", OrganisationID: w.organisation.ID, Environment: latchkey.Sandbox,
				Type: latchkey.EventSessionCancelled, Subject: session.ID, Sequence: 2, Body: []byte("{}"), CreatedAt: start,
			}
			record := latchkey.AuditRecord{
				OrganisationID: w.organisation.ID, Environment: latchkey.Sandbox, Actor: session.ID,
				Action: latchkey.AuditConsent, Subject: session.ID, Detail: "{}", CreatedAt: start,
			}
			err := w.store.AdvanceLinkSession(w.Context(), next, 99,
				latchkey.Consequences{Events: []latchkey.Event{event}, Records: []latchkey.AuditRecord{record}})
			w.wants(latchkey.Conflict, err)
			records, err := w.store.AuditOf(w.Context(), w.organisation.ID, session.ID)
			w.must(err)
			claimed, err := w.store.ClaimDeliveries(w.Context(), start.Add(time.Hour), 10, time.Minute)
			w.must(err)
			if len(records) != 0 || len(claimed) != 0 {
				w.Errorf("%d records and %d deliveries are left", len(records), len(claimed))
			}
		},
		"a step keeps its audit record": func(w *world) {
			session := w.storedSession()
			record := latchkey.AuditRecord{
				OrganisationID: w.organisation.ID, Environment: latchkey.Sandbox, Actor: session.ID,
				Action: latchkey.AuditConsent, Subject: session.ID, Detail: `{"text":1}`, CreatedAt: start,
			}
			w.must(w.store.AdvanceLinkSession(w.Context(), advanced(session, latchkey.StateTrying), 1,
				latchkey.Consequences{Records: []latchkey.AuditRecord{record}}))
			records, err := w.store.AuditOf(w.Context(), w.organisation.ID, session.ID)
			w.must(err)
			covered, err := w.store.VerifyAudit(w.Context(), w.organisation.ID)
			w.must(err)
			if covered != 1 || len(records) != 1 || records[0].Chain.Number != 1 {
				w.Fatalf("the chain covers %d records: %v", covered, records)
			}
			record.Chain = records[0].Chain
			if diff := cmp.Diff([]latchkey.AuditRecord{record}, records); diff != "" {
				w.Error(diff)
			}
		},
		"sessions past their time are found until they have ended": func(w *world) {
			open, ended, young := w.storedSession(), w.storedSession(), w.session()
			young.ExpiresAt = start.Add(2 * time.Hour)
			w.must(w.store.CreateLinkSession(w.Context(), young))
			w.must(w.store.AdvanceLinkSession(w.Context(), advanced(ended, latchkey.StateDenied), 1, latchkey.Consequences{}))
			overdue, err := w.store.OverdueLinkSessions(w.Context(), start.Add(time.Hour), 10)
			w.must(err)
			if len(overdue) != 1 || overdue[0].ID != open.ID {
				w.Errorf("got %d overdue sessions, want just the open one", len(overdue))
			}
		},
		"many sessions at once are all kept": func(w *world) {
			const n = 300
			sessions := make([]*latchkey.LinkSession, n)
			for i := range sessions {
				sessions[i] = w.session()
			}
			won, _ := w.race(n, func(i int) error { return w.store.CreateLinkSession(w.Context(), sessions[i]) })
			if won != n {
				w.Fatalf("%d of %d were acknowledged", won, n)
			}
			for _, session := range sessions {
				_, err := w.store.LinkSessionBySecret(w.Context(), session.SecretHash)
				w.must(err)
			}
		},
		"a session that breaks a rule does not take its neighbours down": func(w *world) {
			first := w.storedSession()
			failures := 0
			won, _ := w.race(64, func(i int) error {
				session := w.session()
				if i%2 == 0 {
					session.SecretHash = first.SecretHash // taken
				}
				err := w.store.CreateLinkSession(w.Context(), session)
				if err != nil && i%2 == 0 {
					return latchkey.Errorf(latchkey.Conflict, "refused, as it must be")
				}
				if err == nil && i%2 == 0 {
					return errors.New("a taken secret was accepted")
				}
				return err
			})
			if won != 32 || failures != 0 {
				w.Errorf("%d of 32 good sessions were kept", won)
			}
		},
	}
}
