package link

import (
	"context"
	"crypto/subtle"
	"strings"
	"time"

	"latchkey"
)

// ReconnectPath is where, below the hosted pages, a person is offered to link a
// connection anew. A token follows it.
const ReconnectPath = "/reconnect/"

// reconnects is how often a connection's person may begin to link it anew by
// its token, which may be in many hands.
func reconnects() []latchkey.Budget { return []latchkey.Budget{{Tries: 20, Within: time.Hour}} }

// reconnectURL returns where the person of the connection is offered to link it
// anew, or "" when its app has no pages. The token in it opens nothing by
// itself: who has it still must sign in to the same account. It is good until
// the connection has been linked anew, or is gone.
func (l *Links) reconnectURL(connection latchkey.Connection, app latchkey.ClientApp) string {
	if app.Type == latchkey.AppWhitelabel || app.Type == "" || l.config.LinkURL == "" {
		return ""
	}
	return l.config.LinkURL + ReconnectPath + connection.ID + "." + l.reconnectMark(connection)
}

// reconnectMark is what nobody can make up: a keyed hash of the connection and
// its last link.
func (l *Links) reconnectMark(connection latchkey.Connection) string {
	return l.config.Sealer.Fingerprint("reconnect", connection.ID+"\x00"+connection.SessionID)
}

// Reconnectable returns the connection of a token and its client app. It is not
// found for a token that is forged or has served, or whose app has no pages.
func (l *Links) Reconnectable(ctx context.Context, token string) (latchkey.Connection, latchkey.ClientApp, error) {
	none := latchkey.Errorf(latchkey.NotFound, "there is nothing to link anew")
	id, mark, _ := strings.Cut(token, ".")
	if !latchkey.ValidID(id, latchkey.PrefixConnection) {
		return latchkey.Connection{}, latchkey.ClientApp{}, none
	}
	connection, err := l.config.Connections.ConnectionByID(ctx, id)
	if latchkey.CodeOf(err) == latchkey.NotFound {
		return connection, latchkey.ClientApp{}, none
	}
	if err != nil {
		return connection, latchkey.ClientApp{}, err
	}
	if subtle.ConstantTimeCompare([]byte(mark), []byte(l.reconnectMark(connection))) != 1 {
		return latchkey.Connection{}, latchkey.ClientApp{}, none
	}
	app, err := l.apps.ClientApp(ctx, connection.OrganisationID, connection.Environment, connection.ClientAppID)
	switch {
	case latchkey.CodeOf(err) == latchkey.NotFound:
		return connection, app, none
	case err != nil:
		return connection, app, err
	case app.Suspended:
		return connection, app, suspended()
	case app.Type == latchkey.AppWhitelabel:
		return connection, app, none
	}
	return connection, app, nil
}

// Reconnect starts a session of the connection's app that links it anew, as an
// init with its id would, and goes back to the app's first redirect URI.
func (l *Links) Reconnect(ctx context.Context, token string) (Initiated, error) {
	connection, app, err := l.Reconnectable(ctx, token)
	if err != nil {
		return Initiated{}, err
	}
	err = l.config.Attempts.TakeAttempts(ctx, []latchkey.Attempt{
		{Key: "reconnect:" + connection.ID, At: l.config.Now(), Budgets: reconnects()},
	})
	if err != nil {
		return Initiated{}, err
	}
	begun, err := l.Init(ctx, latchkey.Caller{
		KeyID: system, OrganisationID: connection.OrganisationID, Environment: connection.Environment,
	}, InitRequest{ClientAppID: app.ID, ConnectionID: connection.ID, Provider: connection.Provider})
	if latchkey.CodeOf(err) == latchkey.Invalid { // the app no longer has the provider, or can't confirm
		return begun, latchkey.Errorf(latchkey.NotFound, "there is nothing to link anew")
	}
	return begun, err
}
