package latchkey

import "time"

// LinkSession is one person's way from an app to a connection. It is stored in
// three parts that change at different speeds: the columns, the Request that
// never changes, and the Progress that every step rewrites.
type LinkSession struct {
	ID             string // ls_…
	SecretHash     string // HashClientSecret of the cs_… secret
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
	Flow           []byte // the connector's state between steps, or what waits for its confirmation, sealed
	AppSuspended   bool   // its client app is suspended now; read only
	ConfirmCode    string // what confirms the link: in the one answer that made it, stored nowhere
}

// SessionRequest is what init asked for and was granted. It never changes.
type SessionRequest struct {
	Mode              Mode              `json:"mode"`
	RedirectURL       string            `json:"redirectUrl,omitzero"`
	ClientReferenceID string            `json:"clientReferenceId,omitzero"`
	ConnectionID      string            `json:"connectionId,omitzero"` // the connection to reconnect
	Expected          string            `json:"expected,omitzero"`     // username, or name, of its account
	Providers         []string          `json:"providers"`
	Permissions       []Permission      `json:"permissions"`
	Locale            string            `json:"locale,omitzero"`
	Metadata          map[string]string `json:"metadata,omitzero"`
	Geolocation       *Geolocation      `json:"geolocation,omitzero"`
	Exit              string            `json:"exit,omitzero"`      // the way out of the connection to reconnect
	Origin            string            `json:"origin,omitzero"`    // the embedding origin the app named, if it is one of its own
	Confirm           bool              `json:"confirm,omitzero"`   // the app's backend must confirm the link
	ReturnRaw         bool              `json:"returnRaw,omitzero"` // the app may be given the credential itself
}

// Geolocation picks the egress of a session and of its connection.
type Geolocation struct {
	Country string `json:"country"`        // ISO 3166-1 alpha-2
	State   string `json:"state,omitzero"` // the part of ISO 3166-2 after the dash
	City    string `json:"city,omitzero"`
}

// Place returns where the session goes out from: what init named, else where
// the person was when the login began; nil when nobody knows.
func (s *LinkSession) Place() *Geolocation {
	if s.Request.Geolocation != nil {
		return s.Request.Geolocation
	}
	return s.Progress.Place
}

// SessionProgress is how far the session has come. It holds no secret.
type SessionProgress struct {
	Provider     string      `json:"provider,omitzero"`
	Step         State       `json:"step,omitzero"` // the step being tried, or at which the session ended
	Prompt       Prompt      `json:"prompt,omitzero"`
	AttemptsLeft int         `json:"attemptsLeft"`
	Refused      FailureCode `json:"refused,omitzero"`     // why the last input was refused
	RedirectURL  string      `json:"redirectUrl,omitzero"` // the provider's own page, on which the person is
	// RedirectVersion is that of the session when it sent the person there: an
	// answer to any other redirect does not count.
	RedirectVersion int64       `json:"redirectVersion,omitzero"`
	RetryAfter      int         `json:"retryAfter,omitzero"` // seconds until a wait is worth a look
	Failure         FailureCode `json:"failure,omitzero"`
	Reason          string      `json:"reason,omitzero"` // for the operator, never shown to the person
	Came            string      `json:"came,omitzero"`   // username, or name, of the account that logged in instead of the expected one
	ConsentedAt     time.Time   `json:"consentedAt,omitzero"`
	ConnectionID    string      `json:"connectionId,omitzero"`
	UserData        *UserData   `json:"userData,omitzero"`
	Deleted         bool        `json:"deleted,omitzero"`  // the app wants to hear of it no more
	Account         string      `json:"account,omitzero"`  // keyed hash of the account that is being logged in to
	CodeHash        string      `json:"codeHash,omitzero"` // HashSecret of the code that confirms the link
	CodeEndsAt      time.Time   `json:"codeEndsAt,omitzero"`

	Place *Geolocation `json:"place,omitzero"` // where the person was when the login began, unless init named a place
	Exit  string       `json:"exit,omitzero"`  // the way out that was taken last; empty: directly
}

// Consequences are what is committed together with a session's step, all or
// none.
type Consequences struct {
	Events      []Event
	Records     []AuditRecord
	Take        []Attempt // tries to count; when one is over its budget the step is refused as rate limited
	Release     []Attempt // tries to forget, because they were right
	Revocations []Revocation
}

// Attempt is one try against a budget that holds for everybody: an account, an
// address.
type Attempt struct {
	Key     string    // what is counted: a keyed hash, so that the store learns no name
	At      time.Time // of the try
	Budgets []Budget
}

// Budget is how many tries there may be within any span of a length.
type Budget struct {
	Tries  int
	Within time.Duration
}

// SessionFilter narrows a list of sessions; zero fields do not narrow.
type SessionFilter struct {
	OrganisationID    string
	Environment       Environment
	Status            SessionStatus
	ClientAppID       string
	ClientReferenceID string
	From, To          time.Time // created at or after, and before
	Limit, Offset     int
}

// IdempotencyKey is what is remembered of an init that may be asked for again.
type IdempotencyKey struct {
	OrganisationID string
	Environment    Environment
	KeyHash        string // HashSecret of the header
	BodyHash       string // of the request
	SessionID      string
	Answer         []byte // the client secret, sealed
	CreatedAt      time.Time
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
	case StateTrying, StateRedirect, StateConfirm:
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
