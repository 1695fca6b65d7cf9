package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
)

// text of n characters of two bytes each.
func long(n int) string { return strings.Repeat("é", n) }

// entries is metadata of n entries.
func entries(n int) map[string]string {
	made := map[string]string{}
	for i := range n {
		made[fmt.Sprintf("key%d", i)] = "value"
	}
	return made
}

func country(fields ...string) map[string]string {
	made := map[string]string{"country": "US"}
	for i := 0; i+1 < len(fields); i += 2 {
		made[fields[i]] = fields[i+1]
	}
	return made
}

func TestInitTakesEveryFieldUpToItsBounds(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		for field, values := range map[string][]any{
			"clientAppId":       {h.mine.apps[latchkey.AppRedirect], h.mine.apps[latchkey.AppEmbed], ""},
			"redirectUrl":       {"https://shop.example/back", nil},
			"clientReferenceId": {"x", long(255), "a b&c=d?e#f", "\u0001\u007f\u202e", "😀", "'; DROP TABLE x--", nil},
			"connectionId":      {"", h.linked("ada")},
			"geolocation": {
				country(), country("state", "CA"), country("state", "9"), country("state", "ABC", "city", long(100)),
				map[string]string{"country": "DE"}, nil,
			},
			"mode": {"redirect", "embed", "hosted", "whitelabel", ""}, // without effect beside clientAppId
			"options": {
				map[string]any{"returnRawSession": true}, map[string]any{}, nil,
			},
			"origin":      {"https://evil.example", "no origin at all"},
			"provider":    {latchtest.ProviderID, ""},
			"permissions": {[]string{"profile:read"}, []string{"posts:read", "profile:read"}, []string{}, nil},
			"expiresIn":   {300, 3600, nil},
			"locale":      {"de", "pt-BR", "zh-Hant-TW", "sr-Latn-RS-x-private", ""},
			"metadata":    {entries(20), map[string]string{long(64): long(512), "a\u0000b": "\u0000"}, map[string]string{}, nil},
		} {
			for _, value := range values {
				body := map[string]any{"clientAppId": h.mine.apps[latchkey.AppRedirect], field: value}
				answer := h.Call("POST", "/v2/link/init", body)
				if answer.Status != http.StatusOK {
					t.Errorf("%s %q: status %d: %s", field, fmt.Sprint(value), answer.Status, answer.Body)
				}
			}
		}
	})
}

func TestInitRefusesAndNamesTheField(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		for field, values := range map[string][]any{
			"clientAppId": {
				canary, "app_", "app_a-b", "app_" + strings.Repeat("x", 65), " app_x", "app_x\n", "App_x", "app_é", 7, true,
				latchkey.PrefixClientApp + "unknown", h.other.apps[latchkey.AppRedirect], "app_%", []string{"app_x"},
			},
			"redirectUrl":       {"", "https://" + canary + ".example/", 7, "https://shop.example/back\x00"},
			"clientReferenceId": {"", long(256), 7, true, map[string]string{}, "a\x00b"},
			"connectionId":      {canary, "conn_", "conn_a/b", "conn_" + strings.Repeat("x", 65), 7, "conn_x\x00"},
			"geolocation": {
				"US", 7, []string{"US"},
			},
			"geolocation.country": {
				map[string]string{}, map[string]string{"city": canary}, map[string]string{"country": "us"},
				map[string]string{"country": "USA"}, map[string]string{"country": "ZZ"}, map[string]string{"country": "UK"},
				map[string]string{"country": "EU"}, map[string]string{"country": canary}, map[string]string{"country": "840"},
				map[string]any{"country": 7},
			},
			"geolocation.state": {country("state", "ca"), country("state", "US-CA"), country("state", "CALI"), country("state", canary)},
			"geolocation.city":  {country("city", long(101))},
			"mode":              {"Redirect", "popup", canary, 7, "whitelabel "},
			"options":           {true, "x", []string{}},
			"options.returnRawSession": {
				map[string]any{"returnRawSession": "true"}, map[string]any{"returnRawSession": 1},
			},
			"origin":      {7, []string{}},
			"provider":    {canary, "sandbox", "Tester", "tester ", 7, "../tester"},
			"permissions": {[]string{canary}, []string{"profile:read", "PROFILE:READ"}, make([]string, 101), "profile:read", []any{7}},
			"expiresIn":   {0, 1, 299, 3601, -300, 1.5, "300", 1e18},
			"locale":      {"d", "de_" + canary, "english please", strings.Repeat("de-", 12) + "x", 7, "de\x00"},
			"metadata": {
				entries(21), map[string]string{"": "x"}, map[string]string{long(65): "x"},
				map[string]string{"x": long(513)}, map[string]any{canary: 7}, map[string]any{"x": nil, canary: map[string]string{}}, "x",
			},
		} {
			for _, value := range values {
				name, _, _ := strings.Cut(field, ".")
				body := map[string]any{"clientAppId": h.mine.apps[latchkey.AppRedirect], name: value}
				h.untouched(field, func() {
					said := h.refused(h.Call("POST", "/v2/link/init", body), http.StatusBadRequest, latchkey.Invalid)
					wanted := said.Details.Field == field || strings.HasPrefix(said.Details.Field, field+".")
					if !wanted {
						t.Errorf("%s %q: refused for the field %q: %s", field, fmt.Sprint(value), said.Details.Field, said.Message)
					}
				})
			}
		}
		h.untouched("an unknown connection", func() {
			h.refused(h.Call("POST", "/v2/link/init", map[string]any{"connectionId": "conn_unknown"}), 404, latchkey.NotFound)
		})
	})
}

func TestInitAnswersWithAPageOrASecret(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	begun := h.Clock.Now()
	for _, test := range []struct {
		name string
		body map[string]any
		mode string
		life time.Duration
	}{
		{"the oldest app, without a hint", map[string]any{}, "hosted", 30 * time.Minute},
		{"the redirect app", map[string]any{"mode": "redirect"}, "hosted", 30 * time.Minute},
		{"the redirect app, as hosted", map[string]any{"mode": "hosted"}, "hosted", 30 * time.Minute},
		{"the embed app", map[string]any{"mode": "embed"}, "hosted", 30 * time.Minute},
		{"the whitelabel app", map[string]any{"mode": "whitelabel", "expiresIn": 300}, "whitelabel", 5 * time.Minute},
		{"the named app counts before the hint", map[string]any{
			"mode": "redirect", "clientAppId": h.mine.apps[latchkey.AppWhitelabel],
		}, "whitelabel", 30 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := h.Want(http.StatusOK, "POST", "/v2/link/init", test.body)
			got := latchtest.Decode[latchtest.Link](h.Server, answer)
			where := fmt.Sprintf(`"url":"%s/%s"`, h.URL, got.Secret())
			if test.mode == "whitelabel" {
				where = fmt.Sprintf(`"clientSecret":%q`, got.ClientSecret)
			}
			wantJSON(t, answer, http.StatusOK, `{"mode":%q,%s,"expiresAt":%q,"sessionId":%q}`, test.mode, where, got.ExpiresAt, got.SessionID)
			if !latchkey.ValidID(got.Secret(), "cs_") || len(got.Secret()) < 46 || !latchkey.ValidID(got.SessionID, "ls_") {
				t.Errorf("secret of %d characters, session %q", len(got.Secret()), got.SessionID)
			}
			expires, err := time.Parse("2006-01-02T15:04:05.000Z", got.ExpiresAt)
			if life := expires.Sub(begun); err != nil || life < test.life-time.Second || life > test.life+time.Minute {
				t.Errorf("expires at %s, want %s from now", got.ExpiresAt, test.life)
			}
			stored, err := h.App.Store().LinkSessionBySecret(t.Context(), latchkey.HashClientSecret(got.Secret()))
			if err != nil || stored.ID != got.SessionID {
				t.Errorf("stored %v, %v", stored, err)
			}
		})
	}
	t.Run("a hint that no app fits is refused", func(t *testing.T) {
		answer := h.Call("POST", "/v2/link/init", map[string]any{"mode": "hosted"}, "apikey", h.mine.live)
		if said := h.refused(answer, 400, latchkey.Invalid); said.Details.Field != "clientAppId" {
			t.Errorf("field %q", said.Details.Field)
		}
	})
}

func TestInitKeepsToWhatTheOperatorApproved(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{Idle: true})
	init := func(key string, body map[string]any) latchtest.Answer {
		return s.Call("POST", "/v2/link/init", body, "apikey", key)
	}
	h := house{Server: s}
	for _, test := range []struct {
		name   string
		change func(*latchkey.ClientApp)
		body   map[string]any
		status int
		code   latchkey.Code
		field  string
	}{
		{"a suspended app", func(a *latchkey.ClientApp) { a.Suspended = true }, map[string]any{}, 403, latchkey.Forbidden, ""},
		{
			"whitelabel that is not enabled", func(a *latchkey.ClientApp) { a.WhitelabelEnabled = false },
			map[string]any{"mode": "whitelabel"}, 403, latchkey.Forbidden, "",
		},
		{"an app without providers", func(a *latchkey.ClientApp) { a.Providers = nil }, map[string]any{}, 403, latchkey.Forbidden, ""},
		{
			"a provider that is not served", func(a *latchkey.ClientApp) { a.Providers = []string{"gone"} },
			map[string]any{"provider": "gone"}, 400, latchkey.Invalid, "provider",
		},
		{
			"whitelabel with two providers and no choice", func(a *latchkey.ClientApp) {
				a.Providers = []string{latchtest.ProviderID, "sandbox"}
			}, map[string]any{"mode": "whitelabel"}, 400, latchkey.Invalid, "provider",
		},
		{"an app without permissions", func(a *latchkey.ClientApp) { a.Permissions = nil }, map[string]any{
			"permissions": []string{"profile:read"},
		}, 400, latchkey.Invalid, "permissions"},
	} {
		t.Run(test.name+" is refused", func(t *testing.T) {
			tenant := newTenant(s, test.change)
			h.untouched(test.name, func() {
				if said := h.refused(init(tenant.key, test.body), test.status, test.code); said.Details.Field != test.field {
					t.Errorf("field %q, want %q", said.Details.Field, test.field)
				}
			})
		})
	}
	t.Run("an app without redirect URIs has a session that leads nowhere", func(t *testing.T) {
		tenant := newTenant(s, func(a *latchkey.ClientApp) { a.RedirectURIs = nil })
		if answer := init(tenant.key, map[string]any{}); answer.Status != http.StatusOK {
			t.Errorf("status %d: %s", answer.Status, answer.Body)
		}
		answer := init(tenant.key, map[string]any{"redirectUrl": "https://shop.example/back"})
		if said := h.refused(answer, 400, latchkey.Invalid); said.Details.Field != "redirectUrl" {
			t.Errorf("field %q", said.Details.Field)
		}
	})
}
