package link_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/link"
)

// wordings are the texts that there have been, by version. A changed word needs
// a new version, and a line here: an old record must be readable for ever.
var wordings = map[string]string{
	"2026-11-1": "c7d1ff9cba2a19d7d4e41e625fb522983ca6bfd04f136c5683682aa03871c96b",
}

func TestTheConsentTextAndItsVersionChangeTogether(t *testing.T) {
	if got := link.EnglishConsent().Hash(); wordings[link.ConsentTextVersion] != got {
		t.Errorf("the words of version %s have the hash %s, want %s", link.ConsentTextVersion, got, wordings[link.ConsentTextVersion])
	}
}

func TestEveryWordOfTheConsentIsInItsHash(t *testing.T) {
	before := map[string]bool{link.EnglishConsent().Hash(): true}
	for name, change := range map[string]func(*link.ConsentWords){
		"heading":      func(w *link.ConsentWords) { w.Heading += "." },
		"list heading": func(w *link.ConsentWords) { w.ListHeading += "." },
		"nothing more": func(w *link.ConsentWords) { w.NothingMore += "." },
		"no reason":    func(w *link.ConsentWords) { w.NoReason += "." },
		"password":     func(w *link.ConsentWords) { w.Password += "." },
		"revoke":       func(w *link.ConsentWords) { w.Revoke += "." },
	} {
		words := link.EnglishConsent()
		change(&words)
		if before[words.Hash()] {
			t.Errorf("another %s has the same hash", name)
		}
		before[words.Hash()] = true
	}
}

// consent is what a record of consent says.
type consent map[string]any

// consent returns the one record of a session's consent.
func (b begun) consent() (latchkey.AuditRecord, consent) {
	b.Helper()
	records, err := b.App.Store().AuditOf(b.Context(), b.Trial.OrganisationID, b.SessionID)
	if err != nil || len(records) != 1 {
		b.Fatalf("%d records, %v", len(records), err)
	}
	detail := consent{}
	if err := json.Unmarshal([]byte(records[0].Detail), &detail); err != nil {
		b.Fatal(err)
	}
	return records[0], detail
}

func TestTheRecordOfConsentSaysWhatWasShown(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	for _, appType := range []latchkey.AppType{latchkey.AppRedirect, latchkey.AppEmbed, latchkey.AppWhitelabel} {
		h.ChangeApp(appType, func(app *latchkey.ClientApp) {
			app.AllowedOrigins = []string{"https://www.shop.example", "https://shop.example"}
			app.Name, app.Domain, app.LogoURL = "Shop", "shop.example", "https://shop.example/logo.svg"
			app.Providers = []string{latchtest.ProviderID}
			app.Permissions = []latchkey.Permission{{Name: "a:read", Purpose: "to greet you"}, {Name: "b:read"}}
		})
	}
	want := func(appType latchkey.AppType, more consent) consent {
		said := consent{
			"clientAppId": h.Trial.ClientApps[appType], "appName": "Shop", "appDomain": "shop.example",
			"logoUrl": "https://shop.example/logo.svg", "provider": "tester", "locale": "en", "mode": "hosted",
			"permissions": []any{
				map[string]any{"name": "a:read", "purpose": "to greet you"}, map[string]any{"name": "b:read", "purpose": ""},
			},
			"textVersion": link.ConsentTextVersion, "textHash": link.EnglishConsent().Hash(),
		}
		for name, value := range more {
			said[name] = value
		}
		return said
	}
	const agent = "Mozilla/5.0 (consent)"
	approve := func(b begun, query string) {
		t.Helper()
		for version, action := range []string{1: "continue", 2: "approve"} {
			if action == "" {
				continue
			}
			form := url.Values{"version": {string(rune('0' + version))}, "action": {action}}
			answer := h.Call("POST", "/"+b.Secret()+query, form.Encode(), "apikey", "", "User-Agent", agent,
				"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
			if answer.Status != http.StatusSeeOther {
				t.Fatalf("answer %d: %s", answer.Status, answer.Body)
			}
		}
	}
	hashed := func(detail consent) {
		t.Helper()
		for _, name := range []string{"address", "userAgent"} {
			hash, _ := detail[name].(string)
			if len(hash) != 43 || strings.Contains(hash, "127.0.0.1") || strings.Contains(hash, "Mozilla") {
				t.Errorf("%s is %q, want a keyed hash", name, hash)
			}
			delete(detail, name)
		}
	}
	t.Run("on a page", func(t *testing.T) {
		b := begun{h, h.Init(map[string]any{"clientAppId": h.Trial.ClientApps[latchkey.AppRedirect]})}
		approve(b, "")
		record, detail := b.consent()
		hashed(detail)
		if diff := cmp.Diff(want(latchkey.AppRedirect, nil), detail); diff != "" {
			t.Error(diff)
		}
		stored := b.stored()
		if record.Actor != b.SessionID || record.Subject != b.SessionID || record.Environment != latchkey.Sandbox ||
			record.CreatedAt.After(stored.Progress.ConsentedAt) || record.CreatedAt.Before(stored.CreatedAt.Truncate(time.Microsecond)) {
			t.Errorf("the record is %+v, the session consented at %s", record, stored.Progress.ConsentedAt)
		}
	})
	t.Run("in another's page", func(t *testing.T) {
		b := begun{h, h.Init(map[string]any{"clientAppId": h.Trial.ClientApps[latchkey.AppEmbed], "permissions": []string{"b:read"}})}
		approve(b, "?embed=true&embed_origin=https%3A%2F%2Fshop.example")
		_, detail := b.consent()
		hashed(detail)
		more := consent{"embedOrigin": "https://shop.example", "permissions": []any{map[string]any{"name": "b:read", "purpose": ""}}}
		if diff := cmp.Diff(want(latchkey.AppEmbed, more), detail); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("in a page that could not show it", func(t *testing.T) {
		for appType, query := range map[latchkey.AppType]string{
			latchkey.AppEmbed: "?embed=true&embed_origin=https%3A%2F%2Fevil.example", latchkey.AppRedirect: "?embed=true&embed_origin=https%3A%2F%2Fshop.example.evil.example",
		} {
			b := begun{h, h.Init(map[string]any{"clientAppId": h.Trial.ClientApps[appType]})}
			approve(b, query)
			if _, detail := b.consent(); detail["embedOrigin"] != nil {
				t.Errorf("%s: it says that %v showed it", appType, detail["embedOrigin"])
			}
		}
	})
	t.Run("by the app, which attests it", func(t *testing.T) {
		b := h.begin()
		b.take(agreed)
		key, _, err := h.App.Store().APIKeyByHash(t.Context(), latchkey.HashSecret(h.Trial.APIKey))
		if err != nil {
			t.Fatal(err)
		}
		_, detail := b.consent()
		if diff := cmp.Diff(want(latchkey.AppWhitelabel, consent{"mode": "whitelabel", "attestedBy": key.ID}), detail); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("once for each time it is asked for", func(t *testing.T) {
		b := h.begin()
		b.take(agreed)
		b.send(submission{Version: b.stored().Version, Action: "back"})
		b.take(agreed)
		if n := b.consents(); n != 2 {
			t.Errorf("%d records of two consents", n)
		}
	})
	t.Run("and not for a text that nobody saw", func(t *testing.T) {
		b := h.begin()
		for _, version := range []string{"", "2020-1", link.ConsentTextVersion + " "} {
			if status, _ := b.send(submission{Version: 1, Fields: map[string]string{"textVersion": version}}); status != http.StatusBadRequest {
				t.Errorf("%q is answered %d", version, status)
			}
		}
		if n := b.consents(); n != 0 || b.stored().Version != 1 {
			t.Errorf("%d records", n)
		}
	})
}

func TestWhoHasNoNameForAnAddressSharesNoHash(t *testing.T) {
	one, other := newHouse(t, latchtest.Options{Idle: true}), newHouse(t, latchtest.Options{Idle: true})
	seen := map[string]bool{}
	for _, h := range []house{one, other} { // each has a key of its own
		b := begun{h, h.Init(map[string]any{"provider": latchtest.ProviderID})}
		h.Visit(b.URL).Consent()
		_, detail := b.consent()
		seen[detail["address"].(string)], seen[detail["userAgent"].(string)] = true, true
	}
	if len(seen) != 4 {
		t.Errorf("%d hashes of one address and one user agent in two installations, want 4", len(seen))
	}
}
