package latchkey

import (
	"context"
	"crypto/rand"
	"iter"
	"time"
)

// LinkService starts link sessions and follows them. Its calls need the scope
// LINK.
type LinkService struct{ client *Client }

// Mode is how a session is driven.
type Mode string

// The modes of the answer to Init.
const (
	ModeHosted     Mode = "hosted"     // by Latchkey's pages
	ModeWhitelabel Mode = "whitelabel" // by the app's own, with Submit
)

// ModeHint chooses among the client apps when none is named.
type ModeHint string

// The hints. All but HintWhitelabel lead to ModeHosted.
const (
	HintRedirect   ModeHint = "redirect"
	HintEmbed      ModeHint = "embed"
	HintHosted     ModeHint = "hosted"
	HintWhitelabel ModeHint = "whitelabel"
)

// InitRequest asks for a link session. Every field may be left out.
type InitRequest struct {
	ClientAppID       string            `json:"clientAppId,omitempty"`       // app_…; empty: the oldest that fits
	RedirectURL       string            `json:"redirectUrl,omitempty"`       // one of the app's; empty: its first
	ClientReferenceID string            `json:"clientReferenceId,omitempty"` // your id of the user, 1 to 255 characters
	ConnectionID      string            `json:"connectionId,omitempty"`      // conn_…: link this one anew
	Geolocation       *Geolocation      `json:"geolocation,omitempty"`
	Mode              ModeHint          `json:"mode,omitempty"`        // deprecated: a hint without ClientAppID
	Options           *InitOptions      `json:"options,omitempty"`     // deprecated
	Origin            string            `json:"origin,omitempty"`      // deprecated: the app's allowed origins count
	Provider          string            `json:"provider,omitempty"`    // one of the app's; empty: the page asks
	Permissions       []string          `json:"permissions,omitempty"` // some of the app's; empty: all
	ExpiresIn         int               `json:"expiresIn,omitempty"`   // seconds, 300 to 3600; 0: the organisation's default
	Locale            string            `json:"locale,omitempty"`      // BCP 47
	Metadata          map[string]string `json:"metadata,omitempty"`    // up to 20, kept with the connection
}

// Geolocation picks where the provider is called from.
type Geolocation struct {
	Country string `json:"country"`         // ISO 3166-1 alpha-2
	State   string `json:"state,omitempty"` // the part of ISO 3166-2 after the dash
	City    string `json:"city,omitempty"`
}

// InitOptions are deprecated, and honoured only where the client app allows
// the same.
type InitOptions struct {
	ReturnRawSession bool `json:"returnRawSession,omitempty"`
}

// InitAnswer is a session that was started.
type InitAnswer struct {
	Mode         Mode      `json:"mode"`
	URL          string    `json:"url,omitempty"`          // of the page, for one person's browser; ModeHosted
	ClientSecret string    `json:"clientSecret,omitempty"` // opens the session; ModeWhitelabel
	ExpiresAt    time.Time `json:"expiresAt"`
	SessionID    string    `json:"sessionId"` // ls_…, opens nothing and may be logged
	Replayed     bool      `json:"-"`         // the answer is that of an earlier call with the same idempotency key
}

// CallOption changes one call.
type CallOption func(*call)

// WithIdempotencyKey makes the server answer the same call with the same key,
// up to 255 bytes of printable ASCII, with the same session for 24 hours.
// Another request with the key is a conflict.
func WithIdempotencyKey(key string) CallOption { return func(c *call) { c.key = key } }

// Init starts a session. Without an idempotency key of the caller's it has a
// random one, so that its own retries never start two.
func (s *LinkService) Init(ctx context.Context, request InitRequest, options ...CallOption) (*InitAnswer, error) {
	made := call{pattern: "POST /v2/link/init", body: request, key: rand.Text()}
	for _, option := range options {
		option(&made)
	}
	var answer InitAnswer
	header, err := s.client.do(ctx, made, &answer)
	if err != nil {
		return nil, err
	}
	answer.Replayed = header.Get("Idempotent-Replayed") == "true"
	return &answer, nil
}

// ConfirmRequest is what came back in the redirect of an app that requires
// confirmation, and the reference of the user who is signed in.
type ConfirmRequest struct {
	Code              string `json:"code"` // good once, for 60 seconds
	ClientReferenceID string `json:"clientReferenceId"`
}

// Confirm makes the connection of a session that awaits it. It is never sent
// twice: a code is good once.
func (s *LinkService) Confirm(ctx context.Context, request ConfirmRequest) (*Session, error) {
	return get[Session](ctx, s.client, call{pattern: "POST /v2/link/confirm", body: request})
}

// Status tells how the session of the client secret (cs_…) stands. An unknown
// one has the status StatusNotFound and is no error.
func (s *LinkService) Status(ctx context.Context, clientSecret string) (*Session, error) {
	return get[Session](ctx, s.client, call{pattern: "GET /v2/link/{clientSecret}", id: clientSecret})
}

// Session tells how the session of the id (ls_…) stands. An unknown one has
// the status StatusNotFound and is no error.
func (s *LinkService) Session(ctx context.Context, id string) (*Session, error) {
	return get[Session](ctx, s.client, call{pattern: "GET /v2/link/sessions/{id}", id: id})
}

// Sessions returns one page of the sessions, newest first.
func (s *LinkService) Sessions(ctx context.Context, filter SessionFilter) (*Page[SessionSummary], error) {
	return get[Page[SessionSummary]](ctx, s.client, call{pattern: "GET /v2/link/sessions", query: filter.query()})
}

// AllSessions reads all sessions, newest first, page by page.
func (s *LinkService) AllSessions(ctx context.Context, filter SessionFilter) iter.Seq2[SessionSummary, error] {
	return all(filter.Limit, filter.Offset, func(limit, offset int) (*Page[SessionSummary], error) {
		filter.Limit, filter.Offset = limit, offset
		return s.Sessions(ctx, filter)
	})
}

// Submit answers the step that a whitelabel session shows. It is never sent
// twice; a submission for an older step is a conflict, whose Error shows the
// session as it stands (CurrentSession).
func (s *LinkService) Submit(ctx context.Context, clientSecret string, submission Submission) (*Session, error) {
	return get[Session](ctx, s.client,
		call{pattern: "POST /v2/link/{clientSecret}/submit", id: clientSecret, body: submission})
}

// Delete ends the session and shreds what it held. An unknown one is no error.
func (s *LinkService) Delete(ctx context.Context, clientSecret string) error {
	_, err := s.client.do(ctx, call{pattern: "DELETE /v2/link/{clientSecret}", id: clientSecret}, nil)
	return err
}
