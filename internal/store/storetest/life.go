package storetest

import (
	"time"

	"latchkey"
)

// lease of a refresh in these facts.
var refreshUntil = start.Add(time.Minute)

// leased stores a connection and takes the lease of its refresh.
func (w *world) leased() latchkey.Connection {
	w.Helper()
	connection := w.linked(w.connection("u1", ""))
	w.must(w.store.LeaseRefresh(w.Context(), connection, start, refreshUntil))
	return connection
}

// credential reads the connection with what is sealed of it.
func (w *world) credential(connection latchkey.Connection) (latchkey.Connection, latchkey.SealedCredential) {
	w.Helper()
	got, credential, err := w.store.Credential(w.Context(), w.organisation.ID, latchkey.Sandbox, connection.ID)
	w.must(err)
	return got, credential
}

// refresh ends the lease with a fresh credential.
func (w *world) refresh(connection latchkey.Connection, fresh latchkey.SealedCredential) error {
	return w.store.RefreshCredential(w.Context(), connection, refreshUntil, fresh, start)
}

func refreshFacts() map[string]func(*world) {
	return map[string]func(*world){
		"a refresh that was begun shows until it has ended": func(w *world) {
			connection := w.leased()
			if _, credential := w.credential(connection); !credential.RefreshBegun.Equal(refreshUntil) {
				w.Errorf("the lease shows as %v", credential.RefreshBegun)
			}
			w.must(w.store.ReleaseRefresh(w.Context(), connection, refreshUntil))
			w.wants(latchkey.Conflict, w.store.ReleaseRefresh(w.Context(), connection, refreshUntil))
			got, credential := w.credential(connection)
			if !credential.RefreshBegun.IsZero() || got.Version != connection.Version {
				w.Errorf("after the release: %v, version %d", credential.RefreshBegun, got.Version)
			}
			w.must(w.store.LeaseRefresh(w.Context(), connection, start, refreshUntil))
		},
		"a refresh keeps the credential before until the new one is proved": func(w *world) {
			connection := w.leased()
			w.must(w.refresh(connection, sealed("fresh")))
			got, credential := w.credential(connection)
			if string(credential.Bytes) != "fresh" || !credential.Unproved || !credential.RefreshBegun.IsZero() || got.Version != 2 {
				w.Fatalf("it is %+v at version %d", credential, got.Version)
			}
			w.must(w.store.ProveCredential(w.Context(), got))
			got, credential = w.credential(connection)
			if credential.Unproved || got.Version != 2 {
				w.Errorf("proved, it is %+v at version %d", credential, got.Version)
			}
			w.wants(latchkey.Conflict, w.store.RestoreCredential(w.Context(), got, start))
		},
		"a credential that never worked gives way to the one before, which is stale": func(w *world) {
			connection := w.leased()
			w.must(w.refresh(connection, sealed("fresh")))
			got, _ := w.credential(connection)
			w.must(w.store.RestoreCredential(w.Context(), got, start))
			w.wants(latchkey.Conflict, w.store.RestoreCredential(w.Context(), got, start))
			_, credential := w.credential(connection)
			if string(credential.Bytes) != "credential" || credential.Unproved || !credential.ExpiresAt.Equal(start) {
				w.Errorf("it is %+v", credential)
			}
			got, _ = w.credential(connection)
			for i, unproved := range []bool{false, true} { // only the first refresh after it keeps nothing
				w.must(w.store.LeaseRefresh(w.Context(), got, start, refreshUntil))
				w.must(w.refresh(got, sealed("once more")))
				if got, credential = w.credential(connection); credential.Unproved != unproved {
					w.Errorf("refresh %d after it is unproved: %t", i, credential.Unproved)
				}
			}
		},
		"a refresh wins over other changes, and loses to another's lease, a new link and an end": func(w *world) {
			connection := w.leased()
			changed := connection
			changed.Version, changed.Metadata = 2, map[string]string{"a": "b"}
			w.must(w.store.UpdateConnection(w.Context(), changed))
			w.must(w.refresh(connection, sealed("fresh")))
			if got, credential := w.credential(connection); string(credential.Bytes) != "fresh" || got.Metadata["a"] != "b" {
				w.Errorf("it is %q with %v", credential.Bytes, got.Metadata)
			}
			w.wants(latchkey.Conflict, w.refresh(connection, sealed("late")))

			anew, _ := w.credential(connection)
			w.must(w.store.LeaseRefresh(w.Context(), anew, start, refreshUntil))
			anew.Version++
			anew.EventSequence++
			w.must(w.store.WriteConnection(w.Context(), anew, sealed("linked anew"), latchkey.Consequences{}))
			w.wants(latchkey.Conflict, w.refresh(anew, sealed("late")))

			w.must(w.store.LeaseRefresh(w.Context(), anew, start, refreshUntil))
			w.wants(latchkey.Conflict, w.store.RefreshCredential(w.Context(), anew, refreshUntil.Add(time.Second), sealed("late"), start))
			w.must(w.expire(ended(anew)))
			w.wants(latchkey.Conflict, w.refresh(anew, sealed("late")))
			if _, credential := w.credential(anew); credential.Bytes != nil || credential.Unproved || !credential.RefreshBegun.IsZero() {
				w.Errorf("an ended connection has %+v", credential)
			}
		},
		"an ended or changed connection gives no lease": func(w *world) {
			connection := w.linked(w.connection("u1", ""))
			stale := connection
			stale.Version = 7
			w.wants(latchkey.Conflict, w.store.LeaseRefresh(w.Context(), stale, start, refreshUntil))
			expired := ended(connection)
			w.must(w.expire(expired))
			w.wants(latchkey.Conflict, w.store.LeaseRefresh(w.Context(), expired, start, refreshUntil))
		},
		"the end of a revocation and the receipt of it are one": func(w *world) {
			connection := ended(w.linked(w.connection("u1", "")))
			w.must(w.expire(connection))
			id := latchkey.RevocationID(connection.ID, connection.Version)
			receipt := func(action latchkey.AuditAction) latchkey.AuditRecord { return w.record(connection, action) }
			w.must(w.store.PostponeRevocation(w.Context(), id, start, receipt(latchkey.AuditRevocationFailed)))
			w.must(w.store.PostponeRevocation(w.Context(), id, start))
			w.must(w.store.FinishRevocation(w.Context(), id, receipt(latchkey.AuditRevoked)))
			w.must(w.store.FinishRevocation(w.Context(), id, receipt(latchkey.AuditRevoked)))
			w.must(w.store.PostponeRevocation(w.Context(), id, start, receipt(latchkey.AuditRevocationFailed)))
			records, err := w.store.AuditOf(w.Context(), w.organisation.ID, connection.ID)
			w.must(err)
			var actions []latchkey.AuditAction
			for _, record := range records {
				actions = append(actions, record.Action)
			}
			if len(actions) != 3 || actions[1] != latchkey.AuditRevocationFailed || actions[2] != latchkey.AuditRevoked {
				w.Errorf("the record says %v", actions)
			}
		},
	}
}
