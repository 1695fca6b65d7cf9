package main

import (
	"net/http"
	"strings"
)

// endpointShape is a webhook endpoint as the API tells of it.
var endpointShape = object(map[string]shape{
	"id": id("we_"), "url": filled, "events": listOf(filled), "description": text,
	"status": oneOf("enabled", "disabled", "parked"), "createdAt": moment,
})

// nobodysURL is a URL that an endpoint may have, and that is not called while
// its events don't happen.
const nobodysURL = "https://hooks.conformance.example/in"

// endpointRows are about the management of webhook endpoints, section 3. All
// of them are additions.
var endpointRows = []row{
	{id: "3.webhook-endpoints.create", statement: "created: 201, with its secret", plus: true, check: func(s *suite) {
		told := s.makeEndpoint(map[string]any{"events": []string{"connection.expired"}, "description": "Für alle"}).fits(endpointShape)
		told.at("url").is(nobodysURL)
		told.at("events").is([]string{"connection.expired"})
		told.at("description").is("Für alle")
		told.at("status").is("enabled")
		told.at("secret").fits(like(`whsec_.{32,}`))
	}},
	{id: "3.webhook-endpoints.all-events", statement: `without events it is told all: ["*"]`, plus: true, check: func(s *suite) {
		// Its status keeps it from being called at all.
		told := s.makeEndpoint(map[string]any{"events": nil})
		s.call("PATCH", "/v2/webhook-endpoints/"+told.at("id").text(), map[string]any{"status": "disabled"}).want(http.StatusOK)
		told.at("events").is([]string{"*"})
	}},
	{id: "3.webhook-endpoints.once", statement: "the secret is shown once: neither GET nor the list has it", plus: true, check: func(s *suite) {
		told := s.makeEndpoint(nil)
		one := s.call("GET", "/v2/webhook-endpoints/"+told.at("id").text(), nil).ok().fits(endpointShape)
		if one.has("secret") {
			s.failf("GET shows a secret")
		}
		if got := s.call("GET", "/v2/webhook-endpoints?limit=100", nil).want(http.StatusOK); strings.Contains(string(got.body), "whsec_") {
			s.failf("the list shows a secret")
		}
	}},
	{id: "3.webhook-endpoints.list", statement: "it is in the list", plus: true, check: func(s *suite) {
		s.listed("/v2/webhook-endpoints", s.makeEndpoint(nil), endpointShape)
	}},
	{id: "3.webhook-endpoints.patch", statement: "PATCH changes what it names", plus: true, check: func(s *suite) {
		made := s.makeEndpoint(nil)
		path := "/v2/webhook-endpoints/" + made.at("id").text()
		told := s.call("PATCH", path, map[string]any{
			"url": nobodysURL + "/more", "events": []string{"link.session.expired"}, "description": "changed", "status": "disabled",
		}).ok().fits(endpointShape)
		told.at("url").is(nobodysURL + "/more")
		told.at("events").is([]string{"link.session.expired"})
		told.at("description").is("changed")
		told.at("status").is("disabled")
		told.at("createdAt").is(made.at("createdAt").data)
		s.call("GET", path, nil).ok().is(told.data)
		s.call("PATCH", path, map[string]any{"status": "enabled"}).ok().at("status").is("enabled")
	}},
	{id: "3.webhook-endpoints.delete", statement: "DELETE: 204; then it is gone", plus: true, check: func(s *suite) {
		made := s.call("POST", "/v2/webhook-endpoints", endpointFields(nil)).want(http.StatusCreated).json()
		path := "/v2/webhook-endpoints/" + made.at("id").text()
		s.call("DELETE", path, nil).want(http.StatusNoContent)
		s.call("GET", path, nil).refused("RESOURCE_NOT_FOUND")
		s.call("DELETE", path, nil).refused("RESOURCE_NOT_FOUND")
	}},
	{id: "3.webhook-endpoints.url", statement: "a URL that can't be called: 400 naming it", plus: true, check: func(s *suite) {
		for _, bad := range []any{
			nil, "", "hooks", "ftp://hooks.conformance.example/", "https://", "https://user:word@hooks.conformance.example/",
			"https://10.0.0.1/", "https://169.254.169.254/latest", "file:///etc/passwd", "https://[fd00::1]/",
		} {
			s.call("POST", "/v2/webhook-endpoints", endpointFields(map[string]any{"url": bad})).blames("url")
		}
	}},
	{id: "3.webhook-endpoints.refused", statement: "events and statuses that are none: 400 naming them", plus: true, check: func(s *suite) {
		s.call("POST", "/v2/webhook-endpoints", endpointFields(map[string]any{"events": []string{"connection.broken"}})).blames("events")
		s.call("POST", "/v2/webhook-endpoints", endpointFields(map[string]any{"description": strings.Repeat("d", 256)})).blames("description")
		path := "/v2/webhook-endpoints/" + s.makeEndpoint(nil).at("id").text()
		s.call("PATCH", path, map[string]any{"status": "parked"}).blames("status")
		s.call("PATCH", path, map[string]any{"url": "ftp://hooks.conformance.example/"}).blames("url")
	}},
	{id: "3.webhook-endpoints.rotate", statement: "rotate-secret answers with another secret, once", plus: true, check: func(s *suite) {
		made := s.makeEndpoint(nil)
		path := "/v2/webhook-endpoints/" + made.at("id").text()
		told := s.call("POST", path+"/rotate-secret", nil).ok().fits(endpointShape)
		told.at("secret").fits(like(`whsec_.{32,}`))
		if told.at("secret").text() == made.at("secret").text() {
			s.failf("it is the same secret")
		}
		if s.call("GET", path, nil).ok().has("secret") {
			s.failf("GET shows a secret")
		}
	}},
	{id: "3.webhook-endpoints.unknown", statement: "an unknown endpoint: 404, whatever is asked", plus: true, check: func(s *suite) {
		path := "/v2/webhook-endpoints/we_" + s.unique()
		s.call("GET", path, nil).refused("RESOURCE_NOT_FOUND")
		s.call("PATCH", path, map[string]any{"description": "x"}).refused("RESOURCE_NOT_FOUND")
		s.call("POST", path+"/rotate-secret", nil).refused("RESOURCE_NOT_FOUND")
		s.call("GET", path+"/deliveries", nil).refused("RESOURCE_NOT_FOUND")
		s.call("POST", path+"/replay", map[string]any{"after": "0"}).refused("RESOURCE_NOT_FOUND")
	}},
	{id: "3.webhook-endpoints.replay-one-way", statement: "replay wants after or eventIds, not both: else 400", plus: true, check: func(s *suite) {
		path := "/v2/webhook-endpoints/" + s.makeEndpoint(nil).at("id").text() + "/replay"
		s.call("POST", path, map[string]any{}).refused("BAD_REQUEST")
		s.call("POST", path, map[string]any{"after": "0", "eventIds": []string{"evt_a"}}).refused("BAD_REQUEST")
		s.call("POST", path, map[string]any{"eventIds": []string{}}).blames("eventIds")
		many := make([]string, 101)
		for i := range many {
			many[i] = "evt_" + s.unique()
		}
		s.call("POST", path, map[string]any{"eventIds": many}).blames("eventIds")
		s.call("POST", path, map[string]any{"after": "nonsense"}).blames("after")
	}},
}

// endpointFields returns the body that makes an endpoint of nobody's, with
// some fields given otherwise.
func endpointFields(otherwise map[string]any) map[string]any {
	return with(map[string]any{"url": nobodysURL, "events": []string{"link.session.expired"}}, otherwise)
}

// makeEndpoint makes such an endpoint, removed after the row, and returns the
// answer.
func (s *suite) makeEndpoint(otherwise map[string]any) value {
	told := s.call("POST", "/v2/webhook-endpoints", endpointFields(otherwise)).want(http.StatusCreated).json()
	s.later(func() { s.call("DELETE", "/v2/webhook-endpoints/"+told.at("id").text(), nil) })
	return told
}
