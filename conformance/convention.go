package main

import (
	"net/http"
	"regexp"
	"strings"
)

// conventionRows are about ids, times and headers, section 1.
var conventionRows = []row{
	{id: "1.ids.session", statement: "a session is ls_…", plus: true, check: func(s *suite) {
		s.begin(s.app(redirectApp), nil).answer.at("sessionId").fits(id("ls_"))
	}},
	{id: "1.ids.client-secret", statement: "a client secret is cs_… with at least 256 random bits", check: func(s *suite) {
		one, other := s.begin(s.app(redirectApp), nil).secret, s.begin(s.app(redirectApp), nil).secret
		for _, secret := range []string{one, other} {
			if !regexp.MustCompile(`^cs_[0-9A-Za-z]{43,}$`).MatchString(secret) {
				s.failf("a secret has %d characters, want cs_ and at least 43 letters and digits", len(secret))
			}
		}
		if one == other {
			s.failf("two sessions have one secret")
		}
	}},
	{id: "1.ids.connection", statement: "a connection is conn_…", check: func(s *suite) {
		s.link("creator", nil).session.status().at("data.id").fits(id("conn_"))
	}},
	{id: "1.ids.organisation", statement: "an organisation is org_…", plus: true, check: func(s *suite) {
		s.call("GET", "/v2/account/whoami", nil).ok().at("id").fits(id("org_"))
	}},
	{id: "1.ids.client-app", statement: "a client app is app_…", plus: true, check: func(s *suite) {
		s.call("GET", "/v2/client-apps", nil).ok().at("list").fits(listOf(object(map[string]shape{"id": id("app_")})))
	}},
	{id: "1.ids.api-key", statement: "an API key's id is key_…", plus: true, check: func(s *suite) {
		s.call("GET", "/v2/api-keys", nil).ok().at("list").fits(listOf(object(map[string]shape{"id": id("key_")})))
	}},
	{id: "1.ids.webhook", statement: "an endpoint is we_…, its secret whsec_ and base64", plus: true, check: func(s *suite) {
		made := s.makeEndpoint(nil)
		made.at("id").fits(id("we_"))
		made.at("secret").fits(like(`whsec_[0-9A-Za-z+/]{32,}=*`))
	}},
	{id: "1.ids.request", statement: "every answer has its own x-request-id: req_…", check: func(s *suite) {
		seen := map[string]bool{}
		for range 3 {
			got := s.call("GET", "/v2/account/whoami", nil).want(http.StatusOK)
			got.fitsHeader("x-request-id", `req_[0-9A-Za-z]+`)
			if seen[got.header.Get("x-request-id")] {
				s.failf("two answers have one request id")
			}
			seen[got.header.Get("x-request-id")] = true
		}
	}},
	{id: "1.ids.request-everywhere", statement: "also pages, errors, 204s and unknown routes have it", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		for _, got := range []answer{
			s.send("GET", l.url, nil), s.call("DELETE", l.path(), nil).want(http.StatusNoContent),
			s.send("GET", s.url+"/nowhere", nil), s.call("GET", "/v2/nowhere", nil), s.call("POST", "/v2/link/init", "{"),
			s.call("GET", "/v2/account/whoami", nil, "apikey", ""), s.call("GET", "/v2/access/proxy/me", nil),
		} {
			got.fitsHeader("x-request-id", `req_[0-9A-Za-z]+`)
		}
	}},
	{id: "1.time.format", statement: "times are RFC 3339, UTC, with milliseconds", check: func(s *suite) {
		s.begin(s.app(redirectApp), nil).answer.at("expiresAt").fits(moment)
		told := s.link("creator", nil).get()
		told.at("createdAt").fits(moment)
		told.at("updatedAt").fits(moment)
	}},
	{id: "1.x-connection-id.ignored", statement: "x-connection-id is ignored but by access", check: func(s *suite) {
		for _, sent := range []string{"conn_" + s.unique(), "nonsense", "%"} {
			s.call("GET", "/v2/account/whoami", nil, "x-connection-id", sent).want(http.StatusOK)
			s.call("GET", "/v2/account/connections", nil, "x-connection-id", sent).want(http.StatusOK)
		}
	}},
	{id: "1.no-content", statement: "a 204 has no body", check: func(s *suite) {
		got := s.call("DELETE", s.begin(s.app(redirectApp), nil).path(), nil).want(http.StatusNoContent)
		if len(got.body) > 0 || got.header.Get("Content-Type") != "" {
			s.failf("it has %d bytes of %q", len(got.body), got.header.Get("Content-Type"))
		}
	}},
	{id: "1.headers.json", statement: "answers are application/json in UTF-8", check: func(s *suite) {
		got := s.call("GET", "/v2/account/whoami", nil)
		got.fitsHeader("Content-Type", `application/json(; ?charset=utf-8)?`)
		got.ok()
	}},
	{id: "1.headers.private", statement: "answers are kept by nobody and sniffed by nobody", plus: true, check: func(s *suite) {
		for _, got := range []answer{
			s.call("GET", "/v2/account/whoami", nil), s.call("POST", "/v2/link/init", "{"), s.call("GET", "/v2/nowhere", nil),
		} {
			got.fitsHeader("Cache-Control", `.*\bno-store\b.*`)
			got.head("X-Content-Type-Options", "nosniff")
		}
	}},
	{id: "1.headers.no-cors", statement: "no other site may read an answer", plus: true, check: func(s *suite) {
		for _, got := range []answer{
			s.call("GET", "/v2/account/whoami", nil, "Origin", "https://elsewhere.example"),
			s.call("OPTIONS", "/v2/link/init", nil, "Origin", "https://elsewhere.example", "Access-Control-Request-Method", "POST"),
			s.send("GET", s.begin(s.app(redirectApp), nil).url, nil, "Origin", "https://elsewhere.example"),
		} {
			got.head("Access-Control-Allow-Origin", "")
		}
	}},
	{id: "1.headers.rate-limit", statement: "every answer tells of the key's budget", plus: true, check: func(s *suite) {
		for _, got := range []answer{s.call("GET", "/v2/account/whoami", nil), s.call("POST", "/v2/link/init", "{")} {
			for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} {
				got.fitsHeader(name, `[0-9]+`)
			}
		}
	}},
}

// fitsHeader fails the row unless the header matches the whole pattern.
func (a answer) fitsHeader(name, pattern string) {
	if given := a.header.Get(name); !regexp.MustCompile(`^(?i:` + pattern + `)$`).MatchString(given) {
		a.s.failf("%s was answered with %s: %q, want it like %s", a.exchange, name, given, strings.TrimSpace(pattern))
	}
}
