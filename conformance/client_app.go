package main

import (
	"net/http"
	"slices"
	"strings"
)

// clientAppShape is a client app as the API tells of it.
var clientAppShape = object(map[string]shape{
	"id": id("app_"), "name": filled, "domain": filled, "logoUrl": orNull(filled), "accentColor": orNull(filled),
	"type": oneOf(redirectApp, embedApp, whitelabelApp), "environment": oneOf("sandbox", "live"),
	"redirectUris": listOf(filled), "allowedOrigins": listOf(filled), "providers": listOf(filled),
	"permissions":         listOf(object(map[string]shape{"name": filled, "purpose": text})),
	"requireConfirmation": flagged, "whitelabelEnabled": flagged, "rawSessionEnabled": flagged, "suspended": flagged,
	"createdAt": moment, "updatedAt": moment,
})

// clientAppRows are about the management of client apps, section 3. All of
// them are additions.
var clientAppRows = []row{
	{id: "3.client-apps.create", statement: "created: 201 with every field as it was given", plus: true, check: createsApp},
	{id: "3.client-apps.defaults", statement: "name, domain and type are enough; the rest is off or empty", plus: true, check: func(s *suite) {
		told := s.makeApp(map[string]any{"name": "Conformance", "domain": "conformance.example", "type": redirectApp})
		told.fits(clientAppShape)
		for _, field := range []string{"requireConfirmation", "whitelabelEnabled", "rawSessionEnabled", "suspended"} {
			told.at(field).is(false)
		}
		told.at("logoUrl").is(nil)
		told.at("accentColor").is(nil)
		told.at("redirectUris").is([]string{})
		told.at("environment").is("sandbox")
		if !slices.Contains(told.at("providers").texts(), "sandbox") {
			s.failf("without providers it has %s, want every one that is served", told.at("providers"))
		}
	}},
	{id: "3.client-apps.required", statement: "without name, domain or type: 400 naming it", plus: true, check: func(s *suite) {
		for _, field := range []string{"name", "domain", "type"} {
			s.call("POST", "/v2/client-apps", s.appFields(redirectApp, map[string]any{field: nil})).blames(field)
		}
	}},
	{id: "3.client-apps.get", statement: "read by its id, as it was answered when created", plus: true, check: func(s *suite) {
		told := s.makeApp(s.appFields(embedApp, nil))
		s.call("GET", "/v2/client-apps/"+told.at("id").text(), nil).ok().is(told.data)
	}},
	{id: "3.client-apps.list", statement: "it is in the list", plus: true, check: func(s *suite) {
		told := s.makeApp(s.appFields(redirectApp, nil))
		s.listed("/v2/client-apps", told, clientAppShape).is(told.data)
	}},
	{id: "3.client-apps.patch", statement: "PATCH changes what it names and nothing else", plus: true, check: func(s *suite) {
		before := s.makeApp(s.appFields(redirectApp, nil))
		path := "/v2/client-apps/" + before.at("id").text()
		after := s.call("PATCH", path, map[string]any{
			"name": "Renamed", "accentColor": "#00Aa99", "redirectUris": []string{"http://127.0.0.1/other"},
		}).ok().fits(clientAppShape)
		after.at("name").is("Renamed")
		after.at("accentColor").is("#00Aa99")
		after.at("redirectUris").is([]string{"http://127.0.0.1/other"})
		for _, field := range []string{"domain", "type", "permissions", "providers", "createdAt", "id"} {
			after.at(field).is(before.at(field).data)
		}
		s.call("GET", path, nil).ok().is(after.data)
		s.call("PATCH", path, map[string]any{"name": ""}).blames("name")
	}},
	{id: "3.client-apps.patch-counts", statement: "what was changed counts at the next init", plus: true, check: func(s *suite) {
		app := s.newApp(redirectApp, nil)
		s.call("PATCH", "/v2/client-apps/"+app.id, map[string]any{"redirectUris": []string{"http://127.0.0.1/other"}}).want(http.StatusOK)
		s.call("POST", "/v2/link/init", with(app.fields(), map[string]any{"redirectUrl": returnURL})).blames("redirectUrl")
		s.begin(app, map[string]any{"redirectUrl": "http://127.0.0.1/other"})
	}},
	{id: "3.client-apps.type-stays", statement: "the type and the environment stay what they are", plus: true, check: func(s *suite) {
		app := s.newApp(redirectApp, nil)
		s.call("PATCH", "/v2/client-apps/"+app.id, map[string]any{"type": whitelabelApp, "environment": "live"})
		told := s.call("GET", "/v2/client-apps/"+app.id, nil).ok()
		told.at("type").is(redirectApp)
		told.at("environment").is("sandbox")
	}},
	{id: "3.client-apps.delete", statement: "DELETE: 204; then it is gone, and gets no session", plus: true, check: func(s *suite) {
		app := s.newApp(redirectApp, nil)
		s.call("DELETE", "/v2/client-apps/"+app.id, nil).want(http.StatusNoContent)
		s.call("GET", "/v2/client-apps/"+app.id, nil).refused("RESOURCE_NOT_FOUND")
		s.call("DELETE", "/v2/client-apps/"+app.id, nil).refused("RESOURCE_NOT_FOUND")
		s.call("POST", "/v2/link/init", app.fields()).blames("clientAppId")
	}},
	{id: "3.client-apps.name", statement: "a name has 1 to 64 characters of one script", plus: true, check: refusesApp("name",
		"", strings.Repeat("n", 65), "Аcme", "Acme Αλφα", "Acme\u202Eshop", "Acme\nShop", "Acme \u2714")},
	{id: "3.client-apps.name-good", statement: "in any script", plus: true, check: func(s *suite) {
		for _, good := range []string{"Åse & Søn 2", "Магазин", "株式会社", "متجر", strings.Repeat("n", 64)} {
			s.makeApp(s.appFields(redirectApp, map[string]any{"name": good})).at("name").is(good)
		}
	}},
	{id: "3.client-apps.domain", statement: "a domain is a lower-case DNS name that one can register", plus: true, check: refusesApp("domain",
		"", "Conformance.example", "com", "co.uk", "https://conformance.example", "conformance.example/", "a b.example",
		"-a.example", "konförmanz.example", "conformance.example:443", "user@conformance.example", "a..example")},
	{id: "3.client-apps.type", statement: "a type is redirect, embed or whitelabel", plus: true, check: refusesApp("type", "", "popup", "Redirect", "hosted")},
	{id: "3.client-apps.redirectUris", statement: "a redirect URI is absolute, plain and exact", plus: true, check: refusesUris("redirectUris",
		"", "/callback", "conformance.example/callback", "https://user@conformance.example/", "https://conformance.example/#a",
		"https://*.conformance.example/", "https://conformance.example\\@evil.example/", "https://könformanz.example/",
		"https://conformance.example/a\tb", "javascript:alert(1)", "data:text/html,a", "file:///etc/passwd",
		"http://other.example/callback", "https://conformance.example/"+strings.Repeat("a", 2048), "*")},
	{id: "3.client-apps.redirectUris-many", statement: "of which there are up to 20", plus: true, check: func(s *suite) {
		many := make([]string, 21)
		for i := range many {
			many[i] = returnURL + "/" + strings.Repeat("a", i+1)
		}
		s.makeApp(s.appFields(redirectApp, map[string]any{"redirectUris": many[:20]}))
		s.call("POST", "/v2/client-apps", s.appFields(redirectApp, map[string]any{"redirectUris": many})).blames("redirectUris")
	}},
	{id: "3.client-apps.allowedOrigins", statement: "an allowed origin is an exact origin", plus: true, check: refusesUris("allowedOrigins",
		"", "*", "null", "https://*.conformance.example", "https://conformance.example/", "https://conformance.example/a",
		"conformance.example", "ftp://conformance.example", "https://user@conformance.example", "https://conformance.example;",
		"https://conformance.example https://evil.example", "https://Conformance.example", "https://conformance.example?a")},
	{id: "3.client-apps.providers", statement: "providers are served in the environment", plus: true, check: refusesUris("providers", "nowhere", "")},
	{id: "3.client-apps.permissions", statement: "a permission has a plain name and a purpose of up to 200 characters", plus: true, check: refusesApp("permissions",
		[]map[string]string{{"name": "", "purpose": "x"}}, []map[string]string{{"name": "Profile", "purpose": "x"}},
		[]map[string]string{{"name": "profile read", "purpose": "x"}},
		[]map[string]string{{"name": "profile:read", "purpose": strings.Repeat("x", 201)}}, "profile:read")},
	{id: "3.client-apps.look", statement: "logoUrl is https, accentColor is #rrggbb", plus: true, check: func(s *suite) {
		refusesApp("logoUrl", "http://conformance.example/logo.png", "javascript:alert(1)", "logo.png")(s)
		refusesApp("accentColor", "red", "#fff", "#12345g", "#1234567", "url(#a)")(s)
	}},
	{id: "3.client-apps.combinations", statement: "whitelabel and confirmation only where they belong", plus: true, check: func(s *suite) {
		s.call("POST", "/v2/client-apps", s.appFields(whitelabelApp, map[string]any{"requireConfirmation": true})).blames("requireConfirmation")
		s.call("POST", "/v2/client-apps", s.appFields(redirectApp, map[string]any{"whitelabelEnabled": true})).blames("whitelabelEnabled")
	}},
}

// makeApp makes a client app for the row and returns the answer.
func (s *suite) makeApp(fields map[string]any) value {
	told := s.call("POST", "/v2/client-apps", fields).want(http.StatusCreated).json()
	s.later(func() { s.call("DELETE", "/v2/client-apps/"+told.at("id").text(), nil) })
	return told
}

// createsApp gives every field.
func createsApp(s *suite) {
	given := s.appFields(redirectApp, map[string]any{
		"logoUrl": "https://conformance.example/logo.png", "accentColor": "#1a2B3c", "allowedOrigins": []string{embedOrigin},
		"requireConfirmation": true, "rawSessionEnabled": true,
	})
	told := s.makeApp(given).fits(clientAppShape)
	for field, wanted := range given {
		told.at(field).is(wanted)
	}
}

// refusesApp returns a check that a client app can't be made with any of the
// values in the field.
func refusesApp(field string, bad ...any) func(*suite) {
	return func(s *suite) {
		for _, each := range bad {
			got := s.call("POST", "/v2/client-apps", s.appFields(redirectApp, map[string]any{field: each}))
			if got.status == http.StatusCreated {
				s.call("DELETE", "/v2/client-apps/"+got.json().at("id").text(), nil)
				s.failf("the %s %q was accepted", field, each)
			}
			got.blames(field)
		}
	}
}

// refusesUris is refusesApp for a field that is a list of texts.
func refusesUris(field string, bad ...string) func(*suite) {
	lists := make([]any, len(bad))
	for i, each := range bad {
		lists[i] = []string{each}
	}
	return refusesApp(field, lists...)
}
