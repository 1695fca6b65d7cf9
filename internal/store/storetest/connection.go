package storetest

import (
	"time"

	"latchkey"
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
			w.must(w.store.FinishRevocation(w.Context(), claimed[0].ID))
			later, err := w.store.ClaimRevocations(w.Context(), start.Add(time.Hour), 10, time.Minute)
			w.must(err)
			if len(later) != 0 {
				w.Error("a finished revocation came back")
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
			claimed, err := w.store.ClaimDeliveries(w.Context(), start, 10, time.Minute)
			w.must(err)
			if won != 1 || len(claimed) != 1 {
				w.Errorf("%d ended it, %d deliveries", won, len(claimed))
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
