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
			claimed, err := w.take(start.Add(time.Hour), 10, time.Minute)
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
		"sessions are listed newest first, filtered and paged": func(w *world) {
			var made []*latchkey.LinkSession
			for i, reference := range []string{"a", `"b"`, `"b"`, "a", ""} {
				session := w.session()
				session.CreatedAt, session.Request.ClientReferenceID = start.Add(time.Duration(i)*time.Second), reference
				w.must(w.store.CreateLinkSession(w.Context(), session))
				made = append(made, session)
			}
			w.must(w.store.AdvanceLinkSession(w.Context(), advanced(made[3], latchkey.StateDenied), 1, latchkey.Consequences{}))
			all := latchkey.SessionFilter{OrganisationID: w.organisation.ID, Environment: latchkey.Sandbox, Limit: 10}
			for name, c := range map[string]struct {
				change func(*latchkey.SessionFilter)
				want   []int
				more   bool
			}{
				"all":                  {func(*latchkey.SessionFilter) {}, []int{4, 3, 2, 1, 0}, false},
				"a page":               {func(f *latchkey.SessionFilter) { f.Limit, f.Offset = 2, 1 }, []int{3, 2}, true},
				"the last page":        {func(f *latchkey.SessionFilter) { f.Limit, f.Offset = 2, 3 }, []int{1, 0}, false},
				"a reference":          {func(f *latchkey.SessionFilter) { f.ClientReferenceID = `"b"` }, []int{2, 1}, false},
				"half a reference":     {func(f *latchkey.SessionFilter) { f.ClientReferenceID = `"b` }, nil, false},
				"a status":             {func(f *latchkey.SessionFilter) { f.Status = latchkey.StatusDenied }, []int{3}, false},
				"two filters":          {func(f *latchkey.SessionFilter) { f.Status, f.ClientReferenceID = latchkey.StatusInitialized, "a" }, []int{0}, false},
				"an app":               {func(f *latchkey.SessionFilter) { f.ClientAppID = w.app.ID }, []int{4, 3, 2, 1, 0}, false},
				"another app":          {func(f *latchkey.SessionFilter) { f.ClientAppID = "app_other" }, nil, false},
				"from a time":          {func(f *latchkey.SessionFilter) { f.From = made[3].CreatedAt }, []int{4, 3}, false},
				"until a time":         {func(f *latchkey.SessionFilter) { f.To = made[1].CreatedAt }, []int{0}, false},
				"between":              {func(f *latchkey.SessionFilter) { f.From, f.To = made[1].CreatedAt, made[3].CreatedAt }, []int{2, 1}, false},
				"another environment":  {func(f *latchkey.SessionFilter) { f.Environment = latchkey.Live }, nil, false},
				"another organisation": {func(f *latchkey.SessionFilter) { f.OrganisationID = "org_other" }, nil, false},
			} {
				filter := all
				c.change(&filter)
				list, more, err := w.store.LinkSessions(w.Context(), filter)
				w.must(err)
				var got, want []string
				for _, session := range list {
					got = append(got, session.ID)
				}
				for _, i := range c.want {
					want = append(want, made[i].ID)
				}
				if diff := cmp.Diff(want, got); diff != "" || more != c.more {
					w.Errorf("%s: more %v (-want +got):\n%s", name, more, diff)
				}
			}
		},
		"a session says whether its client app is suspended": func(w *world) {
			session, app := w.storedSession(), w.app
			app.Suspended, app.UpdatedAt = true, app.UpdatedAt.Add(time.Microsecond)
			w.must(w.store.UpdateClientApp(w.Context(), w.app, app, w.noted(latchkey.AuditAppUpdated, app.ID)))
			bySecret, err := w.store.LinkSessionBySecret(w.Context(), session.SecretHash)
			w.must(err)
			byID, err := w.store.LinkSession(w.Context(), w.organisation.ID, latchkey.Sandbox, session.ID)
			w.must(err)
			if !bySecret.AppSuspended || !byID.AppSuspended {
				w.Errorf("by its secret it says %v, by its id %v", bySecret.AppSuspended, byID.AppSuspended)
			}
		},
		"a step takes its time, its tries and its promises with it": func(w *world) {
			session, connection := w.storedSession(), w.connection("u1", "")
			next := advanced(session, latchkey.StateConfirm)
			next.ExpiresAt, next.Progress.CodeHash = start.Add(10*time.Minute), "hash"
			w.must(w.store.AdvanceLinkSession(w.Context(), next, 1, latchkey.Consequences{
				Take: []latchkey.Attempt{attempt("a", 0)}, Revocations: []latchkey.Revocation{{
					ID: latchkey.RevocationID(connection.ID, 1), Connection: connection, Credential: []byte("sealed"), CreatedAt: start,
				}},
			}))
			got, err := w.store.LinkSessionBySecret(w.Context(), session.SecretHash)
			w.must(err)
			if diff := cmp.Diff(next, got); diff != "" {
				w.Error(diff)
			}
			claimed, err := w.store.ClaimRevocations(w.Context(), start, 10, time.Minute)
			w.must(err)
			if len(claimed) != 1 || w.taken(attempt("a", 0), attempt("a", 1)) != 0 || w.taken(attempt("a", 2)) == 0 {
				w.Errorf("%d promises, and tries that were not counted", len(claimed))
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
