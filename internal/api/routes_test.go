package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/link"
	"latchkey/internal/web"
)

// call is a request that is right in every way, to be spoiled in one.
type call struct {
	pattern, path, body string
	good                int // status of the right request
	foreign             int // status for another organisation or environment; 0: whatever, but nothing of the first changes
	foreignBody         string
}

func (c call) method() string { return strings.Fields(c.pattern)[0] }

// calls returns a right request for every route of the API, in an order in
// which they all succeed.
func (h house) calls() []call {
	connection := h.linked("ada")
	session := h.whitelabel()
	type made struct {
		ID string `json:"id"`
	}
	endpoint := latchtest.Decode[made](h.Server, h.Want(http.StatusCreated, "POST", "/v2/webhook-endpoints",
		map[string]any{"url": "http://127.0.0.1:9/hook"})).ID
	app, key := h.mine.apps[latchkey.AppEmbed], h.mine.keyIDs[h.mine.without[latchkey.ScopeAccess]]
	held := h.held("held")
	imported := latchtest.Decode[made](h.Server, h.Want(http.StatusOK, "POST", "/v2/account/connections/import", map[string]any{
		"provider": latchtest.ProviderID, "credentials": map[string]string{"username": "brought", "password": latchtest.Password},
	})).ID
	unknown := `{"status":"not_found"}`
	empty := `{"list":[],"hasMore":false}`
	return []call{
		{"GET /v2/audit", "/v2/audit?action=client_app.created", "", 200, 200, empty},
		{"POST /v2/client-apps", "/v2/client-apps", `{"name":"Other","domain":"routes.example","type":"embed"}`, 201, 201, ""},
		{"GET /v2/client-apps", "/v2/client-apps", "", 200, 200, ""},
		{"GET /v2/client-apps/{id}", "/v2/client-apps/" + app, "", 200, 404, ""},
		{"PATCH /v2/client-apps/{id}", "/v2/client-apps/" + app, `{"name":"Changed"}`, 200, 404, ""},
		{"DELETE /v2/client-apps/{id}", "/v2/client-apps/" + app, "", 204, 404, ""},
		{"POST /v2/api-keys", "/v2/api-keys", `{"name":"Other","scopes":["LINK"]}`, 201, 201, ""},
		{"GET /v2/api-keys", "/v2/api-keys", "", 200, 200, ""},
		{"GET /v2/api-keys/{id}", "/v2/api-keys/" + key, "", 200, 404, ""},
		{"PATCH /v2/api-keys/{id}", "/v2/api-keys/" + key, `{"name":"Changed"}`, 200, 404, ""},
		{"DELETE /v2/api-keys/{id}", "/v2/api-keys/" + key, "", 204, 404, ""},
		{"GET /v2/account/settings", "/v2/account/settings", "", 200, 200, ""},
		{"PATCH /v2/account/settings", "/v2/account/settings", `{"defaults":{"expiresIn":900}}`, 200, 200, ""},
		{"GET /v2/link/{clientSecret}", "/v2/link/" + session.ClientSecret, "", 200, 200, unknown},
		{"GET /v2/link/sessions/{id}", "/v2/link/sessions/" + session.SessionID, "", 200, 200, unknown},
		{
			"POST /v2/link/{clientSecret}/submit", "/v2/link/" + session.ClientSecret + "/submit",
			`{"version":1,"fields":{"textVersion":"` + link.ConsentTextVersion + `"}}`, 202, 404, "",
		},
		{"DELETE /v2/link/{clientSecret}", "/v2/link/" + session.ClientSecret, "", 204, 204, ""},
		{
			"POST /v2/link/init", "/v2/link/init", `{"clientAppId":"` + h.mine.apps[latchkey.AppRedirect] + `"}`,
			200, 400, "",
		},
		{"GET /v2/account/whoami", "/v2/account/whoami", "", 200, 200, ""},
		{"GET /v2/events", "/v2/events", "", 200, 200, `{"list":[],"hasMore":false,"cursor":"0"}`},
		{"GET /v2/account/connections", "/v2/account/connections", "", 200, 200, empty},
		{
			"POST /v2/link/confirm", "/v2/link/confirm", `{"code":"` + held.code + `","clientReferenceId":"held"}`,
			200, 400, "",
		},
		{"GET /v2/link/sessions", "/v2/link/sessions", "", 200, 200, empty},
		{
			"PATCH /v2/account/connections/import/{id}", "/v2/account/connections/import/" + imported,
			`{"credentials":{"username":"brought","password":"` + latchtest.Password + `"}}`, 200, 404, "",
		},
		{"GET /v2/account/connections/{id}/settings", "/v2/account/connections/" + connection + "/settings", "", 200, 404, ""},
		{
			"PATCH /v2/account/connections/{id}/settings", "/v2/account/connections/" + connection + "/settings",
			`{"metadata":{"a":"b"}}`, 200, 404, "",
		},
		{"GET /v2/connections", "/v2/connections", "", 200, 200, empty},
		{"GET /v2/account/connections/{id}", "/v2/account/connections/" + connection, "", 200, 404, ""},
		{"POST /v2/account/connections/{id}/invalidate", "/v2/account/connections/" + connection + "/invalidate", "", 200, 404, ""},
		{"DELETE /v2/account/connections/{id}", "/v2/account/connections/" + connection, "", 200, 404, ""},
		{
			"POST /v2/account/connections/import", "/v2/account/connections/import",
			`{"provider":"tester","credentials":{"username":"imported","password":"` + latchtest.Password + `"}}`, 200, 0, "",
		},
		{"POST /v2/webhook-endpoints", "/v2/webhook-endpoints", `{"url":"http://127.0.0.1:9/other"}`, 201, 201, ""},
		{"GET /v2/webhook-endpoints", "/v2/webhook-endpoints", "", 200, 200, ""},
		{"GET /v2/webhook-endpoints/{id}", "/v2/webhook-endpoints/" + endpoint, "", 200, 404, ""},
		{"PATCH /v2/webhook-endpoints/{id}", "/v2/webhook-endpoints/" + endpoint, `{"description":"new"}`, 200, 404, ""},
		{"POST /v2/webhook-endpoints/{id}/rotate-secret", "/v2/webhook-endpoints/" + endpoint + "/rotate-secret", "", 200, 404, ""},
		{"GET /v2/webhook-endpoints/{id}/deliveries", "/v2/webhook-endpoints/" + endpoint + "/deliveries", "", 200, 404, ""},
		{
			"POST /v2/webhook-endpoints/{id}/replay", "/v2/webhook-endpoints/" + endpoint + "/replay", `{"after":"0"}`,
			202, 404, "",
		},
		{"DELETE /v2/webhook-endpoints/{id}", "/v2/webhook-endpoints/" + endpoint, "", 204, 404, ""},
	}
}

// send makes the call, with headers in pairs.
func (h house) send(c call, body string, headers ...string) latchtest.Answer {
	h.Helper()
	if c.body == "" {
		return h.Call(c.method(), c.path, nil, headers...)
	}
	return h.Call(c.method(), c.path, body, headers...)
}

// untouched fails the test if anything is written while run runs.
func (h house) untouched(name string, run func()) {
	h.Helper()
	if _, facts := h.Calls(run); facts != 0 {
		h.Errorf("%s: %d facts were written, want none", name, facts)
	}
}

func TestEveryRouteRefusesWhatItMust(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	calls := h.calls()
	scopes := map[string]latchkey.Scope{}
	for _, route := range h.App.Routes() {
		if route.Kind != web.KindAPI || strings.Contains(route.Pattern, "/v2/access/") {
			continue
		}
		scopes[route.Pattern] = route.Scope
		if !slices.ContainsFunc(calls, func(c call) bool { return c.pattern == route.Pattern }) {
			t.Errorf("no call of this test has the route %s", route.Pattern)
		}
	}
	for _, c := range calls {
		scope, ok := scopes[c.pattern]
		if !ok {
			t.Fatalf("there is no route %s", c.pattern)
		}
		h.refuseKeys(c, scope)
		h.refuseForeigners(c)
		if c.body != "" {
			h.refuseBodies(c)
		}
	}
	for _, c := range calls { // all was well but for what was spoiled
		if answer := h.send(c, c.body); answer.Status != c.good {
			t.Errorf("%s: status %d, want %d: %s", c.pattern, answer.Status, c.good, answer.Body)
		}
	}
	if strings.Contains(h.Log.Text(), canary) || strings.Contains(h.Log.Text(), h.mine.key) {
		t.Error("the log has a secret in it")
	}
}

// refuseKeys makes the call with every key that must not do.
func (h house) refuseKeys(c call, scope latchkey.Scope) {
	h.Helper()
	good := h.mine.key
	letters := strings.TrimPrefix(good, latchkey.PrefixSandboxKey)
	for name, key := range map[string]string{
		"no key": "", "an unknown key": latchkey.PrefixSandboxKey + strings.Repeat("7", 43),
		"a revoked key": h.mine.revoked, "an expired key": h.mine.expired, "a word": canary,
		"a prefix": latchkey.PrefixSandboxKey, "another prefix": "sk_test_" + letters,
		"a sandbox key as a live one": latchkey.PrefixLiveKey + letters, "half a key": good[:len(good)-1],
		"a key and more": good + "x", "a key in capitals": strings.ToUpper(good), "two keys": good + "," + good,
		"a quoted key": `"` + good + `"`, "a key's hash": latchkey.HashSecret(good), "a key's id": h.mine.keyIDs[good],
		"a pattern": latchkey.PrefixSandboxKey + "%", "a long key": latchkey.PrefixSandboxKey + strings.Repeat("x", 8000),
		"a client secret": latchkey.PrefixClientSecret + letters,
	} {
		h.untouched(c.pattern+" with "+name, func() {
			answer := h.send(c, c.body, "apikey", key)
			said := h.refused(answer, http.StatusUnauthorized, latchkey.Unauthorized)
			if said.Message != "the API key is missing or not valid" {
				h.Errorf("%s with %s: %q tells the cases apart", c.pattern, name, said.Message)
			}
		})
	}
	h.untouched(c.pattern+" without scope", func() {
		h.refused(h.send(c, c.body, "apikey", h.mine.without[scope]), http.StatusForbidden, latchkey.Forbidden)
	})
}

// refuseForeigners makes the call with the keys of another organisation and of
// the other environment, for which the objects must not be there.
func (h house) refuseForeigners(c call) {
	h.Helper()
	for name, key := range map[string]string{"another organisation": h.other.key, "the other environment": h.mine.live} {
		before := h.state()
		answer := h.send(c, c.body, "apikey", key)
		if c.foreign != 0 && answer.Status != c.foreign {
			h.Errorf("%s by %s: status %d, want %d: %s", c.pattern, name, answer.Status, c.foreign, answer.Body)
		}
		if c.foreignBody != "" && string(answer.Body) != c.foreignBody {
			h.Errorf("%s by %s: %s, want %s", c.pattern, name, answer.Body, c.foreignBody)
		}
		switch c.foreign {
		case http.StatusNotFound:
			h.refused(answer, c.foreign, latchkey.NotFound)
		case http.StatusBadRequest:
			if said := h.refused(answer, c.foreign, latchkey.Invalid); said.Details.Field != "clientAppId" && said.Details.Field != "code" {
				h.Errorf("%s by %s: field %q", c.pattern, name, said.Details.Field)
			}
		}
		if after := h.state(); after != before {
			h.Errorf("%s by %s changed\n%s\nto\n%s", c.pattern, name, before, after)
		}
	}
}

// state is everything that the first tenant can see.
func (h house) state() string {
	h.Helper()
	var text strings.Builder
	for _, path := range []string{
		"/v2/account/connections?limit=100", "/v2/webhook-endpoints?limit=100", "/v2/client-apps?limit=100",
		"/v2/api-keys?limit=100",
	} {
		text.Write(h.Want(http.StatusOK, "GET", path, nil).Body)
	}
	return text.String()
}

// refuseBodies makes the call with its body spoiled.
func (h house) refuseBodies(c call) {
	h.Helper()
	inner := strings.TrimSuffix(strings.TrimPrefix(c.body, "{"), "}")
	name, _, _ := strings.Cut(strings.TrimPrefix(inner, `"`), `"`)
	for _, test := range []struct {
		name, body, contentType string
		status                  int
		code                    latchkey.Code
	}{
		{"no content type", c.body, "", 415, web.UnsupportedMediaType},
		{"a form", c.body, "application/x-www-form-urlencoded", 415, web.UnsupportedMediaType},
		{"plain text", c.body, "text/plain", 415, web.UnsupportedMediaType},
		{"64 KiB of it", c.body + strings.Repeat(" ", 64<<10), "application/json", 413, web.PayloadTooLarge},
		{"nothing", "", "application/json", 400, latchkey.Invalid},
		{"half of it", c.body[:len(c.body)-1], "application/json", 400, latchkey.Invalid},
		{"a list of it", "[" + c.body + "]", "application/json", 400, latchkey.Invalid},
		{"text of it", `"` + canary + `"`, "application/json", 400, latchkey.Invalid},
		{"null", "null", "application/json", 400, latchkey.Invalid},
		{"a key twice", "{" + inner + "," + inner + "}", "application/json", 400, latchkey.Invalid},
		{"an unknown key twice", "{" + inner + `,"` + canary + `":1,"` + canary + `":2}`, "application/json", 400, latchkey.Invalid},
		{"a key in capitals", `{"` + strings.ToUpper(name) + `":"` + canary + `"}`, "application/json", 400, latchkey.Invalid},
		{"a key in both cases", "{" + inner + `,"` + strings.ToUpper(name) + `":"` + canary + `"}`, "application/json", 400, latchkey.Invalid},
		{"another object after it", c.body + c.body, "application/json", 400, latchkey.Invalid},
		{"text after it", c.body + canary, "application/json", 400, latchkey.Invalid},
		{"bytes that are no text", "{" + inner + ",\"x\":\"\xff\"}", "application/json", 400, latchkey.Invalid},
		{"brackets without end", strings.Repeat(`{"x":`, 10000), "application/json", 400, latchkey.Invalid},
	} {
		h.untouched(c.pattern+" with "+test.name, func() {
			answer := h.send(c, test.body, "Content-Type", test.contentType)
			if answer.Status != test.status {
				h.Errorf("%s with %s: status %d, want %d", c.pattern, test.name, answer.Status, test.status)
			}
			h.refused(answer, test.status, test.code)
		})
	}
}

func TestOtherPathsAndMethodsAreNoRoutes(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	for _, request := range []string{
		"PUT /v2/link/init", "GET /v1/link/init", "PATCH /v2/account/connections/conn_1", "POST /v2/account/whoami",
		"OPTIONS /v2/link/init", "TRACE /v2/account/whoami", "GET /v2/link/cs_1/submit", "GET /V2/account/whoami",
		"GET /v2/account/whoami/", "GET /v2/account/connections/", "GET /v2/link/sessions/", "POST /v2/link/init/",
		"GET /v2/account%2Fwhoami",
	} {
		method, path, _ := strings.Cut(request, " ")
		h.refused(h.Call(method, path, nil), http.StatusNotFound, web.RouteNotFound)
	}
}
