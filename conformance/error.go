package main

import (
	"net/http"
	"strings"
)

// errorStatuses are the statuses of the types of errors that can be brought
// about from outside.
var errorStatuses = map[string]int{
	"UNAUTHORIZED": http.StatusUnauthorized, "SESSION_NOT_PROVIDED": http.StatusUnauthorized,
	"SESSION_EXPIRED": http.StatusUnauthorized, "FORBIDDEN": http.StatusForbidden, "BAD_REQUEST": http.StatusBadRequest,
	"RESOURCE_NOT_FOUND": http.StatusNotFound, "ROUTE_NOT_FOUND": http.StatusNotFound, "CONFLICT": http.StatusConflict,
	"PAYLOAD_TOO_LARGE":      http.StatusRequestEntityTooLarge,
	"UNSUPPORTED_MEDIA_TYPE": http.StatusUnsupportedMediaType, "RATE_LIMIT_EXCEEDED": http.StatusTooManyRequests,
}

// errorShape is the one error that carries all three published shapes.
var errorShape = object(map[string]shape{
	"error": filled, "message": filled, "type": filled, "code": filled, "requestId": id("req_"),
	"actionRequired?": filled, "details?": object(map[string]shape{"field?": filled}),
})

// refused fails the row unless the answer is an error of the type, whole in
// every one of its shapes.
func (a answer) refused(kind string) value {
	told := a.want(errorStatuses[kind]).json().fits(errorShape)
	told.at("type").is(kind)
	told.at("code").is(kind)
	told.at("message").is(told.at("error").text())
	told.at("requestId").is(a.header.Get("x-request-id"))
	return told
}

// blames fails the row unless the answer is a BAD_REQUEST whose details name
// the field, or a place within it.
func (a answer) blames(field string) {
	named := a.refused("BAD_REQUEST").at("details.field").text()
	if named != field && !strings.HasPrefix(named, field+".") {
		a.s.failf("%s: details.field is %q, want %q", a.exchange, named, field)
	}
}

// errorRows are about the errors of section 1.
var errorRows = []row{
	{id: "1.error.UNAUTHORIZED", statement: "without a key: 401, the error in all three shapes", check: func(s *suite) {
		s.call("GET", "/v2/account/whoami", nil, "apikey", "").refused("UNAUTHORIZED")
	}},
	{id: "1.error.SESSION_NOT_PROVIDED", statement: "an access call without a connection: 401", check: func(s *suite) {
		s.call("GET", "/v2/access/proxy/me", nil).refused("SESSION_NOT_PROVIDED")
	}},
	{id: "1.error.SESSION_EXPIRED", statement: "an expired connection: 401, actionRequired refresh_session", check: func(s *suite) {
		c := s.link("creator", nil)
		s.call("POST", c.path()+"/invalidate", nil).want(http.StatusOK)
		s.access("GET", c.id, "/me").refused("SESSION_EXPIRED").at("actionRequired").is("refresh_session")
	}},
	{id: "1.error.FORBIDDEN", statement: "what is not allowed: 403", plus: true, check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		l.send(map[string]any{"version": 1, "action": "cancel"}).refused("FORBIDDEN")
	}},
	{id: "1.error.BAD_REQUEST", statement: "invalid input: 400, details.field names the field", check: func(s *suite) {
		s.call("POST", "/v2/link/init", map[string]any{"clientAppId": "app_!"}).blames("clientAppId")
	}},
	{id: "1.error.RESOURCE_NOT_FOUND", statement: "an object that is not there: 404", check: func(s *suite) {
		s.call("DELETE", "/v2/account/connections/conn_"+s.unique(), nil).refused("RESOURCE_NOT_FOUND")
	}},
	{id: "1.error.ROUTE_NOT_FOUND", statement: "a route that is not there: 404", check: func(s *suite) {
		s.call("GET", "/v2/no/such/route", nil).refused("ROUTE_NOT_FOUND")
	}},
	{id: "1.error.CONFLICT", statement: "an object that has moved on: 409", plus: true, check: func(s *suite) {
		l := s.begin(s.app(whitelabelApp), nil)
		l.send(map[string]any{"version": 1000, "action": "cancel"}).refused("CONFLICT")
	}},
	{id: "1.error.PAYLOAD_TOO_LARGE", statement: "a body over 64 KiB: 413", plus: true, check: func(s *suite) {
		s.call("POST", "/v2/link/init", s.padded(64<<10+1)).refused("PAYLOAD_TOO_LARGE")
	}},
	{id: "1.error.UNSUPPORTED_MEDIA_TYPE", statement: "a body that is not JSON: 415", plus: true, check: func(s *suite) {
		s.call("POST", "/v2/link/init", "{}", "Content-Type", "text/plain").refused("UNSUPPORTED_MEDIA_TYPE")
		s.call("POST", "/v2/link/init", "a=b", "Content-Type", "application/x-www-form-urlencoded").
			refused("UNSUPPORTED_MEDIA_TYPE")
	}},
	{id: "1.error.RATE_LIMIT_EXCEEDED", statement: "too many requests: 429 with Retry-After and X-RateLimit-*", check: rateLimited},
	{id: "1.error.only-where-it-belongs", statement: "actionRequired is absent from other errors", check: func(s *suite) {
		told := s.call("GET", "/v2/account/whoami", nil, "apikey", "").refused("UNAUTHORIZED")
		if told.has("actionRequired") {
			s.failf("UNAUTHORIZED has actionRequired %s", told.at("actionRequired"))
		}
	}},
	{id: "1.error.no-echo", statement: "an error never repeats a key or a credential", check: echoesNothing},
}

// rateLimited uses a connection's bucket up: 90 at once and what is refilled
// meanwhile.
func rateLimited(s *suite) {
	c := s.link("creator", nil)
	for range 200 {
		got := s.access("GET", c.id, "/me")
		if got.status != http.StatusTooManyRequests {
			got.want(http.StatusOK)
			continue
		}
		got.refused("RATE_LIMIT_EXCEEDED")
		got.fitsHeader("Retry-After", `[1-9][0-9]*`)
		got.fitsHeader("X-RateLimit-Limit", `[1-9][0-9]*`)
		got.fitsHeader("X-RateLimit-Remaining", `0`)
		got.fitsHeader("X-RateLimit-Reset", `[1-9][0-9]*`)
		return
	}
	s.failf("200 calls at once were all let through")
}

// echoesNothing sends things like credentials to where they are refused.
func echoesNothing(s *suite) {
	word := "canary" + s.unique()
	s.call("GET", "/v2/account/whoami", nil, "apikey", word).refused("UNAUTHORIZED")
	for _, got := range []answer{
		s.call("GET", "/v2/account/whoami", nil, "apikey", word),
		s.call("POST", "/v2/link/init", map[string]any{"redirectUrl": "http://" + word + "/"}),
		s.call("POST", "/v2/link/init", map[string]any{"clientAppId": word}),
		s.call("POST", "/v2/link/init", `{"`+word+`":1,"`+word+`":2}`),
		s.call("GET", "/v2/"+word, nil),
	} {
		if strings.Contains(string(got.body), word) {
			s.failf("the error of %s repeats what was sent", got.exchange)
		}
	}
}
