package recipe_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

const blockedSteps = `
  - name: enter
    requests: [{method: POST, path: /login}]
    when:
      - {if: {html: {selector: .error}}, then: {refused: invalid_credentials}}
      - {if: {html: {selector: "#robot"}}, then: blocked}
      - {if: {status: 204}, then: done}
check: {dead: {status: 401}}
blocked: {any: [{header: {name: x-shield, equals: up}}, {html: {selector: h1, contains: Unusual traffic}}]}
`

func TestASiteThatTakesUsForAMachine(t *testing.T) {
	html := func(page string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { answerHTML(w, "%s", page) }
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string // in the reason; "" when it is no block
	}{
		"a captcha":         {html(`<div class="g-recaptcha"></div>`), `a captcha (selector [class*=captcha])`},
		"another captcha":   {html(`<iframe src="https://x.example/hcaptcha/1"></iframe>`), `a captcha (selector [src*=captcha])`},
		"a turnstile":       {html(`<div class=cf-turnstile></div>`), `a captcha (selector .cf-turnstile)`},
		"a page it forbids": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, "status 403"},
		"too many requests": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }, "status 429"},
		"a challenge": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cf-Mitigated", "challenge")
			w.WriteHeader(503)
		}, "Cf-Mitigated"},
		"what the rule calls a block":  {html(`<p id=robot>`), "blocked, as the recipe says"},
		"what the recipe calls one":    {html(`<h1>Unusual traffic from your network</h1><p class=error>`), "blocked, as the recipe says (any header x-shield and any html h1)"},
		"the recipe's header":          {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Shield", "up"); w.WriteHeader(204) }, "blocked, as the recipe says"},
		"a page that nobody knows":     {html(`<p>We have a new design`), ""},
		"a captcha beside a known end": {html(`<p class=error>Wrong</p><div class=h-captcha></div>`), "-"},
	} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("POST /login", c.answer)
			step, err := login(t, site(t, mux, blockedSteps), "good-password")
			if c.want == "-" {
				if err != nil {
					t.Fatal(err)
				}
				wantPrompt(t, step, latchkey.StateLogin, latchkey.FailureInvalidCredentials)
				return
			}
			if err == nil || errors.Is(err, connector.ErrBlocked) != (c.want != "") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			wantNoFailure(t, err)
			if !strings.Contains(err.Error(), "step enter") || !strings.Contains(err.Error(), "POST /login") {
				t.Errorf("the operator can't tell which page it was: %v", err)
			}
		})
	}
}

func TestARuleThatNamesAStatusIsNoBlock(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusTooManyRequests} {
		mux := http.NewServeMux()
		mux.HandleFunc("POST /login", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		wantFailure(t, site(t, mux, `
  - name: enter
    requests: [{method: POST, path: /login}]
    when: [{if: {any: [{status: [403, 429]}]}, then: locked}, {then: done}]
`), "good-password", latchkey.FailureAccountLocked)
	}
}

func TestTooManyRequestsAreNoWrongPassword(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
	_, err := login(t, site(t, mux, `
  - name: enter
    requests: [{method: POST, path: /login}]
    when: [{if: {status: 200}, then: done}, {then: {refused: invalid_credentials}}]
`), "good-password")
	if !errors.Is(err, connector.ErrBlocked) {
		t.Errorf("error %v, want a block", err)
	}
}

func TestALinkedAccountOfASiteThatTakesUsForAMachine(t *testing.T) {
	status := http.StatusOK
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /alive", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	mux.HandleFunc("POST /out", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	c := site(t, mux, `
  - name: enter
    requests: [{method: POST, path: /login}]
    when: [{if: {status: 204}, then: done}]
check: {request: {method: GET, path: /alive}, dead: {status: 401}}
session: {lifetime: 1h}
renew: {requests: [{method: GET, path: /alive}]}
logout: {requests: [{method: POST, path: /out}]}
`)
	access := connector.Access{Credential: mustLogin(t, c).Credential.Secret, HTTP: wayOut, Now: time.Now()}
	for _, status = range []int{http.StatusForbidden, http.StatusTooManyRequests} {
		_, checked := c.Check(t.Context(), access)
		_, renewed := c.Refresh(t.Context(), access)
		for name, err := range map[string]error{"check": checked, "renewal": renewed, "logout": c.Revoke(t.Context(), access)} {
			if !errors.Is(err, connector.ErrBlocked) || errors.Is(err, connector.ErrDead) {
				t.Errorf("a %s answered with %d: error %v, want a block and nobody dead", name, status, err)
			}
		}
	}
}
