package tenanttest

// route is how one route of the API is called about an object. The text {id}
// in path, header or body stands for the object's id.
type route struct {
	kind     kind   // of the object; none: the route is about the caller's own
	path     string // {id}: the id, escaped
	body     string // {id}: the id, as JSON text without its quotes
	header   string // whose value is the id; "": none
	changes  bool   // an allowed call is made once, at the end
	answers  bool   // it answers 2xx for anything, and tells that there is no such thing
	anywhere bool   // the object named in the query narrows a list; another's leaves it empty
}

// kind is what an id names.
type kind string

const (
	none       kind = ""
	secret     kind = "client secret"
	session    kind = "session"
	connection kind = "connection"
	clientApp  kind = "client app"
	apiKey     kind = "API key"
	endpoint   kind = "webhook endpoint"
	event      kind = "event"
	code       kind = "code"
)

var kinds = []kind{secret, session, connection, clientApp, apiKey, endpoint, event, code}

// routes are all routes of the API, by their patterns. A route that is missing
// here fails the test. A pattern may be called about several kinds of objects.
var routes = map[string][]route{
	"POST /v2/link/init": {
		{kind: clientApp, path: "/v2/link/init", body: `{"clientAppId":"{id}"}`},
		{kind: connection, path: "/v2/link/init", body: `{"connectionId":"{id}"}`},
	},
	"POST /v2/link/confirm":                        {{kind: code, path: "/v2/link/confirm", body: `{"code":"{id}","clientReferenceId":"held"}`, changes: true}},
	"GET /v2/link/sessions":                        {{kind: clientApp, path: "/v2/link/sessions?clientAppId={id}", anywhere: true}},
	"GET /v2/link/sessions/{id}":                   {{kind: session, path: "/v2/link/sessions/{id}", answers: true}},
	"GET /v2/link/{clientSecret}":                  {{kind: secret, path: "/v2/link/{id}", answers: true}},
	"POST /v2/link/{clientSecret}/submit":          {{kind: secret, path: "/v2/link/{id}/submit", body: `{"version":1,"action":"poll"}`}},
	"DELETE /v2/link/{clientSecret}":               {{kind: secret, path: "/v2/link/{id}", changes: true, answers: true}},
	"GET /v2/account/whoami":                       {{path: "/v2/account/whoami"}},
	"GET /v2/account/settings":                     {{path: "/v2/account/settings"}},
	"PATCH /v2/account/settings":                   {{path: "/v2/account/settings", body: `{"defaults":{"expiresIn":900}}`}},
	"GET /v2/account/connections":                  {{path: "/v2/account/connections?limit=100"}},
	"GET /v2/connections":                          {{path: "/v2/connections?limit=100"}},
	"GET /v2/account/connections/{id}":             {{kind: connection, path: "/v2/account/connections/{id}"}},
	"POST /v2/account/connections/import":          {{path: "/v2/account/connections/import", body: `{"provider":"tester"}`}},
	"PATCH /v2/account/connections/import/{id}":    {{kind: connection, path: "/v2/account/connections/import/{id}", body: reimport, changes: true}},
	"GET /v2/account/connections/{id}/settings":    {{kind: connection, path: "/v2/account/connections/{id}/settings"}},
	"PATCH /v2/account/connections/{id}/settings":  {{kind: connection, path: "/v2/account/connections/{id}/settings", body: `{"metadata":{"a":"b"}}`, changes: true}},
	"POST /v2/account/connections/{id}/invalidate": {{kind: connection, path: "/v2/account/connections/{id}/invalidate", changes: true}},
	"DELETE /v2/account/connections/{id}":          {{kind: connection, path: "/v2/account/connections/{id}", changes: true}},

	"POST /v2/client-apps":        {{path: "/v2/client-apps", body: `{"name":"","domain":"x","type":"redirect"}`}},
	"GET /v2/client-apps":         {{path: "/v2/client-apps?limit=100"}},
	"GET /v2/client-apps/{id}":    {{kind: clientApp, path: "/v2/client-apps/{id}"}},
	"PATCH /v2/client-apps/{id}":  {{kind: clientApp, path: "/v2/client-apps/{id}", body: `{"suspended":false}`, changes: true}},
	"DELETE /v2/client-apps/{id}": {{kind: clientApp, path: "/v2/client-apps/{id}", changes: true}},
	"POST /v2/api-keys":           {{path: "/v2/api-keys", body: `{"name":""}`}},
	"GET /v2/api-keys":            {{path: "/v2/api-keys?limit=100"}},
	"GET /v2/api-keys/{id}":       {{kind: apiKey, path: "/v2/api-keys/{id}"}},
	"PATCH /v2/api-keys/{id}":     {{kind: apiKey, path: "/v2/api-keys/{id}", body: `{"name":"Mine"}`, changes: true}},
	"DELETE /v2/api-keys/{id}":    {{kind: apiKey, path: "/v2/api-keys/{id}", changes: true}},
	"GET /v2/audit":               {{kind: session, path: "/v2/audit?subject={id}", anywhere: true}},
	"GET /v2/events":              {{path: "/v2/events?limit=100"}},

	"POST /v2/webhook-endpoints":                    {{path: "/v2/webhook-endpoints", body: `{"url":""}`}},
	"GET /v2/webhook-endpoints":                     {{path: "/v2/webhook-endpoints?limit=100"}},
	"GET /v2/webhook-endpoints/{id}":                {{kind: endpoint, path: "/v2/webhook-endpoints/{id}"}},
	"PATCH /v2/webhook-endpoints/{id}":              {{kind: endpoint, path: "/v2/webhook-endpoints/{id}", body: `{"description":"mine"}`, changes: true}},
	"POST /v2/webhook-endpoints/{id}/rotate-secret": {{kind: endpoint, path: "/v2/webhook-endpoints/{id}/rotate-secret", changes: true}},
	"GET /v2/webhook-endpoints/{id}/deliveries":     {{kind: endpoint, path: "/v2/webhook-endpoints/{id}/deliveries"}},
	"POST /v2/webhook-endpoints/{id}/replay": {
		{kind: endpoint, path: "/v2/webhook-endpoints/{id}/replay", body: `{"after":"0"}`, changes: true},
		{kind: event, path: "/v2/webhook-endpoints/{endpoint}/replay", body: `{"eventIds":["{id}"]}`, changes: true},
	},
	"DELETE /v2/webhook-endpoints/{id}": {{kind: endpoint, path: "/v2/webhook-endpoints/{id}", changes: true}},

	"GET /v2/access/self":                {{kind: connection, path: "/v2/access/self", header: "x-connection-id"}},
	"GET /v2/access/proxy/{path...}":     {{kind: connection, path: "/v2/access/proxy/me", header: "x-connection-id"}},
	"POST /v2/access/proxy/{path...}":    {{kind: connection, path: "/v2/access/proxy/me", header: "x-connection-id"}},
	"PUT /v2/access/proxy/{path...}":     {{kind: connection, path: "/v2/access/proxy/me", header: "x-connection-id"}},
	"PATCH /v2/access/proxy/{path...}":   {{kind: connection, path: "/v2/access/proxy/me", header: "x-connection-id"}},
	"DELETE /v2/access/proxy/{path...}":  {{kind: connection, path: "/v2/access/proxy/me", header: "x-connection-id"}},
	"OPTIONS /v2/access/proxy/{path...}": {{kind: connection, path: "/v2/access/proxy/me", header: "x-connection-id"}},
}
