package account

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey"
)

// many returns n different texts.
func many(n int, format string) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(format, i)
	}
	return list
}

func permissions(names ...string) []latchkey.Permission {
	list := make([]latchkey.Permission, len(names))
	for i, name := range names {
		list[i] = latchkey.Permission{Name: name, Purpose: "to greet you"}
	}
	return list
}

func TestEveryFieldOfAClientAppHasItsRule(t *testing.T) {
	for _, test := range []struct {
		field  string // "": it is good
		change func(*latchkey.ClientApp)
	}{
		{"", func(*latchkey.ClientApp) {}},
		{"type", func(a *latchkey.ClientApp) { a.Type = "" }},
		{"type", func(a *latchkey.ClientApp) { a.Type = "hosted" }},
		{"name", func(a *latchkey.ClientApp) { a.Name = "✔ Verified" }},
		{"domain", func(a *latchkey.ClientApp) { a.Domain = "com" }},
		{"logoUrl", func(a *latchkey.ClientApp) { a.LogoURL = "http://shop.example.com/logo.png" }},
		{"", func(a *latchkey.ClientApp) { a.LogoURL = "https://cdn.example.net/logo.png" }},
		{"accentColor", func(a *latchkey.ClientApp) { a.AccentColor = "red" }},
		{"accentColor", func(a *latchkey.ClientApp) { a.AccentColor = "#12345g" }},
		{"accentColor", func(a *latchkey.ClientApp) { a.AccentColor = "#123456;x" }},
		{"", func(a *latchkey.ClientApp) { a.AccentColor = "#12aBcF" }},
		{"redirectUris.1", func(a *latchkey.ClientApp) { a.RedirectURIs = append(a.RedirectURIs, "https://evil.example/") }},
		{"redirectUris.1", func(a *latchkey.ClientApp) { a.RedirectURIs = append(a.RedirectURIs, a.RedirectURIs[0]) }},
		{"redirectUris", func(a *latchkey.ClientApp) { a.RedirectURIs = many(21, "https://shop.example.com/%d") }},
		{"", func(a *latchkey.ClientApp) { a.RedirectURIs = many(20, "https://shop.example.com/%d") }},
		{"", func(a *latchkey.ClientApp) { a.RedirectURIs, a.AllowedOrigins = nil, nil }},
		{"redirectUris.0", func(a *latchkey.ClientApp) { a.Domain = "shop.example.net" }},
		{"allowedOrigins.0", func(a *latchkey.ClientApp) { a.AllowedOrigins = []string{"https://*.example.com"} }},
		{"allowedOrigins", func(a *latchkey.ClientApp) { a.AllowedOrigins = many(21, "https://shop%d.example.com") }},
		{"allowedOrigins.1", func(a *latchkey.ClientApp) { a.AllowedOrigins = append(a.AllowedOrigins, a.AllowedOrigins[0]) }},
		{"providers.1", func(a *latchkey.ClientApp) { a.Providers = []string{"acme", "sandbox"} }},
		{"providers.1", func(a *latchkey.ClientApp) { a.Providers = []string{"acme", "acme"} }},
		{"", func(a *latchkey.ClientApp) { a.Providers = nil }},
		{"permissions", func(a *latchkey.ClientApp) { a.Permissions = permissions(many(101, "p%d")...) }},
		{"", func(a *latchkey.ClientApp) { a.Permissions = permissions(many(100, "p%d")...) }},
		{"permissions.1.name", func(a *latchkey.ClientApp) { a.Permissions = permissions("a", "A") }},
		{"permissions.1.name", func(a *latchkey.ClientApp) { a.Permissions = permissions("a", "a") }},
		{"permissions.0.name", func(a *latchkey.ClientApp) { a.Permissions = permissions("") }},
		{"permissions.0.name", func(a *latchkey.ClientApp) { a.Permissions = permissions(":a") }},
		{"permissions.0.name", func(a *latchkey.ClientApp) { a.Permissions = permissions(strings.Repeat("a", 65)) }},
		{"permissions.0.name", func(a *latchkey.ClientApp) { a.Permissions = permissions("a\n") }},
		{"", func(a *latchkey.ClientApp) { a.Permissions = permissions(strings.Repeat("a", 64), "a:b.c_d-e", "0") }},
		{"permissions.0.purpose", func(a *latchkey.ClientApp) { a.Permissions[0].Purpose = "" }},
		{"permissions.0.purpose", func(a *latchkey.ClientApp) { a.Permissions[0].Purpose = "a\u202eb" }},
		{"", func(a *latchkey.ClientApp) { a.RequireConfirmation = true }},
		{"requireConfirmation", func(a *latchkey.ClientApp) { a.Type, a.RequireConfirmation = latchkey.AppWhitelabel, true }},
		{"whitelabelEnabled", func(a *latchkey.ClientApp) { a.WhitelabelEnabled = true }},
		{"", func(a *latchkey.ClientApp) { a.Type, a.WhitelabelEnabled = latchkey.AppWhitelabel, true }},
		{"", func(a *latchkey.ClientApp) { a.RawSessionEnabled, a.Suspended = true, true }},
	} {
		app := good(latchkey.Live)
		test.change(&app)
		checked, err := room().checkClientApp(latchkey.ClientApp{}, app)
		if test.field != "" {
			if got := fieldOf(t, err); got != test.field {
				t.Errorf("%+v: field %q, want %q", app, got, test.field)
			}
			continue
		}
		want := app
		want.Registrable = "example.com"
		if diff := cmp.Diff(want, checked); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
}

func TestOnlyALiveClientAppHasARegistrableDomain(t *testing.T) {
	app := good(latchkey.Sandbox)
	app.Registrable = "left.over"
	checked, err := room().checkClientApp(latchkey.ClientApp{}, app)
	if err != nil || checked.Registrable != "" {
		t.Errorf("%q, %v", checked.Registrable, err)
	}
}

func TestWhatStoodBeforeStands(t *testing.T) {
	before := good(latchkey.Live)
	before.Name, before.Providers = "Plus+ ショップ", []string{"gone", "acme"}
	after := before
	after.AccentColor = "#000000"
	if _, err := room().checkClientApp(before, after); err != nil {
		t.Errorf("a name and a provider from before: %v", err)
	}
	after.Name = "Plus+ ショッピング"
	if _, err := room().checkClientApp(before, after); fieldOf(t, err) != "name" {
		t.Errorf("another such name: %v", err)
	}
	if _, err := room().CheckClientApp(after); fieldOf(t, err) != "providers.0" {
		t.Errorf("at the console: %v", err)
	}
	after.Providers = []string{"acme"}
	if _, err := room().CheckClientApp(after); err != nil {
		t.Errorf("a name at the console: %v", err)
	}
}
