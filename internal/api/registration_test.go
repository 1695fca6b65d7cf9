package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
)

// attempt is one field of a registration.
type attempt struct {
	field string
	value any
}

func uris(list ...string) []attempt {
	attempts := make([]attempt, len(list))
	for i, uri := range list {
		attempts[i] = attempt{"redirectUris", []string{uri}}
	}
	return attempts
}

func origins(list ...string) []attempt {
	attempts := make([]attempt, len(list))
	for i, origin := range list {
		attempts[i] = attempt{"allowedOrigins", []string{origin}}
	}
	return attempts
}

func domains(list ...string) []attempt {
	attempts := make([]attempt, len(list))
	for i, domain := range list {
		attempts[i] = attempt{"domain", domain}
	}
	return attempts
}

// abuses are registrations in the live environment of an app at
// shop.acme.example, while taken.example is another organisation's.
func abuses() []attempt {
	list := uris("http://shop.acme.example/back", "http://localhost/back", "http://127.0.0.1/back", "http://[::1]/back", "https://localhost/back",
		"https://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/", "https://8.8.8.8/", "https://[2001:db8::1]/", "https://[::ffff:127.0.0.1]/",
		"https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://0/", "https://[fe80::1%25eth0]/",
		"https://*.acme.example/back", "https://*/", "https://shop.acme.example/*", "*", "https://user@shop.acme.example/", "https://user:secret@shop.acme.example/",
		"https://shop.acme.example@evil.example/", "https://shop.acme.example:443@evil.example/", "https://shop.acme.example/#fragment", "https://shop.acme.example#",
		"https://example/", "https://com/", "https://co.uk/", "https://github.io/", "https://taken.example/back", "https://shop.taken.example/back", "https://evil.example/",
		"https://shop.acme.example.evil.example/", "https://evilacme.example/", "https://shop.acme.example.:443/", "https://shop.acme.example./",
		"https://shop。acme.example/", "https://shop．acme.example/", "https://shop｡acme.example/", "https://ѕhop.acme.example/", "https://bücher.acme.example/",
		"https://xn--pple-43d.acme.example/", "https://shop.acme.example/\t", "https://shop.acme.example/\n", "\thttps://shop.acme.example/", "https://shop.acme.example/ ",
		"https://shop\\.acme.example/", "https:\\\\shop.acme.example\\", "https://evil.example\\@shop.acme.example/", "https://shop.acme.example:0/", "https://shop.acme.example:65536/",
		"https://shop.acme.example:/", "https://shop.acme.example:0443/", "javascript:alert(1)", "javascript://shop.acme.example/%0aalert(1)", "data:text/html,x", "file:///etc/passwd",
		"vbscript:x", "blob:https://shop.acme.example/", "shop:/back", "myapp://callback", "example:/back", "example.acme:/back", "example.acme.shop://back", "example.acme.shop:",
		"https://shop%2eacme.example/", "https://shop.acme.example%2f.evil.example/", "//shop.acme.example/", "/back", "shop.acme.example/back", "",
		"https://", "https:///back", "HTTPS://shop.acme.example/", "https://SHOP.acme.example/", "https://shop.acme.example/%0d%0aSet-Cookie:a=b", "https://shop.acme.example/%00",
		"https://shop.acme.example/"+strings.Repeat("x", 2048), "https://shop.acme.example/\u202e", "ftp://shop.acme.example/", "https://shop.acme.example/<script>")
	list = append(list, origins("http://shop.acme.example", "https://*.acme.example", "*", "null", "https://shop.acme.example/", "https://localhost", "https://10.0.0.1",
		"https://[::1]", "https://shop.acme.example:443", "https://user@shop.acme.example", "https://github.io", "https://shop.acme.example#x", "javascript:x", "https://SHOP.acme.example")...)
	list = append(list, domains("taken.example", "shop.taken.example", "com", "co.uk", "github.io", "localhost", "127.0.0.1", "::1", "[::1]", "2130706433", "shop.acme.example.",
		"Shop.acme.example", "https://shop.acme.example", "shop.acme.example:443", "*.acme.example", "user@acme.example", "bücher.example", "xn--pple-43d.com", "xn--80ak6aa92e.com",
		"shop。acme.example", "shop acme.example", "shop.acme.example\n", "shop.local", "shop.internal", "", strings.Repeat("a", 64)+".example", "a..example", "-a.example")...)
	twice := []string{"https://shop.acme.example/", "https://shop.acme.example/"}
	return append(list, attempt{"redirectUris", twice}, attempt{"allowedOrigins", []string{"https://acme.example", "https://acme.example"}},
		attempt{"redirectUris", append(make([]string, 20), twice...)}, attempt{"providers", []string{"sandbox"}}, attempt{"providers", []string{"nobody"}},
		attempt{"requireConfirmation", "yes"}, attempt{"whitelabelEnabled", true}, attempt{"logoUrl", "http://shop.acme.example/l.png"}, attempt{"logoUrl", "javascript:x"})
}

func TestAbusesAreNotRegistered(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	h.registered(h.other.live, "domain", "taken.example")
	victim := h.registered(h.mine.live, "redirectUris", []string{"https://shop.acme.example/back"})
	untouched := string(h.Want(http.StatusOK, "GET", clientApps+"/"+victim.ID, nil, "apikey", h.mine.live).Body)
	took := 0
	for _, abuse := range abuses() {
		for _, answer := range []latchtest.Answer{
			h.register(h.mine.live, abuse.field, abuse.value),
			h.Call("PATCH", clientApps+"/"+victim.ID, map[string]any{abuse.field: abuse.value}, "apikey", h.mine.live),
		} {
			if answer.Status < 300 {
				took++
				t.Errorf("%s %q: %d", abuse.field, abuse.value, answer.Status)
				continue
			}
			code := latchkey.Invalid
			if answer.Status == http.StatusConflict {
				code = latchkey.Conflict
			}
			said := h.refused(answer, answer.Status, code)
			if field, _, _ := strings.Cut(said.Details.Field, "."); answer.Status >= 500 || field != abuse.field && said.Details.Field != "redirectUris.0" {
				t.Errorf("%s %q: %d, field %q", abuse.field, abuse.value, answer.Status, said.Details.Field)
			}
		}
	}
	if got := string(h.Want(http.StatusOK, "GET", clientApps+"/"+victim.ID, nil, "apikey", h.mine.live).Body); got != untouched {
		t.Errorf("the app is now %s", got)
	}
	list := latchtest.Decode[pageOf[clientApp]](h.Server, h.Want(http.StatusOK, "GET", clientApps, nil, "apikey", h.mine.live))
	took += len(list.List) - 1
	t.Logf("%d abuses, each as a new app and as a change", len(abuses()))
	fmt.Printf("RESULT R-2 %d 0\n", took)
	if took != 0 || len(abuses()) < 60 {
		t.Errorf("%d of %d abuses were registered", took, len(abuses()))
	}
}

func TestGoodRegistrationsAreTaken(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	everywhere := append(uris("https://shop.acme.example", "https://shop.acme.example/", "https://shop.acme.example/back", "https://shop.acme.example/back?a=b&c=%2Fd",
		"https://shop.acme.example:8443/back", "https://acme.example/back", "https://www.acme.example/back", "https://a.b.shop.acme.example/", "https://acme.example/@me/(x);y=1,2",
		"https://xn--bcher-kva.acme.example/", "example.acme.shop:/back", "example.acme.shop:/a/b?c=d"),
		origins("https://shop.acme.example", "https://partner.example:8443", "https://xn--bcher-kva.example")...)
	everywhere = append(everywhere, attempt{"redirectUris", []string{}}, attempt{"name", "Café “Zoë” & Co."}, attempt{"name", "Магазин"}, attempt{"name", "楽天ショップ"},
		attempt{"name", strings.Repeat("é", 64)}, attempt{"accentColor", "#0A0b0c"}, attempt{"logoUrl", "https://cdn.example.net/l.svg?v=1"}, attempt{"requireConfirmation", true},
		attempt{"permissions", []any{map[string]any{"name": "posts:read", "purpose": "to list your posts 📝"}}}, attempt{"type", "embed"}, attempt{"type", "whitelabel"},
		attempt{"rawSessionEnabled", true}, attempt{"suspended", true}, attempt{"redirectUris", []string{"https://acme.example/1", "https://acme.example/2"}})
	everywhere = append(everywhere, domains("acme.example", "shop.acme.co.uk", "acme.github.io", "xn--bcher-kva.example", "1a.example")...)
	nearby := append(uris("http://127.0.0.1/callback", "http://127.0.0.1:5000/callback", "http://[::1]:1/", "http://localhost", "http://localhost:3000/callback", "https://localhost:3000/"),
		origins("http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:8080", "http://192.168.1.5:3000", "http://shop.acme.example")...)
	nearby = append(nearby, domains("localhost", "127.0.0.1", "shop.local")...)
	for _, test := range []struct {
		key  string
		good []attempt
	}{{h.mine.live, everywhere}, {h.mine.key, append(nearby, everywhere...)}} {
		if len(test.good) < 25 {
			t.Errorf("only %d good registrations", len(test.good))
		}
		for _, good := range test.good {
			if answer := h.register(test.key, good.field, good.value); answer.Status != http.StatusCreated {
				t.Errorf("%s %q: %d %s", good.field, good.value, answer.Status, answer.Body)
			}
		}
	}
}

// deceptions are names that are not what they look like.
var deceptions = []string{
	"Acme\u202epohS", "\u202aAcme", "Acme\u2067Shop", "Acme\u200f", "\u061cAcme", // direction
	"Ac\u200bme", "Ac\u200dme", "Ac\u200cme", "\ufeffAcme", "Ac\u00adme", "Ac\u2060me", "Acme\u3164", "Acme\ufe0f", "\u2800Acme", // zero-width
	"Аcme", "Acmе", "Αcme", "Acmeο", "ᎪᏟᎷᎬ", "Аcmе Shop", "Shop Асме", "Acme ショップ", "ꓐꓰꓢꓔ", // homoglyphs
	"𝐀𝐜𝐦𝐞", "Ａｃｍｅ", "Ⓐcme", "Acⅿe", "PayPa\u01c0", "\u0261oogle", // forms
	"✔ Verified", "✅ Acme", "Acme ☑️", "Acme 🛡️", "🇪🇺 Acme", "Acme ®", "Acme™", "★ Acme", "Acme • Verified", "Acme 1️⃣", // badges
	"Acme\nVerified", "Acme\r\nShop", "Acme\tShop", "Acme\u2028Shop", "Acme\u0085Shop", "Acme\u0000", "Acme\u001b[1m", // lines
	strings.Repeat("a", 1000), strings.Repeat("a", 65), "", " ", " Acme", "Acme ", "Acme  Shop", "Acme\u00a0Shop", "A\u0315\u0315\u0315\u0315\u0315cme", "<b>Acme</b>", "123",
}

func TestANameThatDeceivesIsNotRegistered(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	took := 0
	for _, key := range []string{h.mine.key, h.mine.live} {
		app := h.registered(key)
		for _, name := range deceptions {
			for _, answer := range []latchtest.Answer{
				h.register(key, "name", name), h.Call("PATCH", clientApps+"/"+app.ID, map[string]any{"name": name}, "apikey", key),
			} {
				if answer.Status < 300 {
					took++
				}
				if said := h.refused(answer, http.StatusBadRequest, latchkey.Invalid); said.Details.Field != "name" {
					t.Errorf("%q: field %q", name, said.Details.Field)
				}
			}
		}
	}
	t.Logf("%d names, each as a new app and as a change, in both environments", len(deceptions))
	fmt.Printf("RESULT B-6.names-registered %d 0\n", took)
}
