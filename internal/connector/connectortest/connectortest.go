// Package connectortest is the contract that every provider's folder must
// pass: its tests call Run with one good way through the login and some bad
// ones, against a peer of their own (a fake server, or nothing at all).
//
//	Case ─▶ description: id, name, domain, environments, logo
//	     ─▶ walk: a new instance for every step, from the state alone ─▶ Done
//	     ─▶ refusals: a wrong input is refused, and appears nowhere
//	     ─▶ cancellation: a cancelled call returns at once, and ends nothing
//	     ─▶ skills: Authorize, Keep, Check, Refresh, Revoke, Handler
//
// Each check returns the errors it found, so that the kit itself is tested
// with connectors that break the contract.
package connectortest

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// Case is a provider with the inputs that lead through its login.
type Case struct {
	// New returns a fresh instance that tells the time by now. It is called for
	// every single step, since a connector keeps nothing in memory.
	New func(now func() time.Time) connector.Connector

	// Start is the time of the first step; zero: 1 March 2026. Times pass only
	// by a Submission's After.
	Start time.Time

	// HTTP is the way to the provider's peer; nil: any use of the network fails.
	HTTP *http.Client

	// CallbackURL is where a redirect must lead back to; "": a fixed one.
	CallbackURL string

	// Permissions are those of the login.
	Permissions []string

	// Resent are fields that the provider wants once more with the second
	// factor. The state of a second factor may hold them, and nothing else.
	Resent []string

	// Walk is what is submitted, step by step, from the first answer to Done.
	Walk []Submission

	// Wrong are inputs that must be refused. A provider whose first step has a
	// password owes at least one.
	Wrong []Wrong
}

// Submission is what a person, or the provider's redirect, hands in.
type Submission struct {
	After    time.Duration     // passes first
	Action   latchkey.Action   // "": callback after a redirect, poll after a wait, else continue
	Method   string            // the second factor chosen
	Fields   map[string]string // by field name
	Callback Callback          // after a redirect: follows it
}

// Callback follows a redirect as a browser would, and returns the query with
// which the provider sends the person back.
type Callback func(ctx context.Context, redirect string) (url.Values, error)

// Wrong is an input that must be refused.
type Wrong struct {
	Name       string // a sentence: "a wrong password is refused"
	At         int    // the number of submissions of the walk that go before
	Submission Submission
	Code       latchkey.FailureCode // of the refusal
}

// Run tests the contract. It does not run in parallel.
func Run(t *testing.T, c Case) {
	t.Helper()
	if c.New == nil || len(c.Walk) == 0 {
		t.Fatal("a case needs New and a walk")
	}
	report := func(errs []error) func(*testing.T) {
		return func(t *testing.T) {
			for _, err := range errs {
				t.Error(err)
			}
		}
	}
	t.Run("the description is complete and safe to show", report(checkDescription(c.connector())))
	for _, wrong := range c.Wrong {
		t.Run(wrong.Name, report(checkWrong(t.Context(), c, wrong)))
	}
	t.Run("a login with a password owes a refusal", report(checkRefusals(t.Context(), c)))
	t.Run("a cancelled call returns at once and ends nothing", report(checkCancellation(t.Context(), c)))
	done, errs := checkWalk(t.Context(), c)
	t.Run("the walk ends in a linked account, each step by another instance", report(errs))
	if len(errs) == 0 {
		t.Run("the credential is good for what the provider can do", report(checkSkills(t.Context(), c, done)))
	}
}

// start returns the time of the first step.
func (c Case) start() time.Time {
	if c.Start.IsZero() {
		return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	}
	return c.Start
}

// end returns the time after the whole walk.
func (c Case) end() time.Time {
	now := c.start()
	for _, submission := range c.Walk {
		now = now.Add(submission.After)
	}
	return now
}

// connector returns a fresh instance at the end of the walk.
func (c Case) connector() connector.Connector {
	now := c.end()
	return c.New(func() time.Time { return now })
}

// client returns the way out.
func (c Case) client() *http.Client {
	if c.HTTP != nil {
		return c.HTTP
	}
	return &http.Client{Transport: closedNetwork{}}
}

// closedNetwork refuses every request.
type closedNetwork struct{}

// RoundTrip fails.
func (closedNetwork) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, http.ErrNotSupported
}
