package spectest_test

import (
	"net/http"
	"strings"

	"latchkey/internal/latchtest/spectest"
)

// good is an answer that fits the description, and the changes that it may
// bear because the description says so.
type good struct {
	name   string
	method string
	path   string
	status int
	body   string
	may    []string // as Exchange.Mutation has them
}

const (
	at         = "2026-11-24T10:00:00.000Z"
	person     = `{"id":"u_1","name":"Ada","username":"ada","avatar":null}`
	connection = `{"id":"conn_8sLk","status":"expired","userData":` + person + `,"permissions":["profile:read"],"expiredAt":"` + at +
		`","createdAt":"` + at + `","updatedAt":"` + at + `","clientReferenceId":"user_456","imported":false,"lastCheckedAt":null,
		"provider":"sandbox","metadata":{"plan":"gold"},"expiry":{"reason":"session_expired","canReauth":true}}`
	consent = `{"locale":"en","app":{"name":"Shop","domain":"shop.example","logoUrl":null},
		"provider":{"id":"sandbox","name":"Sandbox","domain":"sandbox.com"},"heading":"Let Shop in?","listHeading":"Shop asks to",
		"promises":["Shop never sees your password."]}`
	clientApp = `{"id":"app_6Tn","name":"Shop","domain":"shop.example","logoUrl":null,"accentColor":"#0f5c5c","type":"redirect",
		"environment":"live","redirectUris":["https://shop.example/back"],"allowedOrigins":[],"providers":["sandbox"],
		"permissions":[{"name":"profile:read","purpose":"to show your name"}],"requireConfirmation":false,"whitelabelEnabled":false,
		"rawSessionEnabled":false,"suspended":false,"createdAt":"` + at + `","updatedAt":"` + at + `"}`
	apiKey = `{"id":"key_3x","name":"Shop","environment":"sandbox","scopes":["LINK"],"prefix":"sk_sandbox_EXAM","expiresAt":null,
		"lastUsedAt":"` + at + `","createdAt":"` + at + `"`
	endpoint = `{"id":"we_9c","url":"https://shop.example/hooks","events":["*"],"description":"","status":"enabled","rateLimit":null,"createdAt":"` + at + `"`
	event    = `{"id":"evt_5K","type":"connection.created","eventType":"connection.created","timestamp":"` + at + `","live":false,
		"data":{"clientReferenceId":null,"connection":{"id":"conn_8s","platformUserId":"u_1","status":"active","permissions":[],
		"userData":{"id":"u_1","userId":"u_1","name":"Ada","username":"ada","avatar":null}}}}`
	expiring = `{"id":"evt_5K","type":"connection.expiring","eventType":"connection.expiring","timestamp":"` + at + `","live":true,
		"data":{"clientReferenceId":"user_456","connection":{"id":"conn_8s","platformUserId":"u_1","status":"active",
		"expiresAt":"` + at + `","expiry":{"reason":"session_expired","canReauth":true}}}}`
	ended = `{"id":"evt_5L","type":"connection.expired","eventType":"connection.expired","timestamp":"` + at + `","live":true,
		"data":{"clientReferenceId":"user_456","connection":{"id":"conn_8s","platformUserId":"u_1","status":"expired",
		"expiry":{"reason":"revoked","canReauth":true,"reconnectUrl":"https://link.example.com/reconnect/conn_8s.q7"}}}}`
	cancelled = `{"id":"evt_5M","type":"link.session.cancelled","eventType":"link.session.cancelled","timestamp":"` + at + `","live":true,
		"data":{"clientReferenceId":null,"session":{"id":"ls_4p","status":"denied","errorCode":"cancelled","step":"login"}}}`
)

// page is one page of a list, with more to come.
func page(item string) string { return `{"list":[` + item + `],"hasMore":true,"nextOffset":1}` }

// failed is the body of an error.
func failed(code, rest string) string {
	return `{"error":"it did not work","message":"it did not work","type":"` + code + `","code":"` + code + `","requestId":"req_7h"` + rest + `}`
}

// goodAnswers are realistic, one for each shape that there is.
var goodAnswers = append(goodLinks, append(goodAccounts, append(goodManagement, goodRefusals...)...)...)

var goodLinks = []good{
	{"init, hosted", "POST", "/v2/link/init", 200, `{"mode":"hosted","url":"https://link.example/cs_EXAMPLE","expiresAt":"` + at + `","sessionId":"ls_4p"}`, nil},
	{"init, whitelabel", "POST", "/v2/link/init", 200, `{"mode":"whitelabel","clientSecret":"cs_EXAMPLE","expiresAt":"` + at + `","sessionId":"ls_4p"}`, nil},
	{"a session that is completed", "GET", "/v2/link/cs_EXAMPLE", 200, `{"status":"completed","data":{"id":"conn_8s","userData":` + person + `}}`, nil},
	{"a session with its raw session", "GET", "/v2/link/sessions/ls_4p", 200,
		`{"status":"completed","data":{"id":"conn_8s","userData":` + person + `,"session":{"cookies":{"a":"b"}}}}`,
		[]string{"without data.session", "without data.session.cookies", "without data.session.cookies.a", "with data.session.unknownField", "with data.session.cookies.unknownField"}},
	{"a session that is not found", "GET", "/v2/link/cs_EXAMPLE", 200, `{"status":"not_found"}`, nil},
	{"a session that failed", "GET", "/v2/link/cs_EXAMPLE", 200, `{"status":"failed","data":{"errorCode":"too_many_attempts"}}`, nil},
	{"a session that was cancelled", "POST", "/v2/link/cs_EXAMPLE/submit", 202,
		`{"status":"denied","data":{"errorCode":"cancelled","step":{"name":"login","version":7}}}`,
		[]string{"without data.errorCode", "without data.step"}},
	{"the step of consent", "POST", "/v2/link/cs_EXAMPLE/submit", 202,
		`{"status":"initialized","data":{"step":{"name":"authorization","version":2,"permissions":[{"name":"profile:read","purpose":"to greet you"}],
			"textVersion":"2026-11-1","consent":` + consent + `}}}`,
		[]string{"without data.step.permissions", "without data.step.textVersion", "without data.step.consent"}},
	{"the step of a refused login", "GET", "/v2/link/cs_EXAMPLE", 200,
		`{"status":"invalid_credentials","data":{"step":{"name":"login","version":5,"refused":"invalid_credentials","attemptsLeft":4,"message":"Again.",
			"fields":[{"name":"username","type":"text","label":"Email","autocomplete":"username","required":true}]}}}`,
		[]string{"without data.step.refused", "without data.step.attemptsLeft", "without data.step.message", "without data.step.fields", "without data.step.fields.0.autocomplete"}},
	{"the step of a second factor", "GET", "/v2/link/cs_EXAMPLE", 200,
		`{"status":"awaiting_2fa","data":{"step":{"name":"2fa","version":6,"methods":["phone","app"],"canResend":true},
			"twoFactorState":{"options":["phone","face"],"phoneLast4":"4711","faceCode":{"requestAttemptsLimit":3,"requestAttemptsLeft":3},
			"phoneCode":{"requestAttemptsLimit":3,"requestAttemptsLeft":2,"checkAttemptsLimit":3}}}}`,
		[]string{"without data.step.methods", "without data.step.canResend", "without data.twoFactorState", "without data.twoFactorState.phoneLast4",
			"without data.twoFactorState.faceCode", "without data.twoFactorState.phoneCode", "without data.twoFactorState.phoneCode.checkAttemptsLimit"}},
	{"sessions", "GET", "/v2/link/sessions?limit=1", 200, page(`{"id":"ls_4p","status":"failed","clientAppId":"app_6T","mode":"hosted","provider":"sandbox",
		"clientReferenceId":null,"connectionId":null,"errorCode":"session_expired","step":"login","createdAt":"` + at + `","updatedAt":"` + at + `","expiresAt":"` + at + `"}`), nil},
}

var goodAccounts = []good{
	{"whoami", "GET", "/v2/account/whoami", 200, `{"id":"org_2d","name":null,"permissions":["LINK"]}`, nil},
	{"settings", "GET", "/v2/account/settings", 200, `{"id":"org_2d","name":"Shop","defaults":{"expiresIn":1800,"locale":null},"vaultPlus":{"enabled":false,"autoEnableForNewConnections":false}}`, nil},
	{"a connection", "GET", "/v2/account/connections/conn_8s", 200, connection, []string{"without metadata.plan"}},
	{"an imported connection", "POST", "/v2/account/connections/import", 200, connection, []string{"without metadata.plan"}},
	{"connections", "GET", "/v2/connections?imported=false", 200, page(connection), []string{"without list.0.metadata.plan"}},
	{"the end of a connection", "DELETE", "/v2/account/connections/conn_8s", 200, `{}`, nil},
	{"a connection's settings", "PATCH", "/v2/account/connections/conn_8s/settings", 200,
		`{"rateLimit":{"perMinute":60,"burst":90},"metadata":{},"vaultPlus":{"enabled":false}}`, nil},
	{"a profile", "GET", "/v2/access/self", 200, `{"id":"u_1","name":"Ada","username":"ada","avatar":null,"raw":{"mail":"x"}}`,
		[]string{"without raw.mail", "with raw.unknownField"}},
}

var goodManagement = []good{
	{"a client app", "POST", "/v2/client-apps", 201, clientApp, nil},
	{"client apps", "GET", "/v2/client-apps", 200, page(clientApp), nil},
	{"a new key", "POST", "/v2/api-keys", 201, apiKey + `,"key":"sk_sandbox_EXAMPLE"}`, nil},
	{"a key", "PATCH", "/v2/api-keys/key_3x", 200, apiKey + `}`, nil},
	{"a new endpoint", "POST", "/v2/webhook-endpoints", 201, endpoint + `,"secret":"whsec_RVhBTQ=="}`, nil},
	{"an endpoint", "GET", "/v2/webhook-endpoints/we_9c", 200, endpoint + `}`, nil},
	{"a rotated secret", "POST", "/v2/webhook-endpoints/we_9c/rotate-secret", 200, endpoint + `,"secret":"whsec_RVhBTQ=="}`, nil},
	{"deliveries", "GET", "/v2/webhook-endpoints/we_9c/deliveries?state=pending", 200, page(`{"eventId":"evt_5K","type":"connection.created","subject":"conn_8s",
		"state":"pending","attempts":2,"lastStatus":500,"excerpt":"no","nextAttemptAt":"` + at + `","updatedAt":"` + at + `"}`), nil},
	{"a replay", "POST", "/v2/webhook-endpoints/we_9c/replay", 202, `{"queued":3}`, nil},
	{"events", "GET", "/v2/events?after=0&limit=3", 200, `{"list":[` + event + `,` + ended + `,` + expiring + `,` + cancelled + `],"hasMore":false,"cursor":"3"}`,
		[]string{
			"without list.1.data.connection.expiry", "without list.1.data.connection.expiry.reconnectUrl",
			"without list.3.data.session.errorCode", "without list.3.data.session.step",
		}},
	{"the record", "GET", "/v2/audit", 200, page(`{"actor":"key_3x","action":"credential.opened","subject":"conn_8s","detail":{"purpose":"proxy"},"createdAt":"` + at +
		`","chain":{"lane":0,"number":7,"hash":"` + strings.Repeat("0f", 32) + `"}}`), []string{"without list.0.detail.purpose", "with list.0.detail.unknownField"}},
}

var goodRefusals = []good{
	{"a bad field", "POST", "/v2/link/init", 400, failed("BAD_REQUEST", `,"details":{"field":"redirectUrl"}`), []string{"without details"}},
	{"a wrong key", "GET", "/v2/account/whoami", 401, failed("UNAUTHORIZED", ""), nil},
	{"a lacking scope", "GET", "/v2/events", 403, failed("FORBIDDEN", ""), nil},
	{"an unknown object", "GET", "/v2/api-keys/key_3x", 404, failed("RESOURCE_NOT_FOUND", ""), nil},
	{"a conflict", "PATCH", "/v2/client-apps/app_6T", 409, failed("CONFLICT", ""), nil},
	{"a stale step", "POST", "/v2/link/cs_EXAMPLE/submit", 409, failed("CONFLICT", `,"current":{"status":"pending","data":{}}`), nil},
	{"a large body", "POST", "/v2/link/init", 413, failed("PAYLOAD_TOO_LARGE", ""), nil},
	{"a form", "POST", "/v2/link/init", 415, failed("UNSUPPORTED_MEDIA_TYPE", ""), nil},
	{"too much", "GET", "/v2/account/whoami", 429, failed("RATE_LIMIT_EXCEEDED", ""), nil},
	{"our fault", "GET", "/v2/account/whoami", 500, failed("INTERNAL_ERROR", ""), nil},
	{"an ended connection", "GET", "/v2/access/self", 401, failed("SESSION_EXPIRED", `,"actionRequired":"refresh_session"`), []string{"without actionRequired"}},
	{"a broken provider", "GET", "/v2/access/self", 502, failed("PROXY_ERROR", ""), nil},
	{"an absent provider", "POST", "/v2/account/connections/import", 503, failed("NETWORK_ERROR", ""), nil},
}

// requests are the bodies that go with the good answers.
var requests = map[string]string{
	"POST /v2/link/init":                             `{"clientReferenceId":"user_456","somethingNew":1}`,
	"POST /v2/link/cs_EXAMPLE/submit":                `{"version":1,"fields":{"username":"ada"}}`,
	"POST /v2/account/connections/import":            `{"provider":"sandbox","credentials":{"username":"ada"}}`,
	"PATCH /v2/account/connections/conn_8s/settings": `{"metadata":{}}`,
	"POST /v2/client-apps":                           `{"name":"Shop","domain":"shop.example","type":"redirect"}`,
	"POST /v2/api-keys":                              `{"name":"Shop","scopes":["LINK"]}`,
	"PATCH /v2/api-keys/key_3x":                      `{"expiresAt":null}`,
	"POST /v2/webhook-endpoints":                     `{"url":"https://shop.example/hooks"}`,
	"POST /v2/webhook-endpoints/we_9c/replay":        `{"after":"0"}`,
}

// exchange is the answer with its request and the headers that it owes.
func (g good) exchange() spectest.Exchange {
	e := spectest.Exchange{
		Method: g.method, Path: g.path, Status: g.status, ResponseBody: []byte(g.body),
		RequestHeader: http.Header{"X-Connection-Id": {"conn_8s"}},
		ResponseHeader: http.Header{
			"Content-Type": {"application/json"}, "X-Request-Id": {"req_7h"}, "X-Ratelimit-Limit": {"90"},
			"X-Ratelimit-Remaining": {"7"}, "X-Ratelimit-Reset": {"1796119200"}, "Retry-After": {"3"},
		},
	}
	path, _, _ := strings.Cut(g.path, "?")
	if body, ok := requests[g.method+" "+path]; ok {
		e.RequestBody = []byte(body)
		e.RequestHeader.Set("Content-Type", "application/json; charset=utf-8")
	}
	return e
}
