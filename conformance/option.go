package main

import (
	"net/http"
)

// optionRows are about the settings of a connection, section 3.
var optionRows = []row{
	{id: "3.connection-settings.get", statement: "each connection has settings", check: func(s *suite) {
		s.call("GET", s.link("creator", nil).path()+"/settings", nil).ok().fits(object(nil))
	}},
	{id: "3.connection-settings.shape", statement: "rateLimit, metadata and a disabled vaultPlus", plus: true, check: func(s *suite) {
		told := s.call("GET", s.link("creator", map[string]any{"metadata": map[string]string{"a": "b"}}).path()+"/settings", nil).ok()
		told.fits(object(map[string]shape{
			"rateLimit": object(map[string]shape{"perMinute": whole, "burst": whole}), "metadata": mapOfText,
			"vaultPlus": object(map[string]shape{"enabled": exactly(false)}),
		}))
		told.at("rateLimit").is(map[string]any{"perMinute": 60, "burst": 90})
		told.at("metadata").is(map[string]string{"a": "b"})
	}},
	{id: "3.connection-settings.patch", statement: "PATCH changes what it names", plus: true, check: func(s *suite) {
		c := s.link("creator", nil)
		told := s.call("PATCH", c.path()+"/settings", map[string]any{"rateLimit": map[string]any{"perMinute": 6000, "burst": 3}}).ok()
		told.at("rateLimit").is(map[string]any{"perMinute": 6000, "burst": 3})
		told = s.call("PATCH", c.path()+"/settings", map[string]any{"rateLimit": map[string]any{"burst": 4}}).ok()
		told.at("rateLimit").is(map[string]any{"perMinute": 6000, "burst": 4})
		s.call("GET", c.path()+"/settings", nil).ok().is(told.data)
	}},
	{id: "3.connection-settings.metadata", statement: "metadata is replaced as a whole, on the connection too", plus: true, check: func(s *suite) {
		c := s.link("creator", map[string]any{"metadata": map[string]string{"old": "1"}})
		wanted := map[string]string{"new": "2"}
		s.call("PATCH", c.path()+"/settings", map[string]any{"metadata": wanted}).ok().at("metadata").is(wanted)
		c.get().at("metadata").is(wanted)
	}},
	{id: "3.connection-settings.refused", statement: "what can't be set: 400 naming it", plus: true, check: func(s *suite) {
		path := s.link("creator", nil).path() + "/settings"
		for _, bad := range []struct {
			field string
			body  map[string]any
		}{
			{"rateLimit.perMinute", map[string]any{"rateLimit": map[string]any{"perMinute": 0}}},
			{"rateLimit.perMinute", map[string]any{"rateLimit": map[string]any{"perMinute": 6001}}},
			{"rateLimit.burst", map[string]any{"rateLimit": map[string]any{"burst": -1}}},
			{"vaultPlus.enabled", map[string]any{"vaultPlus": map[string]any{"enabled": true}}},
			{"metadata", map[string]any{"metadata": map[string]any{"a": 1}}},
		} {
			s.call("PATCH", path, bad.body).blames(bad.field)
		}
	}},
	{id: "3.connection-settings.effect", statement: "the rate limit set is the one that counts", plus: true, check: func(s *suite) {
		c := s.link("creator", nil)
		s.call("PATCH", c.path()+"/settings", map[string]any{"rateLimit": map[string]any{"perMinute": 1, "burst": 2}}).want(http.StatusOK)
		for range 2 {
			got := s.access("GET", c.id, "/me").want(http.StatusOK)
			got.head("X-RateLimit-Limit", "2")
		}
		s.access("GET", c.id, "/me").refused("RATE_LIMIT_EXCEEDED")
	}},
}
