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

// wordings are the texts that there have been, by version and language. A
// changed word needs a new version, and a line here: an old record must be
// readable for ever.
var wordings = map[string]map[string]string{
	"2026-11-1": {
		"ar": "2bce03a9df63be5484f96f57af416dac850023c227f50bea22600d09816daba6",
		"de": "5b31daa51a9ad118deca84966080ba724bd42a946ee91cdcbc960c7b55a266aa",
		"en": "c7d1ff9cba2a19d7d4e41e625fb522983ca6bfd04f136c5683682aa03871c96b",
		"es": "443560583de731e7427c581dc7b58c9d72d6c6d78d7639fedef8de07d09098ca",
		"fr": "2e9832b01654ea372358f576989af100e876e497d20c6b960b675453a9bcbadf",
		"it": "20174dfed1241d1484afb32fb7e452e857d348581312d42aa0ce94bd32a50609",
		"ja": "048720eb172b24577c31914178364f4cc62759b351d1876c3def5c798072cd3a",
		"nl": "6788508a7a2f09d19df21908d1d6a176d5298d09a48f1b9a23d255634946ae87",
		"pl": "9fefa5c78535a061372d42a7687d9e79350f5379af5d9cd715e3c6ddd443a637",
		"pt": "b7bf25e2f6874eefbed5a70280169c11838d6a67798531613aad33b007d1d421",
	},
}

func TestTheConsentTextAndItsVersionChangeTogether(t *testing.T) {
	hashes := map[string]string{}
	for _, tag := range link.ConsentLanguages() {
		hashes[tag] = link.ConsentIn(tag).Hash()
	}
	if diff := cmp.Diff(wordings[link.ConsentTextVersion], hashes); diff != "" {
		t.Errorf("the words of version %s (-want +got):\n%s", link.ConsentTextVersion, diff)
	}
}

func TestEveryWordOfTheConsentIsInItsHash(t *testing.T) {
	for _, tag := range link.ConsentLanguages() {
		before := map[string]bool{link.ConsentIn(tag).Hash(): true}
		for name, part := range map[string]func(*link.ConsentWords) *string{
			"heading":      func(w *link.ConsentWords) *string { return &w.Heading },
			"list heading": func(w *link.ConsentWords) *string { return &w.ListHeading },
			"nothing more": func(w *link.ConsentWords) *string { return &w.NothingMore },
			"no reason":    func(w *link.ConsentWords) *string { return &w.NoReason },
			"password":     func(w *link.ConsentWords) *string { return &w.Password },
			"revoke":       func(w *link.ConsentWords) *string { return &w.Revoke },
		} {
			words := link.ConsentIn(tag)
			text := part(&words)
			if *text == "" || strings.Contains(*text, "  ") {
				t.Errorf("%s: the %s is %q", tag, name, *text)
			}
			*text += "."
			if before[words.Hash()] {
				t.Errorf("%s: another %s has the same hash", tag, name)
			}
			before[words.Hash()] = true
		}
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
			"textVersion": link.ConsentTextVersion, "textHash": link.ConsentIn("en").Hash(),
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
