package main

import (
	"net/http"
	"strings"
)

// probeRows are about what needs no key, section 6. The original API says
// nothing of it.
var probeRows = []row{
	{id: "6.healthz", statement: "GET /healthz: alive, for anybody", plus: true, check: func(s *suite) {
		s.send("GET", s.url+"/healthz", nil).want(http.StatusOK)
	}},
	{id: "6.readyz", statement: "GET /readyz: the database answers", plus: true, check: func(s *suite) {
		s.send("GET", s.url+"/readyz", nil).want(http.StatusOK)
	}},
	{id: "6.metrics", statement: "/metrics is not where the API is", plus: true, check: func(s *suite) {
		s.send("GET", s.url+"/metrics", nil).want(http.StatusNotFound)
	}},
	{id: "6.openapi", statement: "GET /openapi.json describes every call", plus: true, check: func(s *suite) {
		told := s.send("GET", s.url+"/openapi.json", nil).ok()
		told.at("openapi").fits(like(`3\.1\.[0-9]+`))
		paths, ok := told.at("paths").data.(map[string]any)
		if !ok {
			s.failf("it has no paths")
		}
		for _, call := range publicCalls {
			method, path, _ := strings.Cut(call, " ")
			described, there := paths[path].(map[string]any)
			if !there || described[strings.ToLower(method)] == nil {
				s.failf("it does not describe %s", call)
			}
		}
	}},
	{id: "6.docs-api", statement: "GET /docs/api is that description as a page", plus: true, check: func(s *suite) {
		p := s.open(s.url + "/docs/api")
		p.answer.want(http.StatusOK).fitsHeader("Content-Type", `text/html; ?charset=utf-8`)
		for _, wanted := range []string{"/v2/link/init", "/v2/account/connections", "/v2/webhook-endpoints"} {
			if !strings.Contains(p.words(), wanted) {
				s.failf("%s is not on the page", wanted)
			}
		}
	}},
}

// publicCalls are the calls of the contract.
var publicCalls = []string{
	"POST /v2/link/init", "POST /v2/link/confirm", "GET /v2/link/sessions", "GET /v2/link/sessions/{id}",
	"GET /v2/link/{clientSecret}", "DELETE /v2/link/{clientSecret}", "POST /v2/link/{clientSecret}/submit",
	"GET /v2/account/whoami", "GET /v2/account/settings", "PATCH /v2/account/settings", "GET /v2/account/connections",
	"GET /v2/connections", "GET /v2/account/connections/{id}", "DELETE /v2/account/connections/{id}",
	"POST /v2/account/connections/{id}/invalidate", "POST /v2/account/connections/import",
	"PATCH /v2/account/connections/import/{id}", "GET /v2/account/connections/{id}/settings",
	"PATCH /v2/account/connections/{id}/settings", "GET /v2/client-apps", "POST /v2/client-apps", "GET /v2/client-apps/{id}",
	"PATCH /v2/client-apps/{id}", "DELETE /v2/client-apps/{id}", "GET /v2/api-keys", "POST /v2/api-keys",
	"GET /v2/api-keys/{id}", "PATCH /v2/api-keys/{id}", "DELETE /v2/api-keys/{id}", "GET /v2/webhook-endpoints",
	"POST /v2/webhook-endpoints", "GET /v2/webhook-endpoints/{id}", "PATCH /v2/webhook-endpoints/{id}",
	"DELETE /v2/webhook-endpoints/{id}", "POST /v2/webhook-endpoints/{id}/rotate-secret",
	"GET /v2/webhook-endpoints/{id}/deliveries", "POST /v2/webhook-endpoints/{id}/replay", "GET /v2/events", "GET /v2/audit",
	"GET /v2/access/self",
}
