package recipe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// Bounds of one call.
const (
	maxRequests = 24
	maxSteps    = 12
	callLimit   = 45 * time.Second
)

// visit is one call's stay at a provider: its cookies, its saved values, and
// what was submitted.
type visit struct {
	recipe    *Recipe
	transport http.RoundTripper
	timeout   time.Duration // of one request with its redirects; 0: none of its own
	now       time.Time
	jar       *jar
	saved     map[string]string
	userAgent string                   // of an imported session; empty: ours
	fields    map[string][]byte        // the caller's bytes
	secret    []string                 // names of those fields that are not plain text
	kept      map[string][]byte        // what to log in again with, by field
	since     time.Time                // when the session began
	page      *answer                  // the last one of this call
	forms     map[string]*form         // of the page on which the person was asked
	expected  []int                    // statuses that the present step has rules for
	learn     func(name, value string) // told of what is saved of an answer
	left      int                      // requests
}

// visit begins a stay. Of the client that was handed in only the transport and
// the timeout are used: a client of net/http would follow redirects, and show
// in its errors what an answer redirects to.
func (c *Connector) visit(client *http.Client, now time.Time, m memory) *visit {
	v := &visit{
		recipe: c.recipe, now: now, jar: &jar{cookies: m.Cookies}, saved: m.Saved, userAgent: m.UserAgent,
		kept: m.Kept, since: m.Since, forms: m.Forms, learn: c.learn, left: maxRequests,
	}
	if client != nil {
		v.transport, v.timeout = client.Transport, client.Timeout
	}
	if v.saved == nil {
		v.saved = map[string]string{}
	}
	return v
}

// values returns what placeholders stand for in a request for the URL.
func (v *visit) values(target *url.URL) values {
	return values{fields: v.fields, saved: v.saved, cookies: v.jar.named(target, v.now)}
}

// named returns the unexpired cookies of the host by name, whatever their
// path: a page's script sees a cookie where the page is, and sends its value
// elsewhere. The longest path wins.
func (j *jar) named(target *url.URL, now time.Time) map[string]string {
	named := map[string]string{}
	longest := map[string]int{}
	for _, c := range j.cookies {
		if !c.expired(now) && (!c.Secure || target.Scheme == "https") && len(c.Path) > longest[c.Name] {
			named[c.Name], longest[c.Name] = c.Value, len(c.Path)
		}
	}
	return named
}

// requests sends requests one after another and returns the last answer. An
// earlier one that fails ends the call, unless the caller stops at it first.
func (v *visit) requests(ctx context.Context, requests []*request, stop func(*answer) bool) (*answer, error) {
	for i, r := range requests {
		a, err := v.do(ctx, r)
		if err != nil {
			return nil, fmt.Errorf("request %d: %w", i+1, err)
		}
		if err := v.recipe.refuses(a, v.expected); err != nil {
			return nil, fmt.Errorf("request %d: %w", i+1, err)
		}
		if err := v.save(r, a); err != nil {
			return nil, fmt.Errorf("request %d: %w", i+1, err)
		}
		if i == len(requests)-1 || stop(a) {
			return a, nil
		}
		if a.status >= http.StatusBadRequest {
			return nil, fmt.Errorf("request %d: %w", i+1, a.unexpected())
		}
	}
	return nil, errors.New("no request") // the schema demands one
}

// endings are the failure codes of the verdicts that end a login.
var endings = map[verdict]latchkey.FailureCode{
	verdictLocked: latchkey.FailureAccountLocked,
	verdictDenied: latchkey.FailureAccessDenied,
}

// run goes from step to step until an outcome leads elsewhere.
func (v *visit) run(ctx context.Context, name string) (outcome, error) {
	for range maxSteps {
		s := v.recipe.steps[name]
		v.expected = s.statuses()
		a, err := v.requests(ctx, s.Requests, func(*answer) bool { return false })
		if err != nil {
			return outcome{}, fmt.Errorf("step %s: %w", name, err)
		}
		next, ok := s.decide(a)
		if !ok {
			return outcome{}, fmt.Errorf("step %s: %w; looked for %s", name, a.failed("no rule holds for the answer"), s.looked())
		}
		switch next.verdict {
		case verdictGoto:
			name = next.name
		case verdictUnavailable:
			return outcome{}, fmt.Errorf("step %s: unavailable by the recipe: %s", name, a.summary())
		case verdictBlocked:
			return outcome{}, fmt.Errorf("step %s: blocked, as the recipe says: %s: %w", name, a.summary(), connector.ErrBlocked)
		case verdictLocked, verdictDenied:
			return outcome{}, &connector.Failure{Code: endings[next.verdict], Reason: fmt.Sprintf("step %s: %s", name, a.summary())}
		default:
			return next, nil
		}
	}
	return outcome{}, fmt.Errorf("more than %d steps in one call", maxSteps)
}

// decide returns the outcome of the first rule that holds.
func (s *step) decide(a *answer) (outcome, bool) {
	for _, rule := range s.When {
		if rule.If == nil || rule.If.holds(a) {
			return rule.Then, true
		}
	}
	return outcome{}, false
}
