package latchkey

import (
	"encoding/json"
	"net/url"
	"time"
)

// SessionStatus is how a link session stands.
type SessionStatus string

// The statuses of a session.
const (
	StatusInitialized        SessionStatus = "initialized"         // nothing was submitted yet
	StatusPending            SessionStatus = "pending"             // a login is being tried, or awaits confirmation
	StatusAwaiting2FA        SessionStatus = "awaiting_2fa"        // the provider wants a second factor
	StatusCompleted          SessionStatus = "completed"           // linked
	StatusInvalidCredentials SessionStatus = "invalid_credentials" // refused; another try is possible
	StatusDenied             SessionStatus = "denied"              // the person, or the provider, said no
	StatusFailed             SessionStatus = "failed"              // gave up
	StatusNotFound           SessionStatus = "not_found"           // unknown or deleted
)

// Final reports whether the session has ended.
func (s SessionStatus) Final() bool {
	return s == StatusCompleted || s == StatusDenied || s == StatusFailed || s == StatusNotFound
}

// FailureCode says why a session did not end in a connection, or why what was
// submitted was refused.
type FailureCode string

// The failure codes.
const (
	FailureSessionExpired      FailureCode = "session_expired"
	FailureInvalidCredentials  FailureCode = "invalid_credentials"
	FailureAccountLocked       FailureCode = "account_locked"
	FailureTwoFactor           FailureCode = "2fa_failed"
	FailureAccessDenied        FailureCode = "access_denied"
	FailureAccountMismatch     FailureCode = "account_mismatch" // another account than the one to be linked anew
	FailureProviderUnavailable FailureCode = "provider_unavailable"
	FailureTooManyAttempts     FailureCode = "too_many_attempts"
	FailureLocationUnavailable FailureCode = "location_unavailable"
	FailureCancelled           FailureCode = "cancelled"
)

// Session is how a session stands.
type Session struct {
	Status SessionStatus `json:"status"`
	Data   *SessionData  `json:"data,omitempty"` // nil for StatusNotFound
}

// SessionData is what the status carries.
type SessionData struct {
	Step           *Step           `json:"step,omitempty"` // what is wanted next, or where the person gave up
	TwoFactorState *TwoFactorState `json:"twoFactorState,omitempty"`
	ID             string          `json:"id,omitempty"` // conn_…, when completed
	UserData       *UserData       `json:"userData,omitempty"`
	ErrorCode      FailureCode     `json:"errorCode,omitempty"`
	Session        json.RawMessage `json:"session,omitempty"` // the raw session, only where that is allowed
}

// UserData is the linked person as the provider knows them.
type UserData struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Username string  `json:"username"`
	Avatar   *string `json:"avatar"` // URL; nil: none
}

// SessionSummary is a session in a list.
type SessionSummary struct {
	ID                string        `json:"id"` // ls_…
	Status            SessionStatus `json:"status"`
	ClientAppID       string        `json:"clientAppId"`
	Mode              Mode          `json:"mode"`
	Provider          *string       `json:"provider"` // nil: not chosen yet
	ClientReferenceID *string       `json:"clientReferenceId"`
	ConnectionID      *string       `json:"connectionId"`
	ErrorCode         *FailureCode  `json:"errorCode"`
	Step              *StepName     `json:"step"` // where it stands or ended; nil when completed
	CreatedAt         time.Time     `json:"createdAt"`
	UpdatedAt         time.Time     `json:"updatedAt"`
	ExpiresAt         time.Time     `json:"expiresAt"`
}

// SessionFilter narrows a list of sessions; zero fields do not narrow.
type SessionFilter struct {
	Status            SessionStatus
	ClientAppID       string
	ClientReferenceID string
	From              time.Time // created at or after
	To                time.Time // created before
	Limit, Offset     int       // as in ListOptions
}

func (f SessionFilter) query() url.Values {
	return query{}.text("status", string(f.Status)).text("clientAppId", f.ClientAppID).
		text("clientReferenceId", f.ClientReferenceID).time("from", f.From).time("to", f.To).page(f.Limit, f.Offset)
}
