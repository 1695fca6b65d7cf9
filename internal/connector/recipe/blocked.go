package recipe

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/andybalholm/cascadia"

	"latchkey/internal/connector"
)

// captchas are what the bot checks in use look like on a page.
var captchas = []string{
	".cf-turnstile", "#challenge-form", `[src*="challenges.cloudflare.com"]`,
	"[class*=captcha]", "[id*=captcha]", "[name*=captcha]", "[src*=captcha]",
}

var compiledCaptchas = func() []cascadia.Selector {
	compiled := make([]cascadia.Selector, len(captchas))
	for i, selector := range captchas {
		compiled[i] = cascadia.MustCompile(selector)
	}
	return compiled
}()

// automation returns what in an answer says that the provider takes us for a
// machine, "" when nothing does. It is asked only about answers that the recipe
// has no rule for: a login page may well show a captcha to nobody in
// particular.
func (a *answer) automation() string {
	switch a.status {
	case http.StatusTooManyRequests:
		return "too many requests (status 429)"
	case http.StatusForbidden:
		return "forbidden (status 403) where the recipe expects no such answer"
	}
	if a.header.Get("Cf-Mitigated") == "challenge" {
		return "a bot check (header Cf-Mitigated)"
	}
	if page, ok := a.html(); ok {
		for i, selector := range compiledCaptchas {
			if page.FindMatcher(selector).Length() > 0 {
				return "a captcha (selector " + captchas[i] + ")"
			}
		}
	}
	return ""
}

// unexpected returns the error for an answer that the recipe does not expect.
// It wraps connector.ErrBlocked where the provider takes us for a machine.
func (a *answer) unexpected() error { return a.failed("unexpected answer") }

// failed returns the error for an answer, with what was wrong about it.
func (a *answer) failed(wrong string) error {
	if reason := a.automation(); reason != "" {
		return fmt.Errorf("%s: %s: %s: %w", wrong, a.summary(), reason, connector.ErrBlocked)
	}
	return fmt.Errorf("%s: %s", wrong, a.summary())
}

// refuses returns the error for an answer that the recipe calls a block, or
// that is one wherever the recipe does not expect it.
func (r *Recipe) refuses(a *answer, expected []int) error {
	switch {
	case r.Blocked != nil && r.Blocked.holds(a):
		return fmt.Errorf("blocked, as the recipe says (%s): %s: %w", r.Blocked, a.summary(), connector.ErrBlocked)
	case a.status == http.StatusTooManyRequests && !slices.Contains(expected, a.status):
		return fmt.Errorf("%s: too many requests (status 429): %w", a.summary(), connector.ErrBlocked)
	}
	return nil
}

// statuses returns the statuses that the step's rules name.
func (s *step) statuses() []int {
	var named []int
	for _, rule := range s.When {
		if rule.If != nil {
			named = append(named, rule.If.statuses()...)
		}
	}
	return named
}

// statuses returns the statuses that a condition names, wherever.
func (c *condition) statuses() []int {
	named := slices.Clone([]int(c.Status))
	for _, part := range slices.Concat(c.All, c.Any) {
		named = append(named, part.statuses()...)
	}
	if c.Not != nil {
		named = append(named, c.Not.statuses()...)
	}
	return named
}

// looked tells the operator what a step's rules have looked for.
func (s *step) looked() string {
	const most = 400 // bytes
	var sought []string
	for _, rule := range s.When {
		if rule.If != nil {
			sought = append(sought, rule.If.String())
		}
	}
	return shortenTo(strings.Join(sought, "; "), most)
}

// String tells what a condition looks for, in the words of the file.
func (c *condition) String() string {
	var parts []string
	if c.Status != nil {
		parts = append(parts, "status "+strings.Trim(fmt.Sprint([]int(c.Status)), "[]"))
	}
	if c.Header != nil {
		parts = append(parts, "header "+c.Header.Name)
	}
	if c.JSON != nil {
		parts = append(parts, "json "+c.JSON.Path.source)
	}
	if c.HTML != nil {
		parts = append(parts, "html "+c.HTML.Selector.source)
	}
	for _, group := range []struct {
		name  string
		parts []condition
	}{{"all", c.All}, {"any", c.Any}} {
		for _, part := range group.parts {
			parts = append(parts, group.name+" "+part.String())
		}
	}
	if c.Not != nil {
		parts = append(parts, "not "+c.Not.String())
	}
	return strings.Join(parts, " and ")
}
