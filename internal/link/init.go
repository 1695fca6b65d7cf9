package link

import (
	"cmp"
	"context"
	"slices"
	"time"

	"latchkey"
)

// InitRequest is what an app asks for. Zero fields were not given.
type InitRequest struct {
	ClientAppID       string
	RedirectURL       string
	ClientReferenceID string
	ConnectionID      string // reconnect this one
	Geolocation       *latchkey.Geolocation
	ModeHint          string // redirect, embed, hosted or whitelabel; only without ClientAppID
	Provider          string
	Permissions       []string
	ExpiresIn         int // seconds
	Locale            string
	Metadata          map[string]string
	Origin            string // of the embedding page; counts if it is one of the app's
	ReturnRaw         bool   // counts if the app may have credentials
	IdempotencyKey    string
}

// Initiated is a new session with its secret, which exists nowhere else.
type Initiated struct {
	Session  *latchkey.LinkSession
	Secret   string // cs_…
	Replayed bool   // the answer is that of an earlier init with the same idempotency key
}

// Init starts a session for the caller's client app. It is durable when it
// returns.
func (l *Links) Init(ctx context.Context, caller latchkey.Caller, request InitRequest) (Initiated, error) {
	if err := request.validate(); err != nil {
		return Initiated{}, err
	}
	app, err := l.clientApp(ctx, caller, request)
	if err != nil {
		return Initiated{}, err
	}
	granted, err := l.grant(app, request)
	if err != nil {
		return Initiated{}, err
	}
	if request.ConnectionID != "" {
		if err := l.checkReconnect(ctx, caller, &granted, request); err != nil {
			return Initiated{}, err
		}
	}
	if err := l.checkPlace(caller, granted); err != nil {
		return Initiated{}, err
	}
	if granted.Confirm {
		if err := checkConfirmable(granted); err != nil {
			return Initiated{}, err
		}
	}
	session, secret := l.newSession(caller, app, granted, request)
	if request.IdempotencyKey != "" {
		return l.initOnce(ctx, session, secret, request)
	}
	if err := l.config.Sessions.CreateLinkSession(ctx, session); err != nil {
		return Initiated{}, err
	}
	return Initiated{Session: session, Secret: secret}, nil
}

// checkConfirmable refuses a link that nobody could confirm.
func checkConfirmable(granted latchkey.SessionRequest) error {
	if granted.ClientReferenceID == "" {
		return latchkey.InvalidField("clientReferenceId", "is required: this client app confirms its links by it")
	}
	if granted.RedirectURL == "" {
		return latchkey.InvalidField("redirectUrl", "is required: this client app confirms its links by a code in it")
	}
	return nil
}

// clientApp finds the app that the request is for: the named one, or the
// oldest that fits the mode.
func (l *Links) clientApp(ctx context.Context, caller latchkey.Caller, request InitRequest) (latchkey.ClientApp, error) {
	app, err := l.findApp(ctx, caller, request)
	if err != nil {
		return app, err
	}
	if app.Suspended {
		return app, suspended()
	}
	if app.Type == latchkey.AppWhitelabel && !app.WhitelabelEnabled {
		return app, latchkey.Errorf(latchkey.Forbidden, "whitelabel is not enabled for this client app")
	}
	return app, nil
}

func (l *Links) findApp(ctx context.Context, caller latchkey.Caller, request InitRequest) (latchkey.ClientApp, error) {
	if request.ClientAppID != "" {
		app, err := l.apps.ClientApp(ctx, caller.OrganisationID, caller.Environment, request.ClientAppID)
		if latchkey.CodeOf(err) == latchkey.NotFound {
			return app, latchkey.InvalidField("clientAppId", "is not a client app of this key's environment")
		}
		return app, err
	}
	app, err := l.apps.OldestClientApp(ctx, caller.OrganisationID, caller.Environment, typesFor(request.ModeHint))
	if latchkey.CodeOf(err) == latchkey.NotFound {
		return app, latchkey.InvalidField("clientAppId", "is needed: no client app of this key's environment fits")
	}
	return app, err
}

// typesFor returns the types of client apps that fit a mode.
func typesFor(mode string) []latchkey.AppType {
	switch mode {
	case "":
		return []latchkey.AppType{latchkey.AppRedirect, latchkey.AppEmbed, latchkey.AppWhitelabel}
	case string(latchkey.ModeHosted):
		return []latchkey.AppType{latchkey.AppRedirect, latchkey.AppEmbed}
	}
	return []latchkey.AppType{latchkey.AppType(mode)}
}

// grant checks the request against what the operator approved for the app.
func (l *Links) grant(app latchkey.ClientApp, request InitRequest) (latchkey.SessionRequest, error) {
	granted := latchkey.SessionRequest{
		Mode: latchkey.ModeHosted, ClientReferenceID: request.ClientReferenceID, ConnectionID: request.ConnectionID,
		Locale: request.Locale, Metadata: request.Metadata, Geolocation: request.Geolocation,
		ReturnRaw: request.ReturnRaw && app.RawSessionEnabled, Confirm: app.RequireConfirmation,
	}
	if slices.Contains(app.AllowedOrigins, request.Origin) {
		granted.Origin = request.Origin
	}
	if app.Type == latchkey.AppWhitelabel {
		granted.Mode = latchkey.ModeWhitelabel
	}
	var err error
	if granted.RedirectURL, err = redirectFor(app, request.RedirectURL); err != nil {
		return granted, err
	}
	if granted.Permissions, err = permissionsFor(app, request.Permissions); err != nil {
		return granted, err
	}
	granted.Providers, err = l.providersFor(app, request.Provider)
	return granted, err
}

// permissionsFor returns the app's permissions, or the asked subset of them.
func permissionsFor(app latchkey.ClientApp, asked []string) ([]latchkey.Permission, error) {
	if asked == nil {
		return app.Permissions, nil
	}
	names := app.PermissionNames()
	for _, name := range asked {
		if !slices.Contains(names, name) {
			return nil, latchkey.InvalidField("permissions", "must be a subset of the client app's permissions")
		}
	}
	return slices.DeleteFunc(slices.Clone(app.Permissions), func(permission latchkey.Permission) bool {
		return !slices.Contains(asked, permission.Name)
	}), nil
}

// providersFor returns the providers that the person may choose from.
func (l *Links) providersFor(app latchkey.ClientApp, asked string) ([]string, error) {
	served := slices.DeleteFunc(slices.Clone(app.Providers), func(id string) bool {
		provider, ok := l.config.Connector(id)
		return !ok || !slices.Contains(provider.Describe().Environments, app.Environment)
	})
	if asked != "" {
		if !slices.Contains(served, asked) {
			return nil, latchkey.InvalidField("provider", "is not one of the client app's providers")
		}
		return []string{asked}, nil
	}
	if len(served) == 0 {
		return nil, latchkey.Errorf(latchkey.Forbidden, "this client app has no provider that is served here")
	}
	if app.Type == latchkey.AppWhitelabel && len(served) > 1 {
		return nil, latchkey.InvalidField("provider", "is required: a whitelabel app with several providers must choose")
	}
	return served, nil
}

// checkReconnect finds the connection to be renewed and ties the session to
// its provider and reference.
func (l *Links) checkReconnect(ctx context.Context, caller latchkey.Caller, granted *latchkey.SessionRequest,
	request InitRequest,
) error {
	connection, err := l.config.Connections.Connection(ctx, caller.OrganisationID, caller.Environment, request.ConnectionID)
	if err != nil {
		return err
	}
	if !slices.Contains(granted.Providers, connection.Provider) {
		return latchkey.InvalidField("connectionId", "is of a provider that this request does not allow")
	}
	granted.Providers, granted.Expected = []string{connection.Provider}, accountName(connection.User)
	if !granted.Confirm || granted.ClientReferenceID == "" { // else it is what the link is confirmed by
		granted.ClientReferenceID = connection.ClientReferenceID
	}
	granted.Exit = connection.Exit
	if granted.Geolocation == nil {
		granted.Geolocation = connection.Geolocation
	}
	return nil
}

func (l *Links) newSession(caller latchkey.Caller, app latchkey.ClientApp, granted latchkey.SessionRequest,
	request InitRequest,
) (*latchkey.LinkSession, string) {
	now := l.config.Now()
	life := defaultLife
	if seconds := cmp.Or(request.ExpiresIn, caller.Defaults.ExpiresIn); seconds != 0 {
		life = time.Duration(seconds) * time.Second
	}
	granted.Locale = cmp.Or(granted.Locale, caller.Defaults.Locale)
	secret := latchkey.NewClientSecret(l.config.Random, now)
	session := &latchkey.LinkSession{
		ID:         latchkey.NewTimedID(l.config.Random, latchkey.PrefixSession, now),
		SecretHash: latchkey.HashClientSecret(secret), OrganisationID: caller.OrganisationID, Environment: caller.Environment,
		ClientAppID: app.ID, State: latchkey.StatePreLogin, Version: 1, ExpiresAt: now.Add(life),
		CreatedAt: now, UpdatedAt: now, Request: granted,
		Progress: latchkey.SessionProgress{AttemptsLeft: attempts},
	}
	if len(granted.Providers) == 1 {
		session.Progress.Provider = granted.Providers[0]
	}
	if granted.Mode == latchkey.ModeWhitelabel {
		session.State = latchkey.StateAuthorization
	}
	return session, secret
}
