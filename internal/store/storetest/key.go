package storetest

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"sync"
	"time"

	"latchkey"
)

// dataKey makes a data key of the world's organisation.
func (w *world) dataKey(id int64, by string) latchkey.DataKey {
	return latchkey.DataKey{
		ID: id, OrganisationID: w.organisation.ID, Wrapped: []byte("wrapped"), WrappedBy: by,
		CreatedAt: start, ReplaceAt: start.Add(30 * 24 * time.Hour),
	}
}

// adopt makes a ring key the primary.
func (w *world) adopt(id string) {
	w.Helper()
	w.must(w.store.AdoptRingKey(w.Context(), id, []byte("proof of "+id), start))
}

// add keeps a data key in the place of another and returns the one that seals.
func (w *world) add(key latchkey.DataKey, replaced int64) latchkey.DataKey {
	w.Helper()
	active, err := w.store.AddDataKey(w.Context(), key, replaced)
	w.must(err)
	return active
}

// sealedBy is an envelope of a data key, as far as the store looks into it.
func sealedBy(id byte, text string) latchkey.SealedCredential {
	return sealed(string([]byte{0x4d, 0, 0, 0, 0, 0, 0, 0, id}) + text)
}

// bounds are those of what a data key has sealed.
func bounds(id byte) (low, high []byte) {
	return []byte{0x4d, 0, 0, 0, 0, 0, 0, 0, id}, []byte{0x4d, 0, 0, 0, 0, 0, 0, 0, id, 0}
}

func keyFacts() map[string]func(*world) {
	return map[string]func(*world){
		"a ring key retires when another is adopted, and comes back never": func(w *world) {
			w.adopt("file:1")
			w.adopt("file:1")
			w.adopt("file:2")
			w.wants(latchkey.Conflict, w.store.AdoptRingKey(w.Context(), "file:1", nil, start))
			keys, err := w.store.RingKeys(w.Context())
			w.must(err)
			if len(keys) != 2 || keys[0].State != latchkey.RingKeyRetiring || keys[1].State != latchkey.RingKeyPrimary {
				w.Errorf("the ring keys are %+v", keys)
			}
			if proof, err := w.store.VaultProof(w.Context()); err != nil || string(proof) != "proof of file:2" {
				w.Errorf("the proof is %q, %v", proof, err)
			}
		},
		"of many who add a data key at once the first wins": func(w *world) {
			w.adopt("file:1")
			var group sync.WaitGroup
			ids := make([]int64, 8)
			for i := range ids {
				group.Go(func() { ids[i] = w.add(w.dataKey(int64(i+1), "file:1"), 0).ID })
			}
			group.Wait()
			if ids[0] == 0 || slices.ContainsFunc(ids, func(id int64) bool { return id != ids[0] }) {
				w.Errorf("they got %v", ids)
			}
		},
		"nothing is wrapped by a ring key that retires": func(w *world) {
			w.adopt("file:1")
			key := w.add(w.dataKey(1, "file:1"), 0)
			w.adopt("file:2")
			_, err := w.store.AddDataKey(w.Context(), w.dataKey(2, "file:1"), 1)
			w.wants(latchkey.Conflict, err)
			w.wants(latchkey.Conflict, w.store.RewrapDataKey(w.Context(), key, []byte("x"), "file:1"))
			w.wants(latchkey.Conflict, w.store.DestroyRingKey(w.Context(), "file:1", nil, nil, start))
			w.must(w.store.RewrapDataKey(w.Context(), key, []byte("anew"), "file:2"))
			w.must(w.store.RewrapDataKey(w.Context(), key, []byte("again"), "file:2")) // too late: it stays
			got, err := w.store.DataKey(w.Context(), 1)
			if err != nil || string(got.Wrapped) != "anew" || got.WrappedBy != "file:2" {
				w.Errorf("it is %+v, %v", got, err)
			}
			w.must(w.store.DestroyRingKey(w.Context(), "file:1", nil, nil, start))
			w.wants(latchkey.Conflict, w.store.DestroyRingKey(w.Context(), "file:2", nil, nil, start))
		},
		"seals are counted ahead and never beyond the most": func(w *world) {
			_, err := w.store.TakeSeals(w.Context(), w.organisation.ID, 10, 25)
			w.wants(latchkey.NotFound, err)
			w.adopt("file:1")
			w.add(w.dataKey(1, "file:1"), 0)
			for range 2 {
				if key, err := w.store.TakeSeals(w.Context(), w.organisation.ID, 10, 25); err != nil || key.ID != 1 {
					w.Fatalf("it is %+v, %v", key, err)
				}
			}
			_, err = w.store.TakeSeals(w.Context(), w.organisation.ID, 10, 25)
			w.wants(latchkey.NotFound, err)
			w.add(w.dataKey(2, "file:1"), 1)
			if key, err := w.store.TakeSeals(w.Context(), w.organisation.ID, 10, 25); err != nil || key.ID != 2 {
				w.Errorf("it is %+v, %v", key, err)
			}
		},
		"a data key is destroyed when nothing it sealed is left": destroysDataKeys,
		"what is sealed is found and replaced in every place":    replacesSealed,
		"the mark follows the credential": func(w *world) {
			connection := w.leased()
			w.must(w.refresh(connection, sealedBy(1, "fresh")))
			got, credential := w.credential(connection)
			w.marked(credential)
			w.must(w.store.RestoreCredential(w.Context(), got, start))
			got, credential = w.credential(connection)
			w.marked(credential)
			w.must(w.store.ReplaceCredential(w.Context(), got, sealedBy(1, "kept"), start))
			_, credential = w.credential(connection)
			w.marked(credential)
		},
	}
}

// marked wants the mark of the credential that there is.
func (w *world) marked(credential latchkey.SealedCredential) {
	w.Helper()
	if digest := sha256.Sum256(credential.Bytes); !bytes.Equal(digest[:], credential.Digest) {
		w.Errorf("the mark is not that of %q", credential.Bytes)
	}
}

func destroysDataKeys(w *world) {
	w.adopt("file:1")
	w.add(w.dataKey(1, "file:1"), 0)
	session, connection := w.storedSession(), w.connection("u1", "")
	w.must(w.store.CompleteLink(w.Context(), advanced(session, latchkey.StateCompleted), 1, connection, sealedBy(1, "secret"), latchkey.Consequences{}))
	w.must(w.store.ReplaceDataKeys(w.Context(), start))
	due, err := w.store.DataKeysToReplace(w.Context(), start, 10)
	if err != nil || len(due) != 1 || due[0].ID != 1 {
		w.Fatalf("due are %+v, %v", due, err)
	}
	w.add(w.dataKey(2, "file:1"), 1)
	low, high := bounds(1)
	w.wants(latchkey.Conflict, w.store.DestroyDataKey(w.Context(), 1, low, high))
	use, err := w.store.KeyUse(w.Context(), "file:1", []byte{0x4c}, []byte{0x4d}, func(id int64) ([]byte, []byte) { return bounds(byte(id)) })
	if want := (latchkey.KeyUse{DataKeys: 2, Retired: 1, SealedByOld: 1}); err != nil || use != want {
		w.Errorf("the use is %+v, %v", use, err)
	}
	values, err := w.store.SealedValues(w.Context(), latchkey.PlaceCredential, low, high, 10)
	if err != nil || len(values) != 1 || values[0].Subject != connection.ID || values[0].OrganisationID != w.organisation.ID {
		w.Fatalf("found %+v, %v", values, err)
	}
	after := sealedBy(2, "secret").Bytes
	w.must(w.store.ReplaceSealed(w.Context(), []latchkey.SealedChange{{SealedValue: values[0], After: after}}))
	late := values[0]
	w.must(w.store.ReplaceSealed(w.Context(), []latchkey.SealedChange{{SealedValue: late, After: []byte("late")}}))
	_, credential := w.credential(connection)
	if !bytes.Equal(credential.Bytes, after) {
		w.Errorf("the credential is %q", credential.Bytes)
	}
	w.marked(credential)
	w.must(w.store.DestroyDataKey(w.Context(), 1, low, high))
	_, err = w.store.DataKey(w.Context(), 1)
	w.wants(latchkey.NotFound, err)
	active, err := w.store.ActiveDataKey(w.Context(), w.organisation.ID)
	if err != nil || active.ID != 2 {
		w.Errorf("active is %+v, %v", active, err)
	}
}

func replacesSealed(w *world) {
	low, high := bounds(7)
	bytesOf := func(text string) []byte { return sealedBy(7, text).Bytes }
	connection := w.linked(w.connection("u1", ""))
	w.must(w.store.LeaseRefresh(w.Context(), connection, start, refreshUntil))
	got, _ := w.credential(connection)
	w.must(w.store.ReplaceCredential(w.Context(), got, sealedBy(7, "previous"), start))
	w.must(w.refresh(connection, sealedBy(7, "current")))
	w.must(w.store.KeepRevocation(w.Context(), latchkey.Revocation{
		ID: "r1", Connection: connection, Credential: bytesOf("revocation"), DueAt: start, CreatedAt: start,
	}))
	session := w.session()
	session.Flow = bytesOf("flow")
	_, err := w.store.CreateLinkSessionOnce(w.Context(), session, latchkey.IdempotencyKey{
		OrganisationID: w.organisation.ID, Environment: latchkey.Sandbox, KeyHash: "k", BodyHash: "b", SessionID: session.ID,
		Answer: bytesOf("answer"), CreatedAt: start,
	}, start.Add(-time.Hour))
	w.must(err)
	w.must(w.store.CreateWebhookEndpoint(w.Context(), latchkey.WebhookEndpoint{
		ID: "we_1", OrganisationID: w.organisation.ID, Environment: latchkey.Sandbox, URL: "https://a.example", Events: []string{"*"},
		Status: latchkey.EndpointEnabled, SealedSecret: bytesOf("secret"), PreviousSecret: bytesOf("before"), CreatedAt: start,
	}, latchkey.AuditRecord{OrganisationID: w.organisation.ID, Environment: latchkey.Sandbox, Subject: "we_1", Detail: "{}", CreatedAt: start}))
	subjects := map[latchkey.SealedPlace]string{
		latchkey.PlaceCredential: connection.ID, latchkey.PlacePreviousCredential: connection.ID, latchkey.PlaceRevocation: connection.ID,
		latchkey.PlaceFlow: session.ID, latchkey.PlaceClientSecret: session.ID, latchkey.PlaceEndpointSecret: "we_1",
		latchkey.PlacePreviousSecret: "we_1",
	}
	for _, place := range latchkey.SealedPlaces() {
		values, err := w.store.SealedValues(w.Context(), place, low, high, 10)
		w.must(err)
		if len(values) != 1 || values[0].Subject != subjects[place] || values[0].OrganisationID != w.organisation.ID ||
			values[0].Environment != latchkey.Sandbox {
			w.Errorf("in %s: %+v", place, values)
			continue
		}
		w.must(w.store.ReplaceSealed(w.Context(), []latchkey.SealedChange{{SealedValue: values[0], After: sealedBy(8, string(place)).Bytes}}))
		left, err := w.store.SealedValues(w.Context(), place, low, high, 10)
		other, otherErr := w.store.SealedValues(w.Context(), place, slices.Concat(low[:8], []byte{8}), slices.Concat(low[:8], []byte{8, 0}), 10)
		if err != nil || otherErr != nil || len(left) != 0 || len(other) != 1 {
			w.Errorf("in %s %d are left and %d replaced: %v, %v", place, len(left), len(other), err, otherErr)
		}
	}
}
