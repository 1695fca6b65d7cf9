// Package connector is the contract between Latchkey and a provider: one verb
// that advances a login by a step, and optional skills for what a live
// connection needs.
//
//	Advance(nil state, no input) ─▶ Prompt ─▶ Advance(input) ─▶ Prompt (2fa) ─▶ Advance ─▶ Done
//	                             └▶ Redirect ─▶ Advance(callback query) ────────────────▶ Done
//	                                Wait ─▶ Advance(poll) ─▶ Wait … ────────────────────▶ Done
//
// A connector keeps nothing in memory between calls: what it needs next time
// goes into the step's State, which is sealed at rest, so that any replica can
// go on.
package connector

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"latchkey"
)

// Connector links accounts of one provider.
type Connector interface {
	// Describe returns the provider's fixed facts. It does no I/O.
	Describe() Description

	// Advance takes a login one step further. With a Flow whose State is nil it
	// is the first call and Input is empty.
	//
	// It owes: to respect ctx; to use only Flow.HTTP for the network; to put
	// everything it wants to remember into the returned step's State; to keep
	// no secret beyond the call; to return a Prompt with Refused set when the
	// person may try again, and a *Failure when the login is over. Any other
	// error means that the provider can't be reached or understood: the session
	// goes back to the step it was at, with provider_unavailable.
	Advance(ctx context.Context, flow Flow, input Input) (Step, error)
}

// Description is what does not change about a provider.
type Description struct {
	ID           string // as clients name it: ^[a-z][a-z0-9-]{0,31}$
	Name         string // as people know it
	Domain       string // the site the credentials belong to
	Environments []latchkey.Environment
	Logo         []byte // SVG

	// OwnPage says that people log in on the provider's own page (OAuth): a
	// form of ours that asks for its password is refused.
	OwnPage bool
	// CheckEvery is how often a live connection is asked after; 0: the usual.
	CheckEvery time.Duration
	// RequestsPerMinute is the most that a replica asks of the provider by
	// itself, proxied calls not counted; 0: the usual.
	RequestsPerMinute int
}

// Flow is a login in progress.
type Flow struct {
	SessionID   string
	Environment latchkey.Environment
	Permissions []string
	State       []byte // what the last step asked to remember; nil at first
	// CallbackURL is where a Redirect must send the person back to. It is of
	// this provider and organisation alone, so that an answer meant for one is
	// never taken for another's.
	CallbackURL string
	// RedirectState is what a Redirect must carry as its state, and its
	// callback bring back (RFC 6749, section 4.1.1). It is of this session and
	// step alone, and nobody can make it up.
	RedirectState string
	HTTP          *http.Client
	Now           time.Time
}

// Input is what came in for the step. The fields are zeroed by the caller
// after the call.
type Input struct {
	Action latchkey.Action // continue, resend, back, poll or callback; "" at first
	Method string          // the second factor chosen, where the prompt offered several
	Fields map[string]latchkey.Secret
	Query  url.Values // of a callback
}

// Step is what comes next: a Prompt, a Redirect, a Wait or Done.
type Step interface{ step() }

// Prompt asks for fields.
type Prompt struct {
	At      latchkey.State // StateLogin or StateTwoFactor
	Prompt  latchkey.Prompt
	Refused latchkey.FailureCode // why the last input was refused; "" when this is a new question
	State   []byte
}

// Redirect sends the person to the provider's own page.
type Redirect struct {
	URL   string
	State []byte
}

// Wait asks to be polled: something happens elsewhere.
type Wait struct {
	After  time.Duration   // until the next look is worth it
	Prompt latchkey.Prompt // what to show meanwhile: Message, TwoFactor
	State  []byte
}

// Done is a finished login.
type Done struct {
	User       latchkey.UserData
	Credential Credential
}

func (Prompt) step()   {}
func (Redirect) step() {}
func (Wait) step()     {}
func (Done) step()     {}

// Credential is what the vault keeps of a login: opaque bytes only its
// connector can read.
type Credential struct {
	Secret    []byte    // zeroed by the caller once sealed
	ExpiresAt time.Time // when a Refresher must renew it; zero: unknown or never
	EndsAt    time.Time // when not even a Refresher can renew it any more; zero: unknown or never
}

// Failure ends a login.
type Failure struct {
	Code   latchkey.FailureCode
	Reason string // for the operator: what was seen, without any credential
}

// Error tells the code and the reason.
func (f *Failure) Error() string { return string(f.Code) + ": " + f.Reason }

// Access is what a skill works with: an opened credential and the way out. The
// caller zeroes the credential after the call.
type Access struct {
	ConnectionID string
	Credential   []byte
	HTTP         *http.Client
	Now          time.Time
}

// Profile is the linked person, live from the provider.
type Profile struct {
	User latchkey.UserData
	Raw  []byte // the provider's own JSON, bounded
}

// ErrDead is wrapped by a skill's error when the provider says that the
// credential is no longer good. Any other error leaves the connection alive.
// A *Dead is one, and says why.
var ErrDead = &Failure{Code: latchkey.FailureSessionExpired, Reason: "the provider no longer accepts the credential"}

// The reasons for which a connection expires, as its expiry tells them.
const (
	DeadSession  = "session_expired"  // it has served its time, or nobody knows why it ended
	DeadRevoked  = "revoked"          // the person, or the provider, has withdrawn it
	DeadPassword = "password_changed" // the person has changed the password //nolint:gosec // a reason
	DeadBlocked  = "provider_blocked" // the provider has blocked the account
)

// Dead is an ErrDead that knows its reason, one of the constants above.
type Dead struct{ Reason string }

// Error tells the reason.
func (d *Dead) Error() string { return ErrDead.Reason + ": " + d.Reason }

// Is makes it an ErrDead.
func (d *Dead) Is(target error) bool { return target == error(ErrDead) }

// ReasonOf returns why the credential of an ErrDead is dead.
func ReasonOf(err error) string {
	if dead, ok := errors.AsType[*Dead](err); ok {
		return dead.Reason
	}
	return DeadSession
}

// ErrBlocked is wrapped by an error when the provider takes us for a machine
// that it does not want: a captcha, an answer 403 where none belongs. Whoever
// asks stops asking for a while, and tells the operator.
var ErrBlocked = errors.New("the provider refuses automated requests")

// Authorizer is the skill of calling the provider's API through the proxy.
type Authorizer interface {
	// Base returns where proxied requests go: scheme, host and path prefix.
	Base(credential []byte) (*url.URL, error)
	// Authorize adds the credential to an outgoing request. The proxy has
	// already removed every credential the caller sent.
	Authorize(out *http.Request, credential []byte) error
}

// Local is the skill of a provider that lives in this process: proxied
// requests are answered by its handler and touch no network.
type Local interface {
	Handler() http.Handler
}

// Instant is the skill of a provider that works some steps out by itself: from
// the flow and the input alone, at once and without the network. What comes of
// such a step may be thrown away unseen, and worked out again.
type Instant interface {
	// Instant reports whether Advance answers the input at the step so, whatever
	// the flow's State. The first call is of StateAuthorization.
	Instant(at latchkey.State, input Input) bool
}

// Keeper is the skill of a provider whose answers change the credential, as a
// Set-Cookie does.
type Keeper interface {
	// Keep returns the credential with what the answer's header changed, and
	// whether anything changed.
	Keep(credential []byte, answer *http.Response) (changed []byte, ok bool)
}

// Checker is the skill of asking the provider who the connection is. An error
// wrapping ErrDead means that it is nobody any more.
type Checker interface {
	Check(ctx context.Context, access Access) (Profile, error)
}

// Refresher is the skill of renewing a credential before it expires. An error
// wrapping ErrDead means that the person must link again.
type Refresher interface {
	Refresh(ctx context.Context, access Access) (Credential, error)
}

// Exporter is the skill of showing a credential to an app whose operator may
// have it. The result is a JSON object.
type Exporter interface {
	Export(credential []byte) ([]byte, error)
}

// Importer is the skill of taking over a session that an app has at the
// provider, as the browser's cookie and user agent. It asks the provider who
// that is. It returns Done, or a *Failure: invalid_credentials when the
// provider does not know the session.
type Importer interface {
	// Imports reports whether the provider's sessions are cookies at all.
	Imports() bool
	Import(ctx context.Context, flow Flow, cookie, userAgent latchkey.Secret) (Done, error)
}

// Rehearser is the skill of a provider at which nothing is real: it says how to
// log in, so that a page can tell who tries it out.
type Rehearser interface {
	Scenarios() []Scenario
}

// Scenario is something that a provider can act out. Its JSON form is one entry
// of the scenarios that an embedded page announces in sandbox_info.
type Scenario struct {
	ID          string `json:"id"`
	AccountType string `json:"accountType"`      // creator or fan
	LoginType   string `json:"loginType"`        // password or app_otp
	Password    string `json:"password"`         // public
	OTPCode     string `json:"otpCode,omitzero"` // public; where a code is asked for
	Address     string `json:"-"`                // an example; any other name before "@" is another user
	Outcome     string `json:"-"`                // what happens, in words
}

// Revoker is the skill of ending a credential at the provider. It returns nil
// also when the credential was dead already, and ErrNoRevocation when the
// provider knows no way after all; any other error is tried again later.
type Revoker interface {
	Revoke(ctx context.Context, access Access) error
}

// Concealer is the skill of naming what of a credential nobody but the provider
// may see. The proxy masks it wherever an answer repeats it. What is not named
// may be shown: an address, the name of a user.
type Concealer interface {
	// Conceal returns the secret parts. The caller zeroes them. It returns none
	// for a credential that it can't read.
	Conceal(credential []byte) []latchkey.Secret
}
