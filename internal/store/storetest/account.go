package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
)

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
		"a revoked key says since when": func(w *world) {
			at := start.Add(time.Hour)
			w.must(w.store.RevokeAPIKey(w.Context(), w.organisation.ID, w.key.ID, at.UnixMicro()))
			w.must(w.store.RevokeAPIKey(w.Context(), w.organisation.ID, w.key.ID, at.Add(time.Hour).UnixMicro()))
			key, _, err := w.store.APIKeyByHash(w.Context(), w.key.Hash)
			w.must(err)
			if !key.RevokedAt.Equal(at) {
				w.Errorf("revoked at %v, want %v", key.RevokedAt, at)
			}
		},
		"a client app is found within its organisation and environment only": func(w *world) {
			app, err := w.store.ClientApp(w.Context(), w.organisation.ID, latchkey.Sandbox, w.app.ID)
			w.must(err)
			if diff := cmp.Diff(w.app, app); diff != "" {
				w.Error(diff)
			}
			_, err = w.store.ClientApp(w.Context(), w.organisation.ID, latchkey.Live, w.app.ID)
			w.wants(latchkey.NotFound, err)
			_, err = w.store.ClientApp(w.Context(), "org_other", latchkey.Sandbox, w.app.ID)
			w.wants(latchkey.NotFound, err)
		},
		"the oldest client app of a type is the one that is meant": func(w *world) {
			app, err := w.store.OldestClientApp(w.Context(), w.organisation.ID, latchkey.Sandbox,
				[]latchkey.AppType{latchkey.AppWhitelabel, latchkey.AppRedirect})
			w.must(err)
			if app.ID != w.app.ID {
				w.Errorf("got %s", app.ID)
			}
			_, err = w.store.OldestClientApp(w.Context(), w.organisation.ID, latchkey.Sandbox, []latchkey.AppType{latchkey.AppWhitelabel})
			w.wants(latchkey.NotFound, err)
		},
		"a changed client app is read as it was changed": func(w *world) {
			app := w.app
			app.Suspended, app.Providers, app.Name = true, []string{"sandbox", "glewlwyd"}, "Shop 2"
			w.must(w.store.UpdateClientApp(w.Context(), app))
			got, err := w.store.ClientApp(w.Context(), w.organisation.ID, latchkey.Sandbox, app.ID)
			w.must(err)
			if diff := cmp.Diff(app, got); diff != "" {
				w.Error(diff)
			}
			app.ID = "app_unknown"
			w.wants(latchkey.NotFound, w.store.UpdateClientApp(w.Context(), app))
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
