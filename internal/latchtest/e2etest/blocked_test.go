package e2etest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"latchkey/internal/connector"
	"latchkey/internal/connector/recipe"
	"latchkey/internal/latchtest"
)

// A page that no rule knows, and a captcha, end in provider_unavailable: the
// operator reads which page it was and what was looked for, the person and the
// app do not.
func TestAPageThatNobodyKnowsIsToldToTheOperatorAlone(t *testing.T) {
	page := ""
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, page)
	}))
	defer site.Close()
	text, err := os.ReadFile("../../../docs/examples/notes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := recipe.Parse("notes.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := recipe.New(parsed, recipe.Options{BaseURL: site.URL})
	if err != nil {
		t.Fatal(err)
	}
	const form = `<form id=login method=post action=/login><input name=username><input name=password></form>`
	for name, c := range map[string]struct{ page, reason string }{
		"a new design":                 {"<p>welcome to our new design", `the form \"form#login\" is not on the page: status 200, content type \"text/html\", to GET /login`},
		"an answer that means nothing": {form, "looked for html .error; html .error; html form#code; html #number"},
		"a captcha":                    {form + `<div class="g-recaptcha"></div>`, "a captcha (selector [class*=captcha])"},
	} {
		t.Run(name, func(t *testing.T) {
			s := latchtest.Start(t, latchtest.Options{Connectors: []connector.Connector{provider}})
			page = c.page
			link := s.Init(map[string]any{"clientAppId": s.Trial.ClientApps["redirect"], "provider": "notes"})
			visit := s.Visit(link.URL).Consent()
			visit.Submit("continue", "username", "lovelace", "password", password)
			if visit.Landed != nil || visit.Page.Find(`[role="alert"]`).Length() != 1 {
				t.Fatalf("the page is %q", visit.Title())
			}
			status := s.Want(http.StatusOK, "GET", "/v2/link/"+link.Secret(), nil)
			for where, shown := range map[string]string{"the page": visit.Text(), "the status": string(status.Body)} {
				for _, hint := range []string{"captcha", "selector", "/login", "form#", "new design", "text/html"} {
					if strings.Contains(shown, hint) {
						t.Errorf("%s tells %q", where, hint)
					}
				}
			}
			log := s.Log.Text()
			if !strings.Contains(log, c.reason) || !strings.Contains(log, "step enter") {
				t.Errorf("the log does not tell %s", c.reason)
			}
			if strings.Contains(log, password) {
				t.Error("the log tells the password")
			}
		})
	}
}
