package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// initPlusRows are about what init takes beyond the original API, section 2.
var initPlusRows = []row{
	{id: "2.init.provider", statement: "provider is one of the app's: else 400 naming it", plus: true, check: func(s *suite) {
		s.begin(s.app(redirectApp), map[string]any{"provider": "sandbox"})
		for _, bad := range []string{"nowhere", "Sandbox"} {
			s.call("POST", "/v2/link/init", with(s.app(redirectApp).fields(), map[string]any{"provider": bad})).blames("provider")
		}
	}},
	{id: "2.init.permissions", statement: "permissions are a subset of the app's: else 400 naming them", plus: true, check: func(s *suite) {
		app := s.ownApp(redirectApp)
		s.begin(app, map[string]any{"permissions": permissionNames[1:]})
		for _, bad := range [][]string{{"profile:write"}, {"profile:read", "other"}, {""}} {
			s.call("POST", "/v2/link/init", with(app.fields(), map[string]any{"permissions": bad})).blames("permissions")
		}
	}},
	{id: "2.init.permissions-kept", statement: "the subset is what the connection has", plus: true, check: func(s *suite) {
		s.ownApp(whitelabelApp)
		s.link("creator", map[string]any{"permissions": []string{"posts:read"}}).get().at("permissions").is([]string{"posts:read"})
	}},
	{id: "2.init.permissions-absent", statement: "absent, the connection has all of the app's", plus: true, check: func(s *suite) {
		s.ownApp(whitelabelApp)
		s.link("creator", nil).get().at("permissions").is(permissionNames)
	}},
	{id: "2.init.expiresIn", statement: "expiresIn is 300 to 3600 seconds", plus: true, check: func(s *suite) {
		for _, seconds := range []int{300, 301, 3600} {
			life := s.life(s.begin(s.app(redirectApp), map[string]any{"expiresIn": seconds}))
			if want := time.Duration(seconds) * time.Second; life > want+time.Second || life < want-patience {
				s.failf("with expiresIn %d it lasts %v", seconds, life)
			}
		}
		for _, bad := range []any{299, 3601, 0, -300, 300.5, "600"} {
			s.call("POST", "/v2/link/init", with(s.app(redirectApp).fields(), map[string]any{"expiresIn": bad})).blames("expiresIn")
		}
	}},
	{id: "2.init.expiresIn-default", statement: "absent, it is the organisation's default: 1800", plus: true, check: func(s *suite) {
		seconds := s.call("GET", "/v2/account/settings", nil).ok().at("defaults.expiresIn").whole()
		life := s.life(s.begin(s.app(redirectApp), nil))
		if want := time.Duration(seconds) * time.Second; life > want+time.Second || life < want-patience {
			s.failf("it lasts %v, want %v", life, want)
		}
	}},
	{id: "2.init.locale", statement: "locale is a BCP 47 tag: else 400 naming it", plus: true, check: func(s *suite) {
		for _, good := range []string{"en", "de-CH", "zh-Hant-TW", "pt-BR"} {
			s.begin(s.app(redirectApp), map[string]any{"locale": good})
		}
		for _, bad := range []string{"not a tag", "en_US!", "x"} {
			s.call("POST", "/v2/link/init", with(s.app(redirectApp).fields(), map[string]any{"locale": bad})).blames("locale")
		}
	}},
	{id: "2.init.locale-page", statement: "the page speaks it, else what Accept-Language asks for", plus: true, check: localePage},
	{id: "2.init.metadata", statement: "metadata is an object of up to 20 strings", plus: true, check: func(s *suite) {
		many := map[string]string{}
		for i := range 20 {
			many[fmt.Sprintf("key %d", i)] = strings.Repeat("ü", 100)
		}
		s.begin(s.app(redirectApp), map[string]any{"metadata": many})
		many["one more"] = "x"
		for _, bad := range []any{many, map[string]any{"a": 1}, map[string]any{"a": nil, "b": []int{}}, []string{"a"}, "a"} {
			s.call("POST", "/v2/link/init", with(s.app(redirectApp).fields(), map[string]any{"metadata": bad})).blames("metadata")
		}
	}},
	{id: "2.init.metadata-kept", statement: "metadata is kept on the connection", plus: true, check: func(s *suite) {
		kept := map[string]string{"plan": "gold", "Grüße": "ja"}
		s.link("creator", map[string]any{"metadata": kept}).get().at("metadata").is(kept)
	}},
	{id: "2.init.idempotency", statement: "the same Idempotency-Key and body: the same answer", plus: true, check: func(s *suite) {
		key, body := s.unique(), with(s.app(redirectApp).fields(), map[string]any{"clientReferenceId": s.reference()})
		first := s.call("POST", "/v2/link/init", body, "Idempotency-Key", key).want(http.StatusOK)
		again := s.call("POST", "/v2/link/init", body, "Idempotency-Key", key).want(http.StatusOK)
		if string(first.body) != string(again.body) {
			s.failf("the second answer is another one than the first")
		}
		again.head("Idempotent-Replayed", "true")
		first.head("Idempotent-Replayed", "")
		other := s.call("POST", "/v2/link/init", body, "Idempotency-Key", s.unique()).ok()
		if other.at("sessionId").text() == first.json().at("sessionId").text() {
			s.failf("another key gives the same session")
		}
	}},
	{id: "2.init.idempotency-conflict", statement: "the same key with another body: 409", plus: true, check: func(s *suite) {
		key := s.unique()
		s.call("POST", "/v2/link/init", s.app(redirectApp).fields(), "Idempotency-Key", key).want(http.StatusOK)
		body := with(s.app(redirectApp).fields(), map[string]any{"clientReferenceId": s.reference()})
		s.call("POST", "/v2/link/init", body, "Idempotency-Key", key).refused("CONFLICT")
	}},
	{id: "2.init.idempotency-length", statement: "the key has up to 255 bytes: else 400", plus: true, check: func(s *suite) {
		long := s.unique() + strings.Repeat("k", 255)
		s.call("POST", "/v2/link/init", s.app(redirectApp).fields(), "Idempotency-Key", long[:255]).want(http.StatusOK)
		s.call("POST", "/v2/link/init", s.app(redirectApp).fields(), "Idempotency-Key", long[:256]).refused("BAD_REQUEST")
	}},
	{id: "2.init.idempotency-race", statement: "sent eight times at once: one session", plus: true, check: idempotencyRace},
	{id: "2.init.suspended", statement: "a suspended app gets no session: 403", plus: true, check: func(s *suite) {
		app := s.newApp(redirectApp, nil)
		s.call("PATCH", "/v2/client-apps/"+app.id, map[string]any{"suspended": true}).ok().at("suspended").is(true)
		s.call("POST", "/v2/link/init", app.fields()).refused("FORBIDDEN")
	}},
	{id: "2.init.whitelabel-off", statement: "whitelabel is off until it is turned on: 403", plus: true, check: func(s *suite) {
		app := s.newApp(whitelabelApp, map[string]any{"whitelabelEnabled": nil})
		s.call("POST", "/v2/link/init", app.fields()).refused("FORBIDDEN")
		s.call("PATCH", "/v2/client-apps/"+app.id, map[string]any{"whitelabelEnabled": true}).want(http.StatusOK)
		s.begin(app, nil).answer.at("mode").is("whitelabel")
	}},
}

// localePage compares the languages that pages are drawn in. How many a server
// speaks is its own affair.
func localePage(s *suite) {
	language := func(fields map[string]any, accepted string) string {
		l := s.begin(s.app(redirectApp), fields)
		p := &page{s: s, address: l.url}
		p.read(s.send("GET", l.url, nil, "Accept-Language", accepted).want(http.StatusOK))
		return p.document.Find("html").AttrOr("lang", "")
	}
	for _, wanted := range []string{"en", "de", "fr", "es", "ja", "ar"} {
		accepted := language(nil, wanted+", *;q=0.1")
		if accepted == "" {
			s.failf("the page does not say which language it is in")
		}
		if told := language(map[string]any{"locale": wanted}, "en"); told != accepted {
			s.failf("locale %s gives %q, Accept-Language %s gives %q", wanted, told, wanted, accepted)
		}
	}
}

// idempotencyRace sends one request several times at once. Some of the answers
// may ask to wait for the first; all that are 200 are the same.
func idempotencyRace(s *suite) {
	key, body := s.unique(), with(s.app(redirectApp).fields(), map[string]any{"clientReferenceId": s.reference()})
	sessions := map[string]bool{}
	for _, got := range s.together(8, func(int) answer {
		return s.call("POST", "/v2/link/init", body, "Idempotency-Key", key)
	}) {
		if got.status == http.StatusOK {
			sessions[got.json().at("sessionId").text()] = true
		} else if got.status != http.StatusConflict {
			got.want(http.StatusOK)
		}
	}
	if len(sessions) != 1 {
		s.failf("there are %d sessions, want 1", len(sessions))
	}
	s.call("POST", "/v2/link/init", body, "Idempotency-Key", key).ok()
}
