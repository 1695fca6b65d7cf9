package link

import (
	"context"
	"crypto/subtle"
	"net/url"
	"strconv"
	"strings"

	"latchkey"
	"latchkey/internal/connector"
)

// CallbackPath is where below the link URL people come back from a provider's
// own page: "/callback/{provider}/{organisation}". Each provider of each
// organisation has a path of its own, so that an answer which a hostile
// provider got out of another's page can't be handed to the wrong one.
const CallbackPath = "/callback/"

// Callback is an answer that somebody brings back from a provider's own page.
type Callback struct {
	Provider       string // of the path
	OrganisationID string // of the path
	Query          url.Values
	Seen           Witness
}

// State is the value by which the answer says what it belongs to, "" when it
// says so never, or more than once.
func (c Callback) State() string {
	if states := c.Query["state"]; len(states) == 1 {
		return states[0]
	}
	return ""
}

// maxState bounds a state, in bytes; ours have about 80.
const maxState = 256

// SessionOfState returns the id of the session that a state says it belongs
// to. Whether it does is for Return to find out.
func SessionOfState(state string) (id string, ok bool) {
	id, _, ok = splitState(state)
	return id, ok
}

// splitState reads "<session id>.<version>.<keyed hash>".
func splitState(state string) (id string, version int64, ok bool) {
	if len(state) > maxState {
		return "", 0, false
	}
	parts := strings.Split(state, ".")
	if len(parts) != 3 || !latchkey.ValidID(parts[0], latchkey.PrefixSession) {
		return "", 0, false
	}
	version, err := strconv.ParseInt(parts[1], 10, 64)
	return parts[0], version, err == nil
}

// redirectState is what the redirect of a session carries to the provider, and
// its callback back: of the session and of the version at which it waits for
// it. Nobody else can make it up (RFC 6749, section 10.12).
func (l *Links) redirectState(session *latchkey.LinkSession, version int64) string {
	stem := session.ID + "." + strconv.FormatInt(version, 10)
	return stem + "." + l.config.Sealer.Fingerprint("redirect", session.OrganisationID+" "+session.Progress.Provider+" "+stem)
}

// callbackURL is where the provider sends the person back to.
func (l *Links) callbackURL(session *latchkey.LinkSession) string {
	return CallbackURL(l.config.LinkURL, session.Progress.Provider, session.OrganisationID)
}

// CallbackURL is what an operator registers with a provider as the redirect
// URI, for one organisation.
func CallbackURL(linkURL, provider, organisationID string) string {
	return linkURL + CallbackPath + provider + "/" + organisationID
}

// LeaveURL is where a person is sent to go on to the provider's own page: a
// page of ours, which lets the browser be known when it comes back.
func (l *Links) LeaveURL(secret string) string {
	return l.config.LinkURL + "/s/" + secret + "/provider"
}

// ProviderURL is the provider's own page on which the session waits for the
// person, "" when it does not.
func ProviderURL(session *latchkey.LinkSession) string {
	if session.State != latchkey.StateRedirect {
		return ""
	}
	return session.Progress.RedirectURL
}

// Return takes what somebody brings back from a provider's own page to the
// session whose secret their browser kept. It is forbidden, and nothing
// happens, unless the answer belongs to that session and provider. As with
// Step, the session comes too when it has moved on.
func (l *Links) Return(ctx context.Context, secret string, callback Callback) (*latchkey.LinkSession, error) {
	session, err := l.Find(ctx, secret)
	if err != nil {
		return nil, err
	}
	state := callback.State()
	_, version, ok := splitState(state)
	own := l.redirectState(session, version)
	if !ok || callback.Provider != session.Progress.Provider || callback.OrganisationID != session.OrganisationID ||
		subtle.ConstantTimeCompare([]byte(own), []byte(state)) != 1 {
		return nil, latchkey.Errorf(latchkey.Forbidden, "this answer does not belong to what this browser began")
	}
	if session.State == latchkey.StateRedirect && version != session.Progress.RedirectVersion {
		return session, moved()
	}
	return l.StepFrom(ctx, secret, session, Submission{
		Version: session.Version, Action: latchkey.ActionCallback, Query: callback.Query, Seen: callback.Seen,
		returned: true,
	})
}

// redirected sends the person to the provider's own page.
func (l *Links) redirected(ctx context.Context, trial tried, step connector.Redirect) (*latchkey.LinkSession, error) {
	next := l.settled(trial.LinkSession, latchkey.StateRedirect)
	next.Progress.RedirectURL, next.Progress.RedirectVersion = step.URL, next.Version
	return l.remember(ctx, trial, next, step.State)
}

// stateFor is the state that goes with an input: for an answer the one that it
// came with, else a new one.
func (l *Links) stateFor(claimed *latchkey.LinkSession, input connector.Input) string {
	if input.Action == latchkey.ActionCallback {
		return l.redirectState(claimed, claimed.Progress.RedirectVersion)
	}
	return l.redirectState(claimed, claimed.Version+1)
}
