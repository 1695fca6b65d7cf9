// Package link is the life of a link: the only writer of sessions and
// connections. Every rule of the state machine is here; doors ask for a step
// and draw what comes back.
//
//	Init ─▶ session ─▶ Step … Step ─▶ Complete ─▶ connection ─▶ Check … ─▶ Invalidate, Disconnect, Died
//	                    │ claim (version, lease) ─▶ connector.Advance ─▶ settle
//	Sweep ─▶ expired    └─ every change names the version it read; the loser gets a conflict
package link

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// SessionStore keeps sessions. A change names the version that was read and
// fails with a conflict when the session has moved on.
type SessionStore interface {
	CreateLinkSession(ctx context.Context, session *latchkey.LinkSession) error
	// CreateLinkSessionOnce creates nothing when the key was used after since,
	// and returns what was kept of that.
	CreateLinkSessionOnce(ctx context.Context, session *latchkey.LinkSession, key latchkey.IdempotencyKey,
		since time.Time) (*latchkey.IdempotencyKey, error)
	LinkSessions(ctx context.Context, filter latchkey.SessionFilter) ([]*latchkey.LinkSession, bool, error)
	LinkSessionBySecret(ctx context.Context, secretHash string) (*latchkey.LinkSession, error)
	LinkSession(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
	) (*latchkey.LinkSession, error)
	AdvanceLinkSession(ctx context.Context, session *latchkey.LinkSession, version int64,
		follows latchkey.Consequences) error
	// CompleteLink also writes the connection. It fails with an error that has
	// a method Twin when the upstream account is there already.
	CompleteLink(ctx context.Context, session *latchkey.LinkSession, version int64, connection latchkey.Connection,
		sealed latchkey.SealedCredential, follows latchkey.Consequences) error
	OverdueLinkSessions(ctx context.Context, now time.Time, limit int) ([]*latchkey.LinkSession, error)
}

// AppStore finds client apps.
type AppStore interface {
	ClientApp(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
	) (latchkey.ClientApp, error)
	OldestClientApp(ctx context.Context, organisationID string, environment latchkey.Environment,
		types []latchkey.AppType) (latchkey.ClientApp, error)
}

// ConnectionStore keeps connections. ExpireConnection and RemoveConnection
// take the connection as it is afterwards, one version on.
type ConnectionStore interface {
	Connection(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
	) (latchkey.Connection, error)
	// ConnectionByID finds a connection of whichever organisation.
	ConnectionByID(ctx context.Context, id string) (latchkey.Connection, error)
	Connections(ctx context.Context, filter latchkey.ConnectionFilter) ([]latchkey.Connection, bool, error)
	// WriteConnection adds a connection of version 1 or replaces the one before;
	// it fails with an error that has a method Twin as CompleteLink does.
	WriteConnection(ctx context.Context, connection latchkey.Connection, sealed latchkey.SealedCredential,
		follows latchkey.Consequences) error
	// UpdateConnection replaces what is not the credential of the version before.
	UpdateConnection(ctx context.Context, connection latchkey.Connection) error
	ExpireConnection(ctx context.Context, connection latchkey.Connection, revoke bool, event latchkey.Event,
		record latchkey.AuditRecord) error
	RemoveConnection(ctx context.Context, connection latchkey.Connection, event latchkey.Event,
		record latchkey.AuditRecord) error
}

// CheckStore keeps when live connections are looked at. Only WarnConnection
// changes one.
type CheckStore interface {
	// DueChecks tells which of the providers have something to claim.
	DueChecks(ctx context.Context, providers []string, now time.Time) (due []string, interrupted bool, err error)
	ClaimChecks(ctx context.Context, provider string, now time.Time, limit int, lease time.Duration,
	) ([]latchkey.DueCheck, error)
	ClaimInterrupted(ctx context.Context, now time.Time, limit int, lease time.Duration) ([]latchkey.DueCheck, error)
	FinishCheck(ctx context.Context, check latchkey.DueCheck, outcome latchkey.CheckOutcome) error
	ExpiringConnections(ctx context.Context, now time.Time, limit int) ([]latchkey.ExpiringConnection, error)
	// WarnConnection takes the connection as it is afterwards, one version on.
	WarnConnection(ctx context.Context, connection latchkey.Connection, event latchkey.Event) error
}

// RevocationStore keeps what must still be ended at a provider.
type RevocationStore interface {
	ClaimRevocations(ctx context.Context, now time.Time, limit int, lease time.Duration) ([]latchkey.Revocation, error)
	Revocation(ctx context.Context, id string, now time.Time, lease time.Duration) (latchkey.Revocation, error)
	KeepRevocation(ctx context.Context, revocation latchkey.Revocation) error
	FinishRevocation(ctx context.Context, id string, receipt latchkey.AuditRecord) error
	PostponeRevocation(ctx context.Context, id string, due time.Time, receipts ...latchkey.AuditRecord) error
}

// AttemptStore counts tries that belong to no session.
type AttemptStore interface {
	// TakeAttempts counts all of them, or none and fails as rate limited.
	TakeAttempts(ctx context.Context, attempts []latchkey.Attempt) error
	ReleaseAttempts(ctx context.Context, attempts []latchkey.Attempt) error
}

// Sealer seals what a session or connection keeps; the vault's.
type Sealer interface {
	SealFlow(organisationID, sessionID string, state []byte) ([]byte, error)
	OpenFlow(organisationID, sessionID string, sealed []byte) ([]byte, error)
	SealCredential(organisationID, connectionID string, secret []byte) ([]byte, error)
	SealClientSecret(organisationID, sessionID string, secret []byte) ([]byte, error)
	OpenClientSecret(organisationID, sessionID string, sealed []byte) ([]byte, error)
	// Fingerprint returns a keyed hash of a text, for counting and recognising
	// what the store must not learn.
	Fingerprint(kind, text string) string
}

// Exits are the ways out by country; the app's.
type Exits interface {
	// Serves reports whether what is for a country can go out at all.
	Serves(country string) bool
	// Locate returns the country of a person's address, nil when it is unknown.
	Locate(address string) *latchkey.Geolocation
	// Choose returns the exit that a session takes now, "" for none; an error
	// when it can't go out.
	Choose(session *latchkey.LinkSession) (string, error)
}

// Config says what the room works with.
type Config struct {
	Sessions    SessionStore
	Apps        AppStore
	Connections ConnectionStore
	Revocations RevocationStore
	Checks      CheckStore
	Attempts    AttemptStore
	Sealer      Sealer
	Connector   func(provider string) (connector.Connector, bool)
	Client      func(session *latchkey.LinkSession) *http.Client // the way out of that session
	// Exits knows the countries that can be gone out from; nil: everything goes
	// out the same way.
	Exits Exits
	// Providers lists the ids of those that are served here.
	Providers []string
	// Revoke ends a credential at its provider, and reports whether the provider
	// knows a way to; the vault's.
	Revoke func(ctx context.Context, revocation latchkey.Revocation) (revocable bool, err error)
	// Check asks the provider whether a connection is still good; the vault's.
	Check func(ctx context.Context, connection latchkey.Connection) (confirmed bool, err error)
	// Stopped is told of a provider that is left alone, or asked again; nil:
	// nobody is.
	Stopped func(provider string, stopped bool)
	// Export returns a connection's credential as its app may have it, a JSON
	// object, after an audit record; the vault's.
	Export  func(ctx context.Context, caller latchkey.Caller, connectionID string) ([]byte, error)
	Budgets Budgets
	LinkURL string // of the hosted pages, without a slash at the end
	Now     func() time.Time
	Random  io.Reader
	Log     *slog.Logger
}

// Links is the room. Its methods are safe for concurrent use.
type Links struct {
	config   Config
	apps     *recentApps
	budgets  Budgets
	breakers *breakers
	paces    *paces
}

// New returns the room.
func New(config Config) *Links {
	return &Links{
		config: config, apps: newRecentApps(config.Apps, config.Now), budgets: config.Budgets.complete(), breakers: newBreakers(config), paces: newPaces(config),
	}
}

// The limits of a session.
const (
	defaultLife = 30 * time.Minute
	attempts    = 5                // tries of a password, and of a code
	tryTimeout  = 45 * time.Second // of one call into a connector
	tryLease    = 60 * time.Second // after which somebody else may try
)

// PageURL returns where the hosted page of a client secret is.
func (l *Links) PageURL(secret string) string { return l.config.LinkURL + "/" + secret }
