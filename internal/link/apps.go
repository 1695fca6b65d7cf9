package link

import (
	"context"
	"strings"
	"time"

	"latchkey"
	"latchkey/internal/recent"
)

// recentApps are the client apps as they were a moment ago: every init asks for
// one.
type recentApps struct {
	store AppStore
	known *recent.Answers[appQuestion, latchkey.ClientApp]
}

// appQuestion asks for an app by its id, or for the oldest of some types.
type appQuestion struct {
	organisationID string
	environment    latchkey.Environment
	id, types      string
}

func newRecentApps(store AppStore, now func() time.Time) *recentApps {
	return &recentApps{store: store, known: recent.New[appQuestion, latchkey.ClientApp](now)}
}

// ClientApp returns one app of the organisation, or a not-found error.
func (a *recentApps) ClientApp(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
) (latchkey.ClientApp, error) {
	return a.known.Get(appQuestion{organisationID: organisationID, environment: environment, id: id},
		func() (latchkey.ClientApp, string, error) {
			app, err := a.store.ClientApp(ctx, organisationID, environment, id)
			return app, organisationID, err
		})
}

// OldestClientApp returns the organisation's first app of one of the types, or
// a not-found error.
func (a *recentApps) OldestClientApp(ctx context.Context, organisationID string, environment latchkey.Environment,
	types []latchkey.AppType,
) (latchkey.ClientApp, error) {
	var names []string
	for _, appType := range types {
		names = append(names, string(appType))
	}
	return a.known.Get(appQuestion{organisationID, environment, "", strings.Join(names, ",")},
		func() (latchkey.ClientApp, string, error) {
			app, err := a.store.OldestClientApp(ctx, organisationID, environment, types)
			return app, organisationID, err
		})
}

// ForgetApps drops what is remembered of an organisation's client apps, or of
// everybody's for "", after one has changed.
func (l *Links) ForgetApps(organisationID string) { l.apps.known.Forget(organisationID) }
