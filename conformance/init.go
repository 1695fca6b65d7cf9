package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// initRows are about what POST /v2/link/init takes and answers, section 2. The
// redirect URL has rows of its own.
var initRows = []row{
	{id: "2.init.hosted", statement: "hosted: mode, url on the link URL, expiresAt", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		l.answer.fits(object(map[string]shape{"mode": exactly("hosted"), "url": id(s.linkURL + "/cs_"), "expiresAt": moment}))
		if l.answer.has("clientSecret") {
			s.failf("the answer has a clientSecret beside the url")
		}
	}},
	{id: "2.init.whitelabel", statement: "whitelabel: mode, clientSecret, expiresAt", check: func(s *suite) {
		if s.core && s.call("POST", "/v2/link/init", s.app(whitelabelApp).fields()).status != http.StatusOK {
			s.leaveOut("the server has no whitelabel app for this key")
		}
		l := s.begin(s.app(whitelabelApp), nil)
		l.answer.fits(object(map[string]shape{
			"mode": exactly("whitelabel"), "clientSecret": id("cs_"), "expiresAt": moment,
		}))
		if l.answer.has("url") {
			s.failf("the answer has a url beside the clientSecret")
		}
	}},
	{id: "2.init.sessionId", statement: "the answer names the session in both modes", plus: true, check: func(s *suite) {
		for _, kind := range []string{redirectApp, embedApp, whitelabelApp} {
			s.begin(s.app(kind), nil).answer.at("sessionId").fits(id("ls_"))
		}
	}},
	{id: "2.init.embed", statement: "an embedded app's session is hosted", check: func(s *suite) {
		s.begin(s.app(embedApp), nil).answer.at("mode").is("hosted")
	}},
	{id: "2.init.clientAppId", statement: "clientAppId is app_… of this environment: else 400 naming it", check: func(s *suite) {
		for _, bad := range []string{"app_" + s.unique(), "app_", "app_a-b", "shop", "conn_a"} {
			s.call("POST", "/v2/link/init", map[string]any{"clientAppId": bad}).blames("clientAppId")
		}
	}},
	{id: "2.init.clientAppId-absent", statement: "without it: the oldest app that fits the mode", plus: true, check: oldestApp},
	{id: "2.init.mode", statement: "mode is redirect, embed, hosted or whitelabel", check: func(s *suite) {
		s.begin(clientApp{mode: "hosted"}, nil).answer.at("mode").is("hosted")
		for _, bad := range []string{"popup", "HOSTED", ""} {
			if bad != "" {
				s.call("POST", "/v2/link/init", map[string]any{"mode": bad}).blames("mode")
			}
		}
	}},
	{id: "2.init.mode-hint", statement: "mode does not count beside clientAppId", check: func(s *suite) {
		s.begin(s.ownApp(redirectApp), map[string]any{"mode": "whitelabel"}).answer.at("mode").is("hosted")
	}},
	{id: "2.init.clientReferenceId", statement: "clientReferenceId has 1 to 255 characters", check: func(s *suite) {
		app := s.app(redirectApp)
		for _, good := range []string{"u", strings.Repeat("u", 255), strings.Repeat("ü", 255), "a b/c?d&e"} {
			s.begin(app, map[string]any{"clientReferenceId": good})
		}
		for _, bad := range []string{"", strings.Repeat("u", 256), strings.Repeat("ü", 256)} {
			s.call("POST", "/v2/link/init", with(app.fields(), map[string]any{"clientReferenceId": bad})).blames("clientReferenceId")
		}
	}},
	{id: "2.init.connectionId", statement: "connectionId is a connection of this environment: else 404", check: func(s *suite) {
		body := with(s.app(redirectApp).fields(), map[string]any{"connectionId": "conn_" + s.unique()})
		s.call("POST", "/v2/link/init", body).refused("RESOURCE_NOT_FOUND")
		s.begin(s.app(redirectApp), map[string]any{"connectionId": s.link("creator", nil).id})
	}},
	{id: "2.init.connectionId-malformed", statement: "one that is no conn_…: 400 naming it", check: func(s *suite) {
		body := with(s.app(redirectApp).fields(), map[string]any{"connectionId": "cs_a"})
		s.call("POST", "/v2/link/init", body).blames("connectionId")
	}},
	{id: "2.init.geolocation", statement: "geolocation: ISO 3166-1 country, 3166-2 state, free city", check: func(s *suite) {
		for _, good := range []map[string]any{
			{"country": "US"}, {"country": "US", "state": "CA"}, {"country": "DE", "state": "BY", "city": "Garmisch-Partenkirchen"},
			{"country": "FR", "state": "75C", "city": "Paris 4ᵉ"},
		} {
			s.begin(s.app(redirectApp), map[string]any{"geolocation": good})
		}
	}},
	{id: "2.init.geolocation-country", statement: "its country is required and exists: else 400 naming it", check: func(s *suite) {
		for _, bad := range []map[string]any{{}, {"state": "CA"}, {"country": ""}, {"country": "XX"}, {"country": "USA"}, {"country": "us"}} {
			s.call("POST", "/v2/link/init", with(s.app(redirectApp).fields(), map[string]any{"geolocation": bad})).
				blames("geolocation.country")
		}
	}},
	{id: "2.init.geolocation-state", statement: "a state that can't be: 400 naming it", check: func(s *suite) {
		for _, bad := range []string{"California", "c", "US-CA", "C A"} {
			body := with(s.app(redirectApp).fields(), map[string]any{"geolocation": map[string]any{"country": "US", "state": bad}})
			s.call("POST", "/v2/link/init", body).blames("geolocation.state")
		}
	}},
	{id: "2.init.deprecated", statement: "options.returnRawSession and origin are accepted", check: func(s *suite) {
		s.begin(s.app(redirectApp), map[string]any{"options": map[string]any{"returnRawSession": true}})
		s.begin(s.app(redirectApp), map[string]any{"origin": "https://shop.example"})
		s.begin(s.app(redirectApp), map[string]any{"options": map[string]any{}})
	}},
	{id: "2.init.expiresAt", statement: "a session lasts 30 to 60 minutes unless it is told", check: func(s *suite) {
		if life := s.life(s.begin(s.app(redirectApp), nil)); life < 29*time.Minute || life > 61*time.Minute {
			s.failf("it lasts %v", life)
		}
	}},
}

// life returns how long a session that has just begun lasts.
func (s *suite) life(l session) time.Duration {
	written := l.answer.at("expiresAt").fits(moment).text()
	ends, err := time.Parse(time.RFC3339, written)
	if err != nil {
		s.failf("expiresAt is %q: %v", written, err)
	}
	return time.Until(ends)
}

// oldestApp asks for each mode without an app, and looks which was taken.
func oldestApp(s *suite) {
	oldest := map[string]value{}
	s.each("/v2/client-apps?", func(app value) {
		kind := app.at("type").text()
		known, ok := oldest[kind]
		if !ok || app.at("createdAt").text() < known.at("createdAt").text() {
			oldest[kind] = app
		}
	})
	for _, kind := range []string{redirectApp, embedApp, whitelabelApp} {
		app, ok := oldest[kind]
		if !ok || app.at("suspended").flag() || kind == whitelabelApp && !app.at("whitelabelEnabled").flag() {
			continue
		}
		l := s.begin(clientApp{mode: kind}, map[string]any{"provider": "sandbox"})
		found := s.call("GET", "/v2/link/sessions?clientReferenceId="+l.reference, nil).ok().at("list.0")
		found.at("clientAppId").is(app.at("id").text())
	}
}

// listed finds what was made in its list, where every entry has the shape.
// Other rows make and remove entries meanwhile, so pages may shift: it is
// looked for until it is found.
func (s *suite) listed(path string, made value, wanted shape) value {
	var found value
	s.eventually("the entry in the list", soon, func() bool {
		s.each(path+"?", func(each value) {
			if each.fits(wanted).at("id").text() == made.at("id").text() {
				found = each
			}
		})
		return found.present
	})
	return found
}

// each calls visit with every entry of a list. The path ends in ? or &.
func (s *suite) each(path string, visit func(value)) {
	for offset := 0; ; {
		told := s.call("GET", fmt.Sprintf("%slimit=100&offset=%d", path, offset), nil).want(http.StatusOK).json()
		entries := told.at("list").list()
		for _, each := range entries {
			visit(each)
		}
		if !told.at("hasMore").flag() {
			return
		}
		offset += len(entries)
	}
}
