package main

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// apiKeyShape is an API key as the API tells of it.
var apiKeyShape = object(map[string]shape{
	"id": id("key_"), "name": filled, "environment": oneOf("sandbox", "live"), "scopes": listOf(oneOf("LINK", "ACCOUNT", "ACCESS", "ADMIN")),
	"prefix": filled, "expiresAt": orNull(moment), "lastUsedAt": orNull(moment), "createdAt": moment,
})

// apiKeyRows are about the management of API keys, section 3. All of them are
// additions.
var apiKeyRows = []row{
	{id: "3.api-keys.create", statement: "created: 201, with the key itself", plus: true, check: func(s *suite) {
		told := s.keptKey(map[string]any{"name": "Billing", "scopes": []string{"ACCOUNT", "ACCESS"}}).fits(apiKeyShape)
		told.at("key").fits(like(`sk_sandbox_[0-9A-Za-z]{43,}`))
		told.at("name").is("Billing")
		told.at("environment").is("sandbox")
		told.at("expiresAt").is(nil)
		scopes := told.at("scopes").texts()
		slices.Sort(scopes)
		if !slices.Equal(scopes, []string{"ACCESS", "ACCOUNT"}) {
			s.failf("its scopes are %v", scopes)
		}
	}},
	{id: "3.api-keys.prefix", statement: "its prefix is its beginning, too short to be guessed from", plus: true, check: func(s *suite) {
		told := s.keptKey(nil)
		key, prefix := told.at("key").text(), told.at("prefix").text()
		if !strings.HasPrefix(key, prefix) || len(key)-len(prefix) < 32 {
			s.failf("the prefix has %d of the key's %d characters", len(prefix), len(key))
		}
	}},
	{id: "3.api-keys.once", statement: "the key is shown once: neither GET nor the list has it", plus: true, check: func(s *suite) {
		told := s.keptKey(nil)
		name, key := told.at("id").text(), told.at("key").text()
		for _, got := range []answer{s.call("GET", "/v2/api-keys/"+name, nil), s.call("GET", "/v2/api-keys?limit=100", nil)} {
			if got.want(http.StatusOK); strings.Contains(string(got.body), key) {
				s.failf("the key is in the answer of %s", got.exchange)
			}
		}
		if one := s.call("GET", "/v2/api-keys/"+name, nil).ok().fits(apiKeyShape); one.has("key") {
			s.failf("the answer has a key")
		}
	}},
	{id: "3.api-keys.list", statement: "it is in the list", plus: true, check: func(s *suite) {
		s.listed("/v2/api-keys", s.keptKey(nil), apiKeyShape)
	}},
	{id: "3.api-keys.patch", statement: "PATCH changes the name and the scopes, which count", plus: true, check: func(s *suite) {
		made := s.keptKey(map[string]any{"scopes": []string{"LINK"}})
		path, key := "/v2/api-keys/"+made.at("id").text(), made.at("key").text()
		s.call("GET", "/v2/account/whoami", nil, "apikey", key).refused("FORBIDDEN")
		after := s.call("PATCH", path, map[string]any{"name": "Renamed", "scopes": []string{"ACCOUNT"}}).ok().fits(apiKeyShape)
		after.at("name").is("Renamed")
		after.at("scopes").is([]string{"ACCOUNT"})
		s.eventually("the new scope", time.Second, func() bool {
			return s.call("GET", "/v2/account/whoami", nil, "apikey", key).status == http.StatusOK
		})
		s.call("POST", "/v2/link/init", map[string]any{}, "apikey", key).refused("FORBIDDEN")
	}},
	{id: "3.api-keys.patch-expiry", statement: "and expiresAt, also back to null", plus: true, check: func(s *suite) {
		path := "/v2/api-keys/" + s.keptKey(nil).at("id").text()
		ends := stamp(now().Add(time.Hour))
		s.call("PATCH", path, map[string]any{"expiresAt": ends}).ok().at("expiresAt").is(ends)
		s.call("PATCH", path, `{"expiresAt":null}`).ok().at("expiresAt").is(nil)
	}},
	{id: "3.api-keys.delete", statement: "DELETE: 204; then it is gone", plus: true, check: func(s *suite) {
		path := "/v2/api-keys/" + s.makeKey(nil).at("id").text()
		s.call("DELETE", path, nil).want(http.StatusNoContent)
		s.call("DELETE", path, nil).refused("RESOURCE_NOT_FOUND")
	}},
	{id: "3.api-keys.lastUsedAt", statement: "lastUsedAt is null until it was used", plus: true, check: func(s *suite) {
		made := s.keptKey(nil)
		made.at("lastUsedAt").is(nil)
		s.call("GET", "/v2/api-keys/"+made.at("id").text(), nil).ok().at("lastUsedAt").is(nil)
	}},
	{
		id: "3.api-keys.lastUsedAt-used", statement: "and a minute later tells about when", plus: true, long: true, takes: 60 * time.Second,
		check: lastUsed,
	},
	{id: "3.api-keys.refused", statement: "what a key can't be: 400 naming it", plus: true, check: func(s *suite) {
		for _, bad := range []struct {
			field string
			value any
		}{
			{"name", ""}, {"name", strings.Repeat("n", 101)}, {"name", nil}, {"scopes", []string{}}, {"scopes", []string{"ROOT"}},
			{"scopes", nil}, {"scopes", "LINK"}, {"expiresAt", stamp(now().Add(-time.Minute))}, {"expiresAt", "tomorrow"},
		} {
			body := with(map[string]any{"name": "Conformance", "scopes": []string{"LINK"}}, map[string]any{bad.field: bad.value})
			s.call("POST", "/v2/api-keys", body).blames(bad.field)
		}
	}},
}

// keptKey makes an API key, removed after the row, and returns the answer.
func (s *suite) keptKey(fields map[string]any) value {
	made := s.makeKey(fields)
	s.later(func() { s.call("DELETE", "/v2/api-keys/"+made.at("id").text(), nil) })
	return made
}

// lastUsed waits until the use of a key has been written down, which is done
// for many at a time.
func lastUsed(s *suite) {
	made := s.keptKey(map[string]any{"scopes": []string{"ACCOUNT"}})
	used := time.Now()
	s.call("GET", "/v2/account/whoami", nil, "apikey", made.at("key").text()).want(http.StatusOK)
	var told value
	s.eventually("lastUsedAt", 90*time.Second, func() bool {
		told = s.call("GET", "/v2/api-keys/"+made.at("id").text(), nil).ok().at("lastUsedAt")
		return told.data != nil
	})
	at, err := time.Parse(time.RFC3339, told.fits(moment).text())
	if err != nil || at.Sub(used).Abs() > 2*time.Minute {
		s.failf("lastUsedAt is %s, and it was used at %s", told, stamp(used))
	}
}
