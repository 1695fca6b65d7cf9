package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// access calls the provider's API through the proxy.
func (s *suite) access(method, connection, path string, more ...string) answer {
	return s.accessWith(method, connection, path, nil, more...)
}

// accessWith is access with a body.
func (s *suite) accessWith(method, connection, path string, body any, more ...string) answer {
	return s.call(method, "/v2/access/proxy"+path, body, append([]string{"x-connection-id", connection}, more...)...)
}

// accessRows are about calls of the provider, section 4.
var accessRows = []row{
	{id: "4.proxy.get", statement: "GET /me is the linked user, as the provider answers", check: func(s *suite) {
		c := s.link("creator", nil)
		told := s.access("GET", c.id, "/me").ok()
		told.at("id").is(c.user.at("id").text())
		told.at("username").is(c.user.at("username").text())
	}},
	{id: "4.proxy.query", statement: "path and query go there as they are", plus: true, check: func(s *suite) {
		c := s.link("creator", nil)
		told := s.access("GET", c.id, "/posts?limit=3&offset=2").ok()
		if n := len(told.at("list").list()); n != 3 {
			s.failf("limit=3 has %d posts", n)
		}
		told.at("hasMore").is(true)
		all := s.access("GET", c.id, "/posts?limit=5").ok()
		told.at("list.0").is(all.at("list.2").data)
		s.access("GET", c.id, "/posts?limit=0").want(http.StatusBadRequest)
	}},
	{id: "4.proxy.post", statement: "a body goes there as it is", plus: true, check: func(s *suite) {
		c := s.link("creator", nil)
		told := s.accessWith("POST", c.id, "/messages", map[string]any{"text": "Grüße, " + s.run}).want(http.StatusCreated).json()
		told.at("text").is("Grüße, " + s.run)
		told.at("id").fits(filled)
	}},
	{id: "4.proxy.status", statement: "the provider's status comes as it is", plus: true, check: func(s *suite) {
		c := s.link("creator", nil)
		for _, status := range []int{200, 201, 202, 204, 206, 304, 400, 401, 403, 404, 409, 418, 429, 500, 502, 503, 599} {
			got := s.access("GET", c.id, fmt.Sprintf("/status/%d", status)).want(status)
			if status >= 400 && strings.Contains(string(got.body), "requestId") {
				s.failf("the provider's %d came as an error of the server's own", status)
			}
		}
		c.get().at("status").is("active")
	}},
	{id: "4.proxy.redirects", statement: "redirects are not followed", plus: true, check: func(s *suite) {
		c := s.link("creator", nil)
		for _, status := range []int{301, 302, 303, 307, 308} {
			s.access("GET", c.id, fmt.Sprintf("/status/%d", status)).want(status)
		}
	}},
	{id: "4.proxy.methods", statement: "any method goes there", plus: true, check: func(s *suite) {
		c := s.link("creator", nil)
		for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS"} {
			s.access(method, c.id, "/me").want(http.StatusMethodNotAllowed).head("Allow", "GET")
		}
		if got := s.access("HEAD", c.id, "/me").want(http.StatusOK); len(got.body) > 0 {
			s.failf("HEAD has a body")
		}
	}},
	{id: "4.proxy.not-found", statement: "what the provider does not know is its own 404", plus: true, check: func(s *suite) {
		told := s.access("GET", s.link("creator", nil).id, "/no/such/path").want(http.StatusNotFound).json()
		told.at("error.status").is(404)
	}},
	{id: "4.proxy.large", statement: "bodies are streamed: the bound of 64 KiB is not for them", plus: true, check: func(s *suite) {
		body := map[string]any{"text": strings.Repeat("x", 100<<10)}
		told := s.accessWith("POST", s.link("creator", nil).id, "/messages", body).want(http.StatusRequestEntityTooLarge).json()
		told.at("error.status").is(413) // the provider's own words
	}},
	{id: "4.proxy.bearer", statement: "also with the key as a bearer token", plus: true, check: func(s *suite) {
		s.access("GET", s.link("creator", nil).id, "/me", "apikey", "", "Authorization", "Bearer "+s.key).want(http.StatusOK)
	}},
	{id: "4.proxy.drops-authorization", statement: "the caller's Authorization and Cookie are dropped", check: func(s *suite) {
		c := s.link("creator", nil)
		for _, sent := range []string{"Bearer evil", "Sandbox sbx_evil.evil", "Basic YTpi"} {
			told := s.access("GET", c.id, "/me", "Authorization", sent, "Cookie", "session=evil@creator.sandbox.com").ok()
			told.at("id").is(c.user.at("id").text())
		}
	}},
	{id: "4.proxy.no-cookie", statement: "no answer sets a cookie or shows a credential", check: func(s *suite) {
		c := s.link("creator", nil)
		for _, path := range []string{"/me", "/posts", "/status/401", "/status/500", "/nowhere"} {
			got := s.access("GET", c.id, path)
			got.head("Set-Cookie", "")
			for name, values := range got.header {
				if joined := strings.Join(values, " "); blank(joined) != joined {
					s.failf("the header %s shows a secret", name)
				}
			}
			if blank(string(got.body)) != string(got.body) {
				s.failf("the body of %s shows a secret", path)
			}
		}
	}},
	{id: "4.proxy.no-connection", statement: "without a connection, or an unknown one: SESSION_NOT_PROVIDED", check: func(s *suite) {
		s.access("GET", "", "/me").refused("SESSION_NOT_PROVIDED")
		for _, unknown := range []string{"conn_" + s.unique(), "nonsense", "conn_", "ls_a"} {
			s.access("GET", unknown, "/me").refused("SESSION_NOT_PROVIDED")
		}
	}},
	{id: "4.proxy.expired", statement: "an expired connection: SESSION_EXPIRED, refresh_session", check: func(s *suite) {
		c := s.link("creator", nil)
		s.access("GET", c.id, "/me").want(http.StatusOK)
		s.call("POST", c.path()+"/invalidate", nil).want(http.StatusOK)
		for _, method := range []string{"GET", "POST"} {
			s.access(method, c.id, "/me").refused("SESSION_EXPIRED").at("actionRequired").is("refresh_session")
		}
	}},
	{id: "4.proxy.path", statement: "a path does not leave the provider's API", plus: true, check: func(s *suite) {
		c := s.link("creator", nil)
		for _, path := range []string{"/%2e%2e/me", "/posts/%2e%2e/me", "/..%2fme", "/posts/..;/me"} {
			if got := s.access("GET", c.id, path); got.status == http.StatusOK {
				s.failf("%s was answered 200", path)
			}
		}
	}},
	{id: "4.self", statement: "GET /v2/access/self is the profile, with raw", plus: true, check: func(s *suite) {
		c := s.link("creator", nil)
		told := s.call("GET", "/v2/access/self", nil, "x-connection-id", c.id).ok().fits(userShape)
		for _, field := range []string{"id", "name", "username", "avatar"} {
			told.at(field).is(c.user.at(field).data)
		}
		told.at("raw").is(s.access("GET", c.id, "/me").ok().data)
	}},
	{id: "4.self.refused", statement: "and is refused as any access is", plus: true, check: func(s *suite) {
		s.call("GET", "/v2/access/self", nil).refused("SESSION_NOT_PROVIDED")
		c := s.link("creator", nil)
		s.call("POST", c.path()+"/invalidate", nil).want(http.StatusOK)
		s.call("GET", "/v2/access/self", nil, "x-connection-id", c.id).refused("SESSION_EXPIRED")
	}},
	{id: "4.limit.headers", statement: "every answer carries X-RateLimit-Limit, -Remaining and -Reset", check: func(s *suite) {
		c := s.link("creator", nil)
		for _, path := range []string{"/me", "/status/404", "/status/500"} {
			got := s.access("GET", c.id, path)
			for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} {
				got.fitsHeader(name, `[0-9]+`)
			}
		}
		self := s.call("GET", "/v2/access/self", nil, "x-connection-id", c.id)
		self.fitsHeader("X-RateLimit-Remaining", `[0-9]+`)
	}},
	{id: "4.limit.bucket", statement: "90 at once; each call takes one", check: func(s *suite) {
		c := s.link("creator", nil)
		first := s.access("GET", c.id, "/me").want(http.StatusOK)
		first.head("X-RateLimit-Limit", "90")
		first.head("X-RateLimit-Remaining", "89")
		s.access("GET", c.id, "/me").want(http.StatusOK).head("X-RateLimit-Remaining", "88", "89")
		reset, err := strconv.ParseInt(first.header.Get("X-RateLimit-Reset"), 10, 64)
		if left := time.Until(time.Unix(reset, 0)); err != nil || left < -5*time.Second || left > 2*time.Minute {
			s.failf("X-RateLimit-Reset is %q, %v from now", first.header.Get("X-RateLimit-Reset"), left)
		}
	}},
	{id: "4.limit.each", statement: "each connection has a bucket of its own", plus: true, check: func(s *suite) {
		one, other := s.link("creator", nil), s.link("creator", nil)
		s.call("PATCH", one.path()+"/settings", map[string]any{"rateLimit": map[string]any{"perMinute": 1, "burst": 1}}).want(http.StatusOK)
		s.access("GET", one.id, "/me").want(http.StatusOK)
		s.access("GET", one.id, "/me").refused("RATE_LIMIT_EXCEEDED")
		s.access("GET", other.id, "/me").want(http.StatusOK)
	}},
}
