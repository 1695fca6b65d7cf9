package storetest

import (
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/store"
)

// record makes the audit record of an ended connection.
func (w *world) record(connection latchkey.Connection, action latchkey.AuditAction) latchkey.AuditRecord {
	return latchkey.AuditRecord{
		OrganisationID: w.organisation.ID, Environment: latchkey.Sandbox, Actor: w.key.ID, Action: action,
		Subject: connection.ID, Detail: "{}", CreatedAt: start,
	}
}

// ended returns the connection one version on, with the next event.
func ended(connection latchkey.Connection) latchkey.Connection {
	connection.Version++
	connection.EventSequence++
	connection.Status, connection.ExpiredAt = latchkey.ConnectionExpired, start
	return connection
}

func (w *world) expire(connection latchkey.Connection) error {
	return w.store.ExpireConnection(w.Context(), connection, true, w.event(connection, latchkey.EventConnectionExpired),
		w.record(connection, latchkey.AuditInvalidated))
}

// live fails the test unless exactly those of the connections are live.
func (w *world) live(ids []string, want ...string) {
	w.Helper()
	got, err := w.store.LiveConnections(w.Context(), ids)
	w.must(err)
	if !slices.Equal(got, want) {
		w.Errorf("live are %v, want %v", got, want)
	}
}

func connectionFacts() map[string]func(*world) {
	return map[string]func(*world){
		"an expired connection stays on record without its credential": func(w *world) {
			connection := ended(w.linked(w.connection("u1", "")))
			w.must(w.expire(connection))
			got, credential, err := w.store.Credential(w.Context(), w.organisation.ID, latchkey.Sandbox, connection.ID)
			w.must(err)
			if got.Status != latchkey.ConnectionExpired || credential.Bytes != nil {
				w.Errorf("status %s, %d credential bytes", got.Status, len(credential.Bytes))
			}
		},
		"the credential of an ended connection waits for its revocation and vanishes with it": func(w *world) {
			connection := ended(w.linked(w.connection("u1", "")))
			w.must(w.expire(connection))
			claimed, err := w.store.ClaimRevocations(w.Context(), start, 10, time.Minute)
			w.must(err)
			if len(claimed) != 1 || string(claimed[0].Credential) != "credential" || claimed[0].Attempts != 1 ||
				claimed[0].Connection.ID != connection.ID {
				w.Fatalf("claimed %+v", claimed)
			}
			again, err := w.store.ClaimRevocations(w.Context(), start, 10, time.Minute)
			w.must(err)
			if len(again) != 0 {
				w.Error("a leased revocation was claimed again")
			}
			w.must(w.store.FinishRevocation(w.Context(), claimed[0].ID, w.record(connection, latchkey.AuditRevoked)))
			later, err := w.store.ClaimRevocations(w.Context(), start.Add(time.Hour), 10, time.Minute)
			w.must(err)
			if len(later) != 0 {
				w.Error("a finished revocation came back")
			}
		},
		"of many connections those are live that may be used": func(w *world) {
			live, expired, removed := w.linked(w.connection("u1", "")), w.linked(w.connection("u2", "")), w.linked(w.connection("u3", ""))
			w.must(w.expire(ended(expired)))
			gone := ended(removed)
			w.must(w.store.RemoveConnection(w.Context(), gone, w.event(gone, latchkey.EventConnectionDisconnected),
				w.record(gone, latchkey.AuditDisconnected)))
			unknown := latchkey.NewID(rand.Reader, latchkey.PrefixConnection)
			w.live([]string{unknown, live.ID, expired.ID, removed.ID}, live.ID)
			w.live(nil)
			suspended := w.app
			suspended.Suspended, suspended.UpdatedAt = true, start.Add(time.Minute)
			w.must(w.store.UpdateClientApp(w.Context(), w.app, suspended, w.record(live, latchkey.AuditAppUpdated)))
			w.live([]string{live.ID})
			if _, err := w.store.LiveConnections(w.Context(), []string{live.ID, "conn_a'b"}); err == nil {
				w.Error("an id that is none was looked up")
			}
		},
		"a revocation that failed comes back when it is due": func(w *world) {
			w.must(w.expire(ended(w.linked(w.connection("u1", "")))))
			claimed, err := w.store.ClaimRevocations(w.Context(), start, 10, time.Minute)
			w.must(err)
			w.must(w.store.PostponeRevocation(w.Context(), claimed[0].ID, start.Add(5*time.Second)))
			early, err := w.store.ClaimRevocations(w.Context(), start.Add(4*time.Second), 10, time.Minute)
			w.must(err)
			due, err := w.store.ClaimRevocations(w.Context(), start.Add(5*time.Second), 10, time.Minute)
			w.must(err)
			if len(early) != 0 || len(due) != 1 || due[0].Attempts != 2 {
				w.Errorf("early %d, due %d", len(early), len(due))
			}
		},
		"a removed connection is gone and its account can be linked anew": func(w *world) {
			connection := ended(w.linked(w.connection("u1", "user_1")))
			w.must(w.store.RemoveConnection(w.Context(), connection,
				w.event(connection, latchkey.EventConnectionDisconnected), w.record(connection, latchkey.AuditDisconnected)))
			_, err := w.store.Connection(w.Context(), w.organisation.ID, latchkey.Sandbox, connection.ID)
			w.wants(latchkey.NotFound, err)
			w.linked(w.connection("u1", "user_1"))
		},
		"of 8 that end a connection at once one does, with one event": func(w *world) {
			w.endpoint("connection.expired")
			connection := ended(w.linked(w.connection("u1", "")))
			won, _ := w.race(8, func(int) error { return w.expire(connection) })
			claimed, err := w.take(start, 10, time.Minute)
			w.must(err)
			if won != 1 || len(claimed) != 1 {
				w.Errorf("%d ended it, %d deliveries", won, len(claimed))
			}
		},
		"a connection is written without a session, once for an account and reference": func(w *world) {
			w.endpoint("connection.created", "connection.updated")
			first := w.connection("u1", "user_1")
			first.Imported, first.LastCheckedAt = true, start
			write := func(connection latchkey.Connection, event latchkey.EventType) error {
				return w.store.WriteConnection(w.Context(), connection, sealed(string(event)), latchkey.Consequences{
					Events:  []latchkey.Event{w.event(connection, event)},
					Records: []latchkey.AuditRecord{w.record(connection, latchkey.AuditImported)},
				})
			}
			w.must(write(first, latchkey.EventConnectionCreated))
			twin, ok := errors.AsType[*store.TwinError](write(w.connection("u1", "user_1"), latchkey.EventConnectionCreated))
			if !ok || twin.Existing.ID != first.ID {
				w.Fatalf("a second one met %v", twin)
			}
			second := first
			second.Version, second.EventSequence, second.User.Name = 2, 2, "Ada L."
			second.LastCheckedAt = start.Add(time.Hour)
			w.must(write(second, latchkey.EventConnectionUpdated))
			if _, ok := errors.AsType[*store.TwinError](write(second, latchkey.EventConnectionUpdated)); !ok {
				w.Error("a late change was taken")
			}
			got, credential, err := w.store.Credential(w.Context(), w.organisation.ID, latchkey.Sandbox, first.ID)
			w.must(err)
			if diff := cmp.Diff(second, got); diff != "" || string(credential.Bytes) != string(latchkey.EventConnectionUpdated) {
				w.Errorf("the credential is %q (-want +got):\n%s", credential.Bytes, diff)
			}
			records, err := w.store.AuditOf(w.Context(), w.organisation.ID, first.ID)
			w.must(err)
			claimed, err := w.take(start, 10, time.Minute)
			w.must(err)
			if len(records) != 2 || len(claimed) != 1 { // the second waits for the first
				w.Errorf("%d records and %d deliveries", len(records), len(claimed))
			}
			gone := w.connection("u2", "")
			gone.Version = 2
			w.wants(latchkey.Conflict, write(gone, latchkey.EventConnectionUpdated))
		},
		"of 16 that write a connection of the same account at once one makes it": func(w *world) {
			won, lost := w.race(16, func(int) error {
				return w.store.WriteConnection(w.Context(), w.connection("u1", ""), sealed("c"), latchkey.Consequences{})
			})
			if won != 1 || lost != 15 {
				w.Errorf("%d won and %d lost", won, lost)
			}
		},
		"what an app sets of a connection leaves its credential and status alone": func(w *world) {
			connection := w.linked(w.connection("u1", "user_1"))
			changed := connection
			changed.Version, changed.UpdatedAt = 2, start.Add(time.Minute)
			changed.RateLimit, changed.Metadata = latchkey.RateLimit{PerMinute: 5, Burst: 7}, map[string]string{"a": "b"}
			w.must(w.store.UpdateConnection(w.Context(), changed))
			w.wants(latchkey.Conflict, w.store.UpdateConnection(w.Context(), changed))
			got, credential, err := w.store.Credential(w.Context(), w.organisation.ID, latchkey.Sandbox, connection.ID)
			w.must(err)
			if diff := cmp.Diff(changed, got); diff != "" || string(credential.Bytes) != "credential" {
				w.Errorf("the credential is %q (-want +got):\n%s", credential.Bytes, diff)
			}
			expired := ended(changed)
			w.must(w.expire(expired))
			again := expired
			again.Version, again.Status, again.Metadata = again.Version+1, latchkey.ConnectionActive, nil
			w.must(w.store.UpdateConnection(w.Context(), again))
			got, credential, err = w.store.Credential(w.Context(), w.organisation.ID, latchkey.Sandbox, connection.ID)
			w.must(err)
			if got.Status != latchkey.ConnectionExpired || credential.Bytes != nil || got.Metadata != nil {
				w.Errorf("afterwards it is %s with %q", got.Status, credential.Bytes)
			}
		},
		"a login without a session is promised to be ended": func(w *world) {
			connection := w.connection("u1", "")
			w.must(w.store.KeepRevocation(w.Context(), latchkey.Revocation{
				ID: latchkey.RevocationID(connection.ID, 1), Connection: connection, Credential: []byte("sealed"), CreatedAt: start,
			}))
			claimed, err := w.store.ClaimRevocations(w.Context(), start, 10, time.Minute)
			w.must(err)
			if len(claimed) != 1 || string(claimed[0].Credential) != "sealed" || claimed[0].Connection.User.ID != "u1" {
				w.Errorf("claimed %+v", claimed)
			}
		},
		"connections are listed newest first, filtered and paged": func(w *world) {
			for i, reference := range []string{"a", "b", "b", "c"} {
				connection := w.connection(string(rune('k'+i)), reference)
				connection.CreatedAt = start.Add(time.Duration(i) * time.Second)
				w.linked(connection)
			}
			filter := latchkey.ConnectionFilter{
				OrganisationID: w.organisation.ID, Environment: latchkey.Sandbox, Limit: 3,
			}
			w.wantsList(filter, []string{"n", "m", "l"}, true)
			filter.Offset = 3
			w.wantsList(filter, []string{"k"}, false)
			filter.Offset, filter.ClientReferenceID = 0, "b"
			w.wantsList(filter, []string{"m", "l"}, false)
			filter.Provider = "other"
			w.wantsList(filter, nil, false)
			filter.Provider, filter.Status = "", latchkey.ConnectionExpired
			w.wantsList(filter, nil, false)
			imported := true
			filter.Status, filter.Imported = "", &imported
			w.wantsList(filter, nil, false)
			imported = false
			w.wantsList(filter, []string{"m", "l"}, false)
			filter.Environment = latchkey.Live
			w.wantsList(filter, nil, false)
		},
	}
}

// wantsList checks the upstream ids of a list and whether it says there are
// more.
func (w *world) wantsList(filter latchkey.ConnectionFilter, want []string, wantMore bool) {
	w.Helper()
	list, more, err := w.store.Connections(w.Context(), filter)
	w.must(err)
	var got []string
	for _, connection := range list {
		got = append(got, connection.User.ID)
	}
	if len(got) != len(want) || more != wantMore {
		w.Errorf("got %v and more=%v, want %v and %v", got, more, want, wantMore)
		return
	}
	for i := range got {
		if got[i] != want[i] {
			w.Errorf("got %v, want %v", got, want)
		}
	}
}
