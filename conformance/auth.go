package main

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// authRows are about keys and scopes, section 1.
var authRows = []row{
	{id: "1.auth.apikey", statement: "the key comes in the header apikey", check: func(s *suite) {
		s.call("GET", "/v2/account/whoami", nil).want(http.StatusOK)
	}},
	{id: "1.auth.any-case", statement: "the header's name is written in any case", check: func(s *suite) {
		for _, name := range []string{"apiKey", "APIKEY", "ApiKey", "Apikey"} {
			s.call("GET", "/v2/account/whoami", nil, name, s.key).want(http.StatusOK)
		}
	}},
	{id: "1.auth.bearer", statement: "or as Authorization: Bearer", plus: true, check: func(s *suite) {
		s.call("GET", "/v2/account/whoami", nil, "apikey", "", "Authorization", "Bearer "+s.key).want(http.StatusOK)
		s.call("GET", "/v2/account/whoami", nil, "apikey", "", "Authorization", "bearer "+s.key).want(http.StatusOK)
		s.call("GET", "/v2/account/whoami", nil, "apikey", "", "Authorization", "Basic "+s.key).refused("UNAUTHORIZED")
	}},
	{id: "1.auth.missing", statement: "no key: 401", check: func(s *suite) {
		s.call("POST", "/v2/link/init", map[string]any{}, "apikey", "").refused("UNAUTHORIZED")
	}},
	{id: "1.auth.malformed", statement: "a malformed key: 401", check: func(s *suite) {
		s.call("GET", "/v2/account/whoami", nil, "apikey", "no key").refused("UNAUTHORIZED")
		s.call("GET", "/v2/account/whoami", nil, "apikey", s.key+" ").want(http.StatusOK) // white space is no part of a value
		s.call("GET", "/v2/account/whoami", nil, "apikey", s.key+"x").refused("UNAUTHORIZED")
	}},
	{id: "1.auth.unknown", statement: "an unknown key: 401, as any other", check: func(s *suite) {
		unknown := s.call("GET", "/v2/account/whoami", nil, "apikey", strings.Repeat("7", len(s.key)))
		dressed := s.call("GET", "/v2/account/whoami", nil, "apikey", "sk_sandbox_"+strings.Repeat("7", 43))
		unknown.refused("UNAUTHORIZED")
		if one, other := unknown.json().at("error").text(), dressed.refused("UNAUTHORIZED").at("error").text(); one != other {
			s.failf("a malformed key is told %q, one that is well formed %q: that says something of how close it was", one, other)
		}
	}},
	{id: "1.auth.revoked", statement: "a revoked key: 401, within a second", plus: true, check: revokedKey},
	{
		id: "1.auth.expired", statement: "a key past its expiresAt: 401", plus: true, takes: 3 * time.Second,
		check: expiredKey,
	},
	{id: "1.auth.key-size", statement: "keys carry at least 256 random bits", check: func(s *suite) {
		digits := s.key[strings.LastIndex(s.key, "_")+1:]
		if !regexp.MustCompile(`^[0-9A-Za-z]{43,}$`).MatchString(digits) {
			s.failf("after its prefix the key has %d characters, want at least 43 letters and digits", len(digits))
		}
	}},
	{id: "1.auth.environment", statement: "a sandbox key is sk_sandbox_…", check: func(s *suite) {
		if !strings.HasPrefix(s.key, "sk_sandbox_") {
			s.failf("the key begins otherwise")
		}
	}},
	{id: "1.scope.LINK", statement: "sessions need the scope LINK: else 403", plus: true, check: needs("LINK",
		"POST /v2/link/init", "GET /v2/link/cs_unknown", "GET /v2/link/sessions", "DELETE /v2/link/cs_unknown")},
	{id: "1.scope.ACCOUNT", statement: "connections need the scope ACCOUNT: else 403", plus: true, check: needs("ACCOUNT",
		"GET /v2/account/whoami", "GET /v2/account/connections", "GET /v2/connections", "GET /v2/account/settings",
		"POST /v2/account/connections/import", "DELETE /v2/account/connections/conn_unknown")},
	{id: "1.scope.ACCESS", statement: "providers need the scope ACCESS: else 403", plus: true, check: needs("ACCESS",
		"GET /v2/access/proxy/me", "POST /v2/access/proxy/messages", "GET /v2/access/self")},
	{id: "1.scope.ADMIN", statement: "management needs the scope ADMIN: else 403", plus: true, check: needs("ADMIN",
		"GET /v2/client-apps", "POST /v2/client-apps", "GET /v2/api-keys", "POST /v2/api-keys", "GET /v2/webhook-endpoints",
		"POST /v2/webhook-endpoints", "GET /v2/events", "GET /v2/audit")},
}

// needs returns a check that a key with every scope but one may not make the
// calls, and that one with that scope alone is not told so.
func needs(scope string, calls ...string) func(*suite) {
	return func(s *suite) {
		var others []string
		for _, each := range []string{"LINK", "ACCOUNT", "ACCESS", "ADMIN"} {
			if each != scope {
				others = append(others, each)
			}
		}
		without, with := s.newKey(others...), s.newKey(scope)
		for _, each := range calls {
			method, path, _ := strings.Cut(each, " ")
			s.call(method, path, nil, "apikey", without).refused("FORBIDDEN")
			if got := s.call(method, path, nil, "apikey", with); got.status == http.StatusForbidden {
				s.failf("%s is forbidden to a key with the scope %s", each, scope)
			}
		}
	}
}

// newKey makes an API key with the scopes, for the row.
func (s *suite) newKey(scopes ...string) string {
	made := s.makeKey(map[string]any{"scopes": scopes})
	s.later(func() { s.call("DELETE", "/v2/api-keys/"+made.at("id").text(), nil) })
	return made.at("key").text()
}

// makeKey makes an API key and returns the answer.
func (s *suite) makeKey(fields map[string]any) value {
	body := with(map[string]any{"name": "Conformance " + s.run, "scopes": []string{"LINK"}}, fields)
	return s.call("POST", "/v2/api-keys", body).want(http.StatusCreated).json()
}

func revokedKey(s *suite) {
	made := s.makeKey(map[string]any{"scopes": []string{"ACCOUNT"}})
	key := made.at("key").text()
	s.call("GET", "/v2/account/whoami", nil, "apikey", key).want(http.StatusOK)
	s.call("DELETE", "/v2/api-keys/"+made.at("id").text(), nil).want(http.StatusNoContent)
	s.eventually("the death of the key", time.Second, func() bool {
		return s.call("GET", "/v2/account/whoami", nil, "apikey", key).status == http.StatusUnauthorized
	})
	s.call("GET", "/v2/account/whoami", nil, "apikey", key).refused("UNAUTHORIZED")
}

func expiredKey(s *suite) {
	ends := now().Add(2 * time.Second)
	made := s.makeKey(map[string]any{"scopes": []string{"ACCOUNT"}, "expiresAt": stamp(ends)})
	s.later(func() { s.call("DELETE", "/v2/api-keys/"+made.at("id").text(), nil) })
	key := made.at("key").text()
	s.call("GET", "/v2/account/whoami", nil, "apikey", key).want(http.StatusOK)
	s.pause(time.Until(ends))
	s.eventually("the death of the key", time.Second, func() bool {
		return s.call("GET", "/v2/account/whoami", nil, "apikey", key).status == http.StatusUnauthorized
	})
}

// stamp writes a time as the API does.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }
