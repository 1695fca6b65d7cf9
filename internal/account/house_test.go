package account

import (
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"latchkey"
)

// moment is when the tests happen.
var moment = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// room is the room without stores: rules need none.
func room() *Account {
	return New(Config{
		Served: func(environment latchkey.Environment) []string {
			if environment == latchkey.Live {
				return []string{"acme"}
			}
			return []string{"sandbox", "acme"}
		},
		NewKey: func(io.Reader, string, latchkey.Environment, string, []latchkey.Scope, time.Time) (latchkey.APIKey, string) {
			panic("no key may be made")
		},
		Now: func() time.Time { return moment }, Random: rand.Reader,
	})
}

// good is a client app that keeps every rule.
func good(environment latchkey.Environment) latchkey.ClientApp {
	return latchkey.ClientApp{
		ID: "app_1", OrganisationID: "org_1", Environment: environment, Type: latchkey.AppRedirect, Name: "Acme Shop",
		Domain: "shop.example.com", RedirectURIs: []string{"https://shop.example.com/back"},
		AllowedOrigins: []string{"https://shop.example.com"}, Providers: []string{"acme"},
		Permissions: []latchkey.Permission{{Name: "profile:read", Purpose: "to greet you"}},
	}
}

// fieldOf returns the field that an error names.
func fieldOf(t *testing.T, err error) string {
	t.Helper()
	known, ok := errors.AsType[*latchkey.Error](err)
	if !ok || known.Code != latchkey.Invalid {
		t.Errorf("error %v, want one that names a field", err)
		return ""
	}
	return known.Field
}

// judge fails the test unless the rule passes what is good and refuses what is
// not, without repeating it.
func judge(t *testing.T, rule func(string) string, good, bad []string) {
	t.Helper()
	for _, text := range good {
		if broken := rule(text); broken != "" {
			t.Errorf("%q: %s", text, broken)
		}
	}
	for _, text := range bad {
		broken := rule(text)
		if broken == "" {
			t.Errorf("%q passes", text)
		}
		if len(text) > 12 && strings.Contains(broken, text) && !strings.Contains("https://shop.example.com/back", text) {
			t.Errorf("the rule repeats %q", text)
		}
	}
}
