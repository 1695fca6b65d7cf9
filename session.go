package latchkey

import "time"

// LinkSession is one person's way from an app to a connection. It is stored in
// three parts that change at different speeds: the columns, the Request that
// never changes, and the Progress that every step rewrites.
type LinkSession struct {
	ID             string // ls_…
	SecretHash     string // HashSecret of the cs_… secret
	OrganisationID string
	Environment    Environment
	ClientAppID    string
	State          State
	Version        int64 // one more at every change
	ExpiresAt      time.Time
	LeaseUntil     time.Time // while trying: until when nobody else may try; else zero
	CreatedAt      time.Time
	UpdatedAt      time.Time
	Request        SessionRequest
	Progress       SessionProgress
	Flow           []byte // the connector's state between steps, sealed
}

// SessionRequest is what init asked for and was granted. It never changes.
type SessionRequest struct {
	Mode              Mode              `json:"mode"`
	RedirectURL       string            `json:"redirectUrl,omitzero"`
	ClientReferenceID string            `json:"clientReferenceId,omitzero"`
	ConnectionID      string            `json:"connectionId,omitzero"` // the connection to reconnect
	Providers         []string          `json:"providers"`
	Permissions       []Permission      `json:"permissions"`
	Locale            string            `json:"locale,omitzero"`
	Metadata          map[string]string `json:"metadata,omitzero"`
	Geolocation       *Geolocation      `json:"geolocation,omitzero"`
}

// Geolocation picks the egress of a session and of its connection.
type Geolocation struct {
	Country string `json:"country"`        // ISO 3166-1 alpha-2
	State   string `json:"state,omitzero"` // the part of ISO 3166-2 after the dash
	City    string `json:"city,omitzero"`
}

// SessionProgress is how far the session has come. It holds no secret.
type SessionProgress struct {
	Provider     string      `json:"provider,omitzero"`
	Step         State       `json:"step,omitzero"` // the step being tried, or at which the session ended
	Prompt       Prompt      `json:"prompt,omitzero"`
	AttemptsLeft int         `json:"attemptsLeft"`
	Refused      FailureCode `json:"refused,omitzero"` // why the last input was refused
	RedirectURL  string      `json:"redirectUrl,omitzero"`
	RetryAfter   int         `json:"retryAfter,omitzero"` // seconds until a wait is worth a look
	Failure      FailureCode `json:"failure,omitzero"`
	Reason       string      `json:"reason,omitzero"` // for the operator, never shown to the person
	ConsentedAt  time.Time   `json:"consentedAt,omitzero"`
	ConnectionID string      `json:"connectionId,omitzero"`
	UserData     *UserData   `json:"userData,omitzero"`
	Deleted      bool        `json:"deleted,omitzero"` // the app wants to hear of it no more
}

// Status returns the session's status in the published API.
func (s *LinkSession) Status() SessionStatus {
	switch s.State {
	case StatePreLogin, StateAuthorization:
		return StatusInitialized
	case StateLogin:
		if s.Progress.Refused == FailureInvalidCredentials {
			return StatusInvalidCredentials
		}
		return StatusInitialized
	case StateTwoFactor:
		return StatusAwaiting2FA
	case StateTrying, StateRedirect:
		return StatusPending
	case StateWait:
		if s.Progress.Prompt.TwoFactor != nil {
			return StatusAwaiting2FA
		}
		return StatusPending
	case StateCompleted:
		return StatusCompleted
	case StateDenied:
		return StatusDenied
	case StateFailed, StateExpired:
		return StatusFailed
	}
	return StatusNotFound
}
