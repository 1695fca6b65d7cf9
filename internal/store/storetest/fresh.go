package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
)

func freshFacts() map[string]func(*world) {
	return map[string]func(*world){
		"whatever changes a connection, the next who asks for its credential sees it": func(w *world) {
			connection := w.linked(w.connection("u1", ""))
			bystander := w.linked(w.connection("u2", ""))
			_, untouched := w.credential(bystander)
			before, sealed := w.credential(connection)
			if again, same := w.credential(connection); !cmp.Equal(before, again) || !cmp.Equal(sealed, same) {
				w.Error("asked twice it is not the same")
			}
			for what, change := range w.changesOf() {
				read, was := w.credential(connection)
				w.must(change(read))
				now, is := w.credential(connection)
				if cmp.Equal(read, now) && cmp.Equal(was, is) {
					w.Errorf("%s is not seen", what)
				}
				if _, same := w.credential(bystander); !cmp.Equal(untouched, same) {
					w.Errorf("%s changed another", what)
				}
			}
			read, _ := w.credential(connection)
			expired := ended(read)
			w.must(w.expire(expired))
			if now, is := w.credential(connection); now.Status != latchkey.ConnectionExpired || is.Bytes != nil {
				w.Error("that it has ended is not seen")
			}
			expired.Version, expired.EventSequence = expired.Version+1, expired.EventSequence+1
			w.must(w.store.RemoveConnection(w.Context(), expired, w.event(expired, latchkey.EventConnectionDisconnected),
				w.record(expired, latchkey.AuditDisconnected)))
			_, _, err := w.store.Credential(w.Context(), w.organisation.ID, latchkey.Sandbox, connection.ID)
			w.wants(latchkey.NotFound, err)
		},
		"what one organisation has asked for is not there for another": func(w *world) {
			connection := w.linked(w.connection("u1", ""))
			w.credential(connection)
			_, _, err := w.store.Credential(w.Context(), "org_other", latchkey.Sandbox, connection.ID)
			w.wants(latchkey.NotFound, err)
			_, _, err = w.store.Credential(w.Context(), w.organisation.ID, latchkey.Live, connection.ID)
			w.wants(latchkey.NotFound, err)
		},
	}
}

// changesOf returns what can happen to a connection that stays in use.
func (w *world) changesOf() map[string]func(latchkey.Connection) error {
	ctx := w.Context()
	return map[string]func(latchkey.Connection) error{
		"what the app set": func(read latchkey.Connection) error {
			read.Version++
			read.RateLimit.Burst += 7
			return w.store.UpdateConnection(ctx, read)
		},
		"another credential": func(read latchkey.Connection) error {
			return w.store.ReplaceCredential(ctx, read, sealed("by an answer"), start)
		},
		"a lease": func(read latchkey.Connection) error {
			return w.store.LeaseRefresh(ctx, read, start, start.Add(time.Hour))
		},
		"a credential sealed anew": func(read latchkey.Connection) error {
			_, stored := w.credential(read)
			return w.store.ReplaceSealed(ctx, []latchkey.SealedChange{{
				SealedValue: latchkey.SealedValue{
					Place: latchkey.PlaceCredential, Row: read.ID, OrganisationID: read.OrganisationID,
					Environment: read.Environment, Subject: read.ID, Bytes: stored.Bytes,
				},
				After: append([]byte("anew "), stored.Bytes...),
			}})
		},
		"the app's suspension": func(latchkey.Connection) error {
			suspended := w.app
			suspended.Suspended = !w.app.Suspended
			err := w.store.UpdateClientApp(ctx, w.app, suspended, w.noted(latchkey.AuditAppUpdated, w.app.ID))
			w.app = suspended
			return err
		},
	}
}
