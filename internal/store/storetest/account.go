package storetest

import (
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
)

// noted makes the audit record of an action on a subject.
func (w *world) noted(action latchkey.AuditAction, subject string) latchkey.AuditRecord {
	return latchkey.AuditRecord{
		OrganisationID: w.organisation.ID, Environment: latchkey.Sandbox, Actor: w.key.ID, Action: action,
		Subject: subject, Detail: `{"fields":["name"]}`, CreatedAt: start,
	}
}

// recorded fails the test unless the actions, in order, are on the subject's
// record, and the chains are whole.
func (w *world) recorded(subject string, actions ...latchkey.AuditAction) {
	w.Helper()
	records, err := w.store.AuditOf(w.Context(), w.organisation.ID, subject)
	w.must(err)
	var got []latchkey.AuditAction
	for _, record := range records {
		got = append(got, record.Action)
	}
	if diff := cmp.Diff(actions, got); diff != "" {
		w.Errorf("records of %s (-want +got):\n%s", subject, diff)
	}
	if _, err := w.store.VerifyAudit(w.Context(), w.organisation.ID); err != nil {
		w.Error(err)
	}
}

// newKey makes a key that is not stored yet, the minutes after the start.
func (w *world) newKey(minutes int) latchkey.APIKey {
	return latchkey.APIKey{
		ID: latchkey.NewID(rand.Reader, latchkey.PrefixKey), OrganisationID: w.organisation.ID,
		Environment: latchkey.Sandbox, Name: fmt.Sprint("key ", minutes), Prefix: "sk_sandbox_def",
		Hash: latchkey.NewID(rand.Reader, ""), Scopes: []latchkey.Scope{latchkey.ScopeLink},
		CreatedAt: start.Add(time.Duration(minutes) * time.Minute), ExpiresAt: start.Add(time.Hour),
	}
}

func accountFacts() map[string]func(*world) {
	return map[string]func(*world){
		"a key is found by its hash with its organisation": func(w *world) {
			key, organisation, err := w.store.APIKeyByHash(w.Context(), w.key.Hash)
			w.must(err)
			if diff := cmp.Diff(w.key, key); diff != "" {
				w.Error(diff)
			}
			if diff := cmp.Diff(w.organisation, organisation); diff != "" {
				w.Error(diff)
			}
			_, _, err = w.store.APIKeyByHash(w.Context(), "unknown")
			w.wants(latchkey.NotFound, err)
		},
		"a revoked key says since when, once, and is in no list": func(w *world) {
			at := start.Add(time.Hour)
			revoke := func(environment latchkey.Environment, at time.Time) error {
				return w.store.RevokeAPIKey(w.Context(), w.organisation.ID, environment, w.key.ID, at,
					w.noted(latchkey.AuditKeyRevoked, w.key.ID))
			}
			w.wants(latchkey.NotFound, revoke(latchkey.Live, at))
			w.must(revoke(latchkey.Sandbox, at))
			w.wants(latchkey.NotFound, revoke(latchkey.Sandbox, at.Add(time.Hour)))
			key, _, err := w.store.APIKeyByHash(w.Context(), w.key.Hash)
			w.must(err)
			if !key.RevokedAt.Equal(at) {
				w.Errorf("revoked at %v, want %v", key.RevokedAt, at)
			}
			_, err = w.store.APIKey(w.Context(), w.organisation.ID, latchkey.Sandbox, w.key.ID)
			w.wants(latchkey.NotFound, err)
			if list, _, err := w.store.APIKeys(w.Context(), w.organisation.ID, latchkey.Sandbox, 10, 0); len(list) != 0 || err != nil {
				w.Errorf("listed %+v, %v", list, err)
			}
			w.wants(latchkey.Conflict, w.store.UpdateAPIKey(w.Context(), key, key, w.noted(latchkey.AuditKeyUpdated, key.ID)))
			w.recorded(w.key.ID, latchkey.AuditKeyRevoked)
		},
		"keys are listed newest first, within their organisation and environment only": func(w *world) {
			for i := range 3 {
				key := w.newKey(i + 1)
				w.must(w.store.CreateAPIKey(w.Context(), key, w.noted(latchkey.AuditKeyCreated, key.ID)))
				w.recorded(key.ID, latchkey.AuditKeyCreated)
			}
			live := w.newKey(9)
			live.Environment = latchkey.Live
			w.must(w.store.CreateAPIKey(w.Context(), live, w.noted(latchkey.AuditKeyCreated, live.ID)))
			first, more, err := w.store.APIKeys(w.Context(), w.organisation.ID, latchkey.Sandbox, 3, 0)
			w.must(err)
			rest, end, err := w.store.APIKeys(w.Context(), w.organisation.ID, latchkey.Sandbox, 3, 3)
			w.must(err)
			if len(first) != 3 || len(rest) != 1 || !more || end || first[0].Name != "key 3" || rest[0].ID != w.key.ID {
				w.Errorf("listed %+v, %v, then %+v, %v", first, more, rest, end)
			}
			_, err = w.store.APIKey(w.Context(), w.organisation.ID, latchkey.Sandbox, live.ID)
			w.wants(latchkey.NotFound, err)
			_, err = w.store.APIKey(w.Context(), "org_other", latchkey.Live, live.ID)
			w.wants(latchkey.NotFound, err)
			if list, _, err := w.store.APIKeys(w.Context(), "org_other", latchkey.Sandbox, 10, 0); len(list) != 0 || err != nil {
				w.Errorf("listed %+v, %v", list, err)
			}
		},
		"a changed key is read as it was changed, and changed once from what it was": func(w *world) {
			after := w.key
			after.Name, after.Scopes, after.ExpiresAt = "second", []latchkey.Scope{latchkey.ScopeAdmin}, start.Add(time.Minute)
			change := func() error {
				return w.store.UpdateAPIKey(w.Context(), w.key, after, w.noted(latchkey.AuditKeyUpdated, w.key.ID))
			}
			w.must(change())
			got, err := w.store.APIKey(w.Context(), w.organisation.ID, latchkey.Sandbox, w.key.ID)
			w.must(err)
			if diff := cmp.Diff(after, got); diff != "" {
				w.Error(diff)
			}
			w.wants(latchkey.Conflict, change())
			w.recorded(w.key.ID, latchkey.AuditKeyUpdated)
		},
		"the last use of keys is noted, and never goes back": func(w *world) {
			other := w.newKey(1)
			w.must(w.store.CreateAPIKey(w.Context(), other, w.noted(latchkey.AuditKeyCreated, other.ID)))
			at := start.Add(time.Hour)
			w.must(w.store.TouchAPIKeys(w.Context(), map[string]time.Time{w.key.ID: at, other.ID: at, "key_gone": at}))
			w.must(w.store.TouchAPIKeys(w.Context(), map[string]time.Time{w.key.ID: at.Add(-time.Minute), other.ID: at.Add(time.Minute)}))
			for id, want := range map[string]time.Time{w.key.ID: at, other.ID: at.Add(time.Minute)} {
				got, err := w.store.APIKey(w.Context(), w.organisation.ID, latchkey.Sandbox, id)
				w.must(err)
				if !got.LastUsedAt.Equal(want) {
					w.Errorf("key %s was last used at %v, want %v", id, got.LastUsedAt, want)
				}
			}
		},
		"settings are read as they were changed, and changed once from what they were": func(w *world) {
			got, err := w.store.Settings(w.Context(), w.organisation.ID)
			w.must(err)
			if diff := cmp.Diff(w.organisation, got); diff != "" {
				w.Error(diff)
			}
			after := got
			after.Name, after.Defaults = "Acme & Co", latchkey.Defaults{ExpiresIn: 600, Locale: "de-AT"}
			change := func() error {
				return w.store.UpdateSettings(w.Context(), w.organisation, after, w.noted(latchkey.AuditSettingsUpdated, after.ID))
			}
			w.must(change())
			got, err = w.store.Settings(w.Context(), w.organisation.ID)
			w.must(err)
			_, called, errCalled := w.store.APIKeyByHash(w.Context(), w.key.Hash)
			w.must(errCalled)
			if diff := cmp.Diff(after, got) + cmp.Diff(after, called); diff != "" {
				w.Error(diff)
			}
			w.wants(latchkey.Conflict, change())
			w.recorded(after.ID, latchkey.AuditSettingsUpdated)
			_, err = w.store.Settings(w.Context(), "org_other")
			w.wants(latchkey.NotFound, err)
		},
		"organisations are listed by age": func(w *world) {
			for i, id := range []string{"org_younger", "org_older"} {
				other := latchkey.Organisation{ID: id, Name: "Other", CreatedAt: start.Add(time.Duration(2-i) * time.Hour)}
				w.must(w.store.CreateOrganisation(w.Context(), other, nil, nil))
			}
			found, err := w.store.Organisations(w.Context())
			w.must(err)
			want := []string{w.organisation.ID, "org_older", "org_younger"}
			var ids []string
			for _, organisation := range found {
				if slices.Contains(want, organisation.ID) { // there may be others' beside them
					ids = append(ids, organisation.ID)
				}
				if organisation.ID == w.organisation.ID && (organisation.Name != w.organisation.Name || !organisation.CreatedAt.Equal(start)) {
					w.Errorf("found %+v", organisation)
				}
			}
			if !slices.Equal(ids, want) {
				w.Errorf("found %v, want %v", ids, want)
			}
		},
		"reads and facts are counted": func(w *world) {
			readsBefore, factsBefore := w.store.Counts()
			w.storedSession()
			_, err := w.store.ClientApp(background(), w.organisation.ID, latchkey.Sandbox, w.app.ID)
			w.must(err)
			reads, facts := w.store.Counts()
			if reads-readsBefore != 1 || facts-factsBefore != 1 {
				w.Errorf("counted %d reads and %d facts, want 1 and 1", reads-readsBefore, facts-factsBefore)
			}
		},
	}
}
