package latchkey

import (
	"cmp"
	"strconv"
	"time"
)

// ConnectionStatus is a connection's status in the published API.
type ConnectionStatus string

// The statuses of a connection.
const (
	ConnectionActive      ConnectionStatus = "active"
	ConnectionExpired     ConnectionStatus = "expired"
	ConnectionAwaiting2FA ConnectionStatus = "awaiting_2fa"
	ConnectionPending     ConnectionStatus = "pending"
)

// ConnectionStatuses lists the statuses a list may be filtered by.
func ConnectionStatuses() []ConnectionStatus {
	return []ConnectionStatus{ConnectionActive, ConnectionExpired, ConnectionAwaiting2FA, ConnectionPending}
}

// UserData is the linked person as the provider knows them.
type UserData struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Username string `json:"username"`
	Avatar   string `json:"avatar"` // URL; empty when there is none
}

// Connection is a linked account. Its credential is not here: only the vault
// has it.
type Connection struct {
	ID                string // conn_…
	OrganisationID    string
	Environment       Environment
	ClientAppID       string
	Provider          string
	ClientReferenceID string
	Status            ConnectionStatus
	User              UserData
	Permissions       []string
	Metadata          map[string]string
	Geolocation       *Geolocation
	Exit              string    // the way out that its login took; empty: directly
	SessionID         string    // ls_… of its last link, to which its consent belongs; empty when imported
	RateLimit         RateLimit // of its proxied calls
	AppSuspended      bool      // its client app is suspended now; read only
	Imported          bool
	Version           int64 // one more at every change
	EventSequence     int64 // of its last event
	ExpiryReason      string
	ExpiredAt         time.Time // zero: not expired
	LastCheckedAt     time.Time // zero: never
	CreatedAt         time.Time
	UpdatedAt         time.Time
}

// RateLimit is the token bucket of a connection's proxied calls. The zero value
// is the default: 60 a minute, 90 at once.
type RateLimit struct {
	PerMinute int `json:"perMinute,omitzero"` // tokens that come back in a minute; 0: 60
	Burst     int `json:"burst,omitzero"`     // tokens that can be saved up; 0: 90
}

// The default of RateLimit.
const (
	DefaultPerMinute = 60
	DefaultBurst     = 90
)

// OrDefault returns the limit with its zeros filled in.
func (r RateLimit) OrDefault() RateLimit {
	return RateLimit{PerMinute: cmp.Or(r.PerMinute, DefaultPerMinute), Burst: cmp.Or(r.Burst, DefaultBurst)}
}

// SealedCredential is a connection's credential as it lies in the store, with
// what is planned for it.
type SealedCredential struct {
	Bytes     []byte
	ExpiresAt time.Time // when it must be refreshed; zero: unknown or never
	EndsAt    time.Time // when no refresh helps any more; zero: unknown or never
	WarnAt    time.Time // when its app is told that it is about to end; zero: never; write only
	CheckAt   time.Time // when the provider is next asked about it; zero: never; write only
	// RefreshBegun is the end of the lease of a refresh that was begun and not
	// finished; zero: there is none. It is read only.
	RefreshBegun time.Time
	Unproved     bool // the one before it is kept, since it has not worked yet; read only
	// Digest is the SHA-256 that Bytes must have, from another table; nil: of a
	// release that kept none. It is read only.
	Digest []byte
}

// DueCheck is a live connection whose provider is to be asked about it,
// claimed under a lease.
type DueCheck struct {
	Connection Connection
	Failures   int       // checks in a row that came to nothing
	LeaseUntil time.Time // of this claim
}

// CheckOutcome is what is remembered of a check.
type CheckOutcome struct {
	CheckedAt time.Time // when the provider confirmed the connection; zero: it did not
	NextAt    time.Time // of the next check, if no known end comes before; zero: never
	At        time.Time // of the outcome
	Failures  int       // checks in a row that came to nothing
}

// ExpiringConnection is a connection whose app is to be told that its
// credential is about to end.
type ExpiringConnection struct {
	Connection Connection
	EndsAt     time.Time
}

// ConnectionFilter narrows a list of connections; zero fields do not narrow.
type ConnectionFilter struct {
	OrganisationID    string
	Environment       Environment
	Status            ConnectionStatus
	Imported          *bool
	ClientReferenceID string
	Provider          string
	Limit, Offset     int
}

// Revocation is the promise to end a credential at its provider. It keeps the
// sealed credential until that is done, since the connection has lost it.
type Revocation struct {
	ID         string // the connection's id and version: one for each ended credential
	Connection Connection
	Credential []byte // sealed, bound to the connection
	Attempts   int
	DueAt      time.Time // of the next try; while claimed, the end of the lease
	LeaseUntil time.Time
	CreatedAt  time.Time
}

// RevocationID names the revocation of the credential that a connection lost
// when it came to the version.
func RevocationID(connectionID string, version int64) string {
	return connectionID + "." + strconv.FormatInt(version, 10)
}
