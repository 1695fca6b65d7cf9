package main

import "strings"

// settingsShape is the organisation's settings.
var settingsShape = object(map[string]shape{
	"id": id("org_"), "name": orNull(filled),
	"defaults":  object(map[string]shape{"expiresIn": whole, "locale": orNull(filled)}),
	"vaultPlus": object(map[string]shape{"enabled": exactly(false), "autoEnableForNewConnections": exactly(false)}),
})

// accountRows are about the caller and its organisation, section 3.
var accountRows = []row{
	{id: "3.whoami", statement: "whoami is {id, name|null, permissions[]}", check: func(s *suite) {
		s.call("GET", "/v2/account/whoami", nil).ok().fits(object(map[string]shape{
			"id": filled, "name": orNull(filled), "permissions": listOf(filled),
		}))
	}},
	{id: "3.whoami.scopes", statement: "its permissions are the key's scopes", plus: true, check: func(s *suite) {
		key := s.newKey("ACCOUNT", "LINK")
		told := s.call("GET", "/v2/account/whoami", nil, "apikey", key).ok().at("permissions").texts()
		if joined := strings.Join(told, " "); joined != "LINK ACCOUNT" && joined != "ACCOUNT LINK" {
			s.failf("a key with ACCOUNT and LINK is told %v", told)
		}
	}},
	{id: "3.settings", statement: "settings carry a disabled vaultPlus object", check: func(s *suite) {
		s.call("GET", "/v2/account/settings", nil).ok().at("vaultPlus.enabled").is(false)
	}},
	{id: "3.settings.shape", statement: "and the organisation's defaults", plus: true, check: func(s *suite) {
		s.call("GET", "/v2/account/settings", nil).ok().fits(settingsShape)
	}},
	{id: "3.settings.patch", statement: "PATCH changes what it names and answers with all of it", check: func(s *suite) {
		before := s.call("GET", "/v2/account/settings", nil).ok()
		name, ok := before.at("name").data.(string)
		if !ok {
			s.leaveOut("the organisation has no name to be changed and put back")
		}
		// Another run may be doing the same: what it added is taken off again.
		name, _, _ = strings.Cut(name, " · conformance")
		s.later(func() { s.call("PATCH", "/v2/account/settings", map[string]any{"name": name}) })
		changed := name + " · conformance " + s.unique()
		after := s.call("PATCH", "/v2/account/settings", map[string]any{"name": changed}).ok()
		after.at("name").is(changed)
		after.at("vaultPlus").is(before.at("vaultPlus").data)
	}},
	{id: "3.settings.refused", statement: "what can't be set: 400 naming it", plus: true, check: func(s *suite) {
		for field, bad := range map[string]any{
			"defaults.expiresIn": map[string]any{"defaults": map[string]any{"expiresIn": 299}},
			"defaults.locale":    map[string]any{"defaults": map[string]any{"locale": "not a tag"}},
			"vaultPlus.enabled":  map[string]any{"vaultPlus": map[string]any{"enabled": true}},
			"name":               map[string]any{"name": ""},
		} {
			s.call("PATCH", "/v2/account/settings", bad).blames(field)
		}
	}},
	{id: "3.settings.same", statement: "PATCH of nothing answers with what is there", check: func(s *suite) {
		s.call("PATCH", "/v2/account/settings", map[string]any{}).ok().at("vaultPlus.enabled").is(false)
	}},
}
