package conformancetest

import (
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
)

// mutation is a way in which a server could be wrong, and the rows that must
// notice.
type mutation struct {
	name  string
	rows  []string
	spoil func(*exchange)
}

// mutations returns all of them, each with a memory of its own.
func mutations() []mutation {
	return append(append(conventionMutations(), sessionMutations()...), objectMutations()...)
}

// replaced spoils a body wherever it has the pattern.
func replaced(pattern, by string) func(*exchange) {
	found := regexp.MustCompile(pattern)
	return func(e *exchange) { e.body = found.ReplaceAllString(e.body, by) }
}

// only spoils the answers to such requests.
func only(method, prefix string, spoil func(*exchange)) func(*exchange) {
	return func(e *exchange) {
		if e.is(method, prefix) {
			spoil(e)
		}
	}
}

func conventionMutations() []mutation {
	return []mutation{
		{"a lost request id", []string{"1.ids.request", "1.ids.request-everywhere", "1.error.UNAUTHORIZED"}, func(e *exchange) {
			e.header.Del("x-request-id")
		}},
		{"an error without its code", []string{"1.error.UNAUTHORIZED", "1.error.BAD_REQUEST"}, replaced(`"code":"[A-Z_]+",`, ``)},
		{"an error that names no field", []string{"1.error.BAD_REQUEST", "2.init.clientAppId", "1.json.wrong-case"},
			replaced(`,"details":\{"field":"[^"]*"\}`, ``)},
		{"an error without what is to be done", []string{"1.error.SESSION_EXPIRED", "4.proxy.expired"},
			replaced(`,"actionRequired":"refresh_session"`, ``)},
		{"a lenient key", []string{"1.auth.missing", "1.error.UNAUTHORIZED"}, func(e *exchange) {
			if e.status == http.StatusUnauthorized {
				e.status = http.StatusOK
			}
		}},
		{"answers for every site", []string{"1.headers.no-cors"}, func(e *exchange) {
			e.header.Set("Access-Control-Allow-Origin", "*")
		}},
		{"answers that may be kept", []string{"1.headers.private"}, func(e *exchange) { e.header.Del("Cache-Control") }},
		{"times without milliseconds", []string{"1.time.format", "2.init.hosted"}, replaced(`\.[0-9]{3}Z"`, `Z"`)},
		{"a list without an end", []string{"1.paging.offset"}, replaced(`"hasMore":false`, `"hasMore":true`)},
		{"a list that is cut short", []string{"1.paging.default", "1.paging.walk"}, replaced(`"hasMore":true`, `"hasMore":false`)},
		{"a deletion with a body", []string{"1.no-content"}, func(e *exchange) {
			if e.status == http.StatusNoContent {
				e.status, e.body = http.StatusOK, "{}"
			}
		}},
		{"an unready server", []string{"6.readyz"}, only("GET", "/readyz", func(e *exchange) { e.status = http.StatusServiceUnavailable })},
	}
}

func sessionMutations() []mutation {
	var version atomic.Int64
	return []mutation{
		{"another status of init", []string{"2.init.hosted"}, only("POST", "/v2/link/init", func(e *exchange) { e.status = http.StatusCreated })},
		{"a session without its id", []string{"2.init.sessionId", "1.ids.session"}, replaced(`,"sessionId":"ls_[0-9A-Za-z]+"`, ``)},
		{"an open redirect", []string{"2.init.redirectUrl-byte-equal"}, func(e *exchange) {
			if e.status == http.StatusBadRequest && strings.Contains(e.body, `"field":"redirectUrl"`) {
				e.status = http.StatusOK
			}
		}},
		{"an unknown session as an error", []string{"2.status.not_found", "2.delete.ends"}, func(e *exchange) {
			if strings.Contains(e.body, `"status":"not_found"`) {
				e.status = http.StatusNotFound
			}
		}},
		{"a deleted session that lives on", []string{"2.delete.ends"}, replaced(`\{"status":"not_found"\}`, `{"status":"initialized","data":{}}`)},
		{"a raw session given out", []string{"2.status.completed-raw"},
			replaced(`"status":"completed","data":\{`, `"status":"completed","data":{"session":{"cookie":"a"},`)},
		{"a stale version that is taken", []string{"2.submit.stale-version"}, func(e *exchange) {
			if e.status == http.StatusConflict {
				e.status = http.StatusAccepted
			}
		}},
		{"another connection in the redirect", []string{"2.redirect.success"}, func(e *exchange) {
			e.header.Set("Location", regexp.MustCompile(`connection_id=conn_[^&]+`).
				ReplaceAllString(e.header.Get("Location"), "connection_id=conn_another"))
		}},
		{"a redirect that loses the URI's own query", []string{"2.redirect.query-kept"}, func(e *exchange) {
			e.header.Set("Location", strings.Replace(e.header.Get("Location"), "kept=a%20b", "kept=a+b", 1))
		}},
		{"a form answered by 302", []string{"2.page.post-303", "2.redirect.at-once"}, func(e *exchange) {
			if e.status == http.StatusSeeOther {
				e.status = http.StatusFound
			}
		}},
		{"a form without its version", []string{"2.page.hidden-version"}, replaced(`<input type="hidden" name="version"[^>]*>`, ``)},
		{"a page that changes by being looked at", []string{"2.page.get-changes-nothing"}, func(e *exchange) {
			if e.isPage() {
				e.body = regexp.MustCompile(`name="version" value="[0-9]+"`).
					ReplaceAllString(e.body, `name="version" value="1`+strings.Repeat("0", int(version.Add(1))%5)+`"`)
			}
		}},
		{"a page for every frame", []string{"2.embed.frame-ancestors", "2.embed.foreign-origin"}, func(e *exchange) {
			e.header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors *")
		}},
		{"a page with script of its own", []string{"2.page.csp"}, func(e *exchange) {
			e.header.Set("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline'")
		}},
	}
}

func objectMutations() []mutation {
	var users atomic.Int64
	var key atomic.Pointer[string]
	return []mutation{
		{"two connections with each other's ids", []string{"3.connections.get"}, only("GET", "/v2/account/connections/conn_",
			replaced(`"id":"conn_[0-9A-Za-z]+"`, `"id":"conn_another"`))},
		{"a user with another id each time", []string{"7.same-user"}, func(e *exchange) {
			e.body = strings.Replace(e.body, `"userData":{"id":"`, `"userData":{"id":"`+strings.Repeat("1", int(users.Add(1))%7), 1)
		}},
		{"a credential in a list", []string{"3.connections.no-credential"}, only("GET", "/v2/account/connections",
			replaced(`"list":\[`, `"credential":"sbx_abc.def","list":[`))},
		{"an access answer with a cookie", []string{"4.proxy.no-cookie"}, only("GET", "/v2/access/", func(e *exchange) {
			e.header.Set("Set-Cookie", "session=a")
		})},
		{"an access answer without its limits", []string{"4.limit.headers", "4.limit.bucket"}, only("GET", "/v2/access/", func(e *exchange) {
			e.header.Del("X-RateLimit-Remaining")
		})},
		{"a followed redirect", []string{"4.proxy.redirects"}, only("GET", "/v2/access/", func(e *exchange) {
			if e.status >= 300 && e.status < 400 {
				e.status = http.StatusOK
			}
		})},
		{"another signing secret", []string{"5.signature.standard", "5.signature.svix", "5.signature.ofauth"},
			only("POST", "/v2/webhook-endpoints", replaced(`"secret":"whsec_[^"]{8}`, `"secret":"whsec_AAAAAAAA`))},
		{"an API key shown again", []string{"3.api-keys.once"}, func(e *exchange) {
			if found := regexp.MustCompile(`"key":"sk_[^"]+"`).FindString(e.body); e.is("POST", "/v2/api-keys") && found != "" {
				key.Store(&found)
			}
			if found := key.Load(); e.is("GET", "/v2/api-keys") && found != nil {
				e.body = strings.Replace(e.body, `"id":"key_`, *found+`,"id":"key_`, 1)
			}
		}},
		{"a consent that leaves no record", []string{"3.audit.consent-first", "3.audit.consent-whitelabel"}, only("GET", "/v2/audit", func(e *exchange) {
			e.body = `{"list":[],"hasMore":false}`
		})},
		{"an event that comes twice", []string{"3.events.complete"}, only("GET", "/v2/events",
			replaced(`"list":\[(\{"id":"evt_[^\n]*?\}\}\}+)`, `"list":[$1,$1`))},
		{"a confirmed link without confirmation", []string{"2.confirm.pending"}, replaced(`"name":"confirm"`, `"name":"done"`)},
	}
}
