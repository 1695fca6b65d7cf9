package storetest

import (
	"crypto/rand"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
)

// liveApp makes a live client app of an organisation that is not stored yet.
func (w *world) liveApp(organisationID, registrable string) latchkey.ClientApp {
	app := w.app
	app.ID = latchkey.NewID(rand.Reader, latchkey.PrefixClientApp)
	app.OrganisationID, app.Environment = organisationID, latchkey.Live
	app.Domain, app.Registrable = "shop."+registrable, registrable
	return app
}

// tenant stores another organisation and returns its id.
func (w *world) tenant(apps ...latchkey.ClientApp) (string, error) {
	id := latchkey.NewID(rand.Reader, latchkey.PrefixOrganisation)
	for i := range apps {
		apps[i].OrganisationID = id
	}
	return id, w.store.CreateOrganisation(w.Context(), latchkey.Organisation{ID: id, Name: "Other", CreatedAt: start}, nil, apps)
}

// create stores a client app with its record.
func (w *world) create(app latchkey.ClientApp) error {
	return w.store.CreateClientApp(w.Context(), app, w.noted(latchkey.AuditAppCreated, app.ID))
}

// remove deletes a client app with its record.
func (w *world) remove(app latchkey.ClientApp) error {
	return w.store.DeleteClientApp(w.Context(), app.OrganisationID, app.Environment, app.ID,
		w.noted(latchkey.AuditAppDeleted, app.ID))
}

// move changes the registrable domain of a client app and returns it as it is.
func (w *world) move(app latchkey.ClientApp, registrable string) (latchkey.ClientApp, error) {
	after := app
	after.Registrable, after.UpdatedAt = registrable, app.UpdatedAt.Add(time.Microsecond)
	return after, w.store.UpdateClientApp(w.Context(), app, after, w.noted(latchkey.AuditAppUpdated, app.ID))
}

func clientAppFacts() map[string]func(*world) {
	return map[string]func(*world){
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
		"client apps are listed newest first, within their organisation and environment only": func(w *world) {
			second, third := w.app, w.app
			for i, app := range []*latchkey.ClientApp{&second, &third} {
				app.ID = latchkey.NewID(rand.Reader, latchkey.PrefixClientApp)
				app.CreatedAt = start.Add(time.Duration(i+1) * time.Second)
				w.must(w.create(*app))
				w.recorded(app.ID, latchkey.AuditAppCreated)
			}
			w.must(w.create(w.liveApp(w.organisation.ID, "example.com")))
			first, more, err := w.store.ClientApps(w.Context(), w.organisation.ID, latchkey.Sandbox, 2, 0)
			w.must(err)
			rest, end, err := w.store.ClientApps(w.Context(), w.organisation.ID, latchkey.Sandbox, 2, 2)
			w.must(err)
			if diff := cmp.Diff([]latchkey.ClientApp{third, second, w.app}, append(first, rest...)); diff != "" || !more || end {
				w.Errorf("listed (-want +got), %v, %v:\n%s", more, end, diff)
			}
			if list, _, err := w.store.ClientApps(w.Context(), "org_other", latchkey.Sandbox, 10, 0); len(list) != 0 || err != nil {
				w.Errorf("listed %+v, %v", list, err)
			}
		},
		"a changed client app is read as it was changed, and changed once from what it was": func(w *world) {
			after := w.app
			after.Suspended, after.Providers, after.Name = true, []string{"sandbox", "glewlwyd"}, "Shop 2"
			after.Domain, after.LogoURL, after.AccentColor = "shop2.example", "https://shop2.example/logo.png", "#0a0b0c"
			after.RequireConfirmation, after.RawSessionEnabled, after.WhitelabelEnabled = true, true, true
			after.UpdatedAt = start.Add(time.Second)
			change := func() error {
				return w.store.UpdateClientApp(w.Context(), w.app, after, w.noted(latchkey.AuditAppUpdated, w.app.ID))
			}
			w.must(change())
			got, err := w.store.ClientApp(w.Context(), w.organisation.ID, latchkey.Sandbox, w.app.ID)
			w.must(err)
			if diff := cmp.Diff(after, got); diff != "" {
				w.Error(diff)
			}
			w.wants(latchkey.Conflict, change())
			w.recorded(w.app.ID, latchkey.AuditAppUpdated)
		},
		"of many changes to what a client app was one is made": func(w *world) {
			won, lost := w.race(8, func(int) error {
				_, err := w.move(w.app, "")
				return err
			})
			if won != 1 || lost != 7 {
				w.Errorf("%d won and %d lost", won, lost)
			}
			w.recorded(w.app.ID, latchkey.AuditAppUpdated)
		},
		"a deleted client app is gone and its connections stay": func(w *world) {
			connection := w.linked(w.connection("up_1", "user_1"))
			live := w.app
			live.Environment = latchkey.Live
			w.wants(latchkey.NotFound, w.remove(live))
			w.must(w.remove(w.app))
			w.wants(latchkey.NotFound, w.remove(w.app))
			_, err := w.store.ClientApp(w.Context(), w.organisation.ID, latchkey.Sandbox, w.app.ID)
			w.wants(latchkey.NotFound, err)
			_, err = w.store.Connection(w.Context(), w.organisation.ID, latchkey.Sandbox, connection.ID)
			w.must(err)
			w.recorded(w.app.ID, latchkey.AuditAppDeleted)
		},
		"a registrable domain belongs to the first organisation until its last live client app there is gone": func(w *world) {
			other, err := w.tenant()
			w.must(err)
			first, second := w.liveApp(w.organisation.ID, "example.com"), w.liveApp(w.organisation.ID, "example.com")
			w.must(w.create(first))
			w.must(w.create(second))
			rival := w.liveApp(other, "example.com")
			refused := func() {
				w.Helper()
				w.wants(latchkey.Conflict, w.create(rival))
				_, err := w.store.ClientApp(w.Context(), other, latchkey.Live, rival.ID)
				w.wants(latchkey.NotFound, err)
			}
			refused()
			w.must(w.remove(first))
			refused()
			second, err = w.move(second, "example.net")
			w.must(err)
			w.must(w.create(rival))
			_, err = w.move(second, "example.com")
			w.wants(latchkey.Conflict, err)
			_, err = w.move(rival, "example.net")
			w.wants(latchkey.Conflict, err)
			w.must(w.remove(second))
			_, err = w.move(rival, "example.net")
			w.must(err)
			w.recorded(second.ID, latchkey.AuditAppCreated, latchkey.AuditAppUpdated, latchkey.AuditAppDeleted)
		},
		"a new organisation takes no domain of another": func(w *world) {
			id, err := w.tenant(w.liveApp("", "example.org"))
			w.must(err)
			w.wants(latchkey.Conflict, w.create(w.liveApp(w.organisation.ID, "example.org")))
			lost, err := w.tenant(w.liveApp("", "example.org"))
			w.wants(latchkey.Conflict, err)
			_, err = w.store.Settings(w.Context(), lost)
			w.wants(latchkey.NotFound, err)
			_, err = w.store.Settings(w.Context(), id)
			w.must(err)
		},
		"of many organisations that want a domain one gets it": func(w *world) {
			var tenants []string
			for range 6 {
				id, err := w.tenant()
				w.must(err)
				tenants = append(tenants, id)
			}
			won, lost := w.race(len(tenants), func(i int) error { return w.create(w.liveApp(tenants[i], "example.com")) })
			if won != 1 || lost != 5 {
				w.Errorf("%d won and %d lost", won, lost)
			}
		},
		"a claim outlives no app and no app its claim, whatever happens at once": func(w *world) {
			other, err := w.tenant()
			w.must(err)
			for range 10 {
				apps := make([]latchkey.ClientApp, 6)
				for i := range apps {
					apps[i] = w.liveApp(w.organisation.ID, []string{"example.com", "example.net"}[i%2])
					if i < 4 {
						w.must(w.create(apps[i]))
					}
				}
				w.race(len(apps), func(i int) error {
					switch {
					case i < 2:
						return w.remove(apps[i])
					case i < 4:
						moved, err := w.move(apps[i], []string{"example.net", "example.com"}[i%2])
						apps[i] = moved
						return err
					}
					return w.create(apps[i])
				})
				w.wants(latchkey.Conflict, w.create(w.liveApp(other, "example.com")))
				w.wants(latchkey.Conflict, w.create(w.liveApp(other, "example.net")))
				for _, app := range apps[2:] {
					w.must(w.remove(app))
				}
				for _, registrable := range []string{"example.com", "example.net"} {
					free := w.liveApp(other, registrable)
					w.must(w.create(free))
					w.must(w.remove(free))
				}
			}
		},
	}
}
