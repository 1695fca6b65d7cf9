package main

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// auditShape is a record of the audit.
var auditShape = object(map[string]shape{
	"actor": filled, "action": like(`[a-z_]+\.[a-z_]+`), "subject": text, "detail": object(nil), "createdAt": moment,
	"chain": object(map[string]shape{"lane": whole, "number": whole, "hash": like(`[0-9a-f]{64}`)}),
})

// sessionSummaryShape is a session as the list tells of it.
var sessionSummaryShape = object(map[string]shape{
	"id": id("ls_"), "status": filled, "clientAppId": id("app_"), "mode": oneOf("hosted", "whitelabel"), "provider": orNull(filled),
	"clientReferenceId": orNull(filled), "connectionId": orNull(id("conn_")), "errorCode": orNull(filled), "step": orNull(filled),
	"createdAt": moment, "updatedAt": moment, "expiresAt": moment,
})

// auditRows are about the audit and the list of sessions, section 3. All of
// them are additions.
var auditRows = []row{
	{id: "3.audit.shape", statement: "records with actor, action, subject, detail and chain", plus: true, check: func(s *suite) {
		s.link("creator", nil)
		list := s.call("GET", "/v2/audit", nil).ok().at("list").fits(listOf(auditShape))
		if len(list.list()) == 0 {
			s.failf("there is none")
		}
	}},
	{id: "3.audit.newest-first", statement: "the newest first", plus: true, check: func(s *suite) {
		s.link("creator", nil)
		var times []string
		for _, record := range s.call("GET", "/v2/audit?limit=50", nil).ok().at("list").list() {
			times = append(times, record.at("createdAt").text())
		}
		if !slices.IsSortedFunc(times, func(one, other string) int { return strings.Compare(other, one) }) {
			s.failf("the times are %v", times)
		}
	}},
	{id: "3.audit.consent-first", statement: "the consent is there before any credential is asked for", plus: true, check: func(s *suite) {
		l := s.begin(s.ownApp(redirectApp), map[string]any{"permissions": permissionNames[:1]})
		p := s.open(l.url).atConsent()
		s.audited("consent.given", l.id, 0)
		p = p.press("approve")
		if !p.wants("password") {
			s.failf("the consent leads to %q", p.heading())
		}
		record := s.audited("consent.given", l.id, 1)[0]
		record.at("actor").is(l.id)
		detail := string(s.encode(record.at("detail").data))
		for _, wanted := range []string{"profile:read", s.ownApp(redirectApp).id, "textVersion"} {
			if !strings.Contains(detail, wanted) {
				s.failf("the record does not tell %q: %s", wanted, detail)
			}
		}
		if strings.Contains(detail, "messages:write") {
			s.failf("the record tells of a permission that was not asked for")
		}
	}},
	{id: "3.audit.consent-whitelabel", statement: "also in a whitelabel session", plus: true, check: func(s *suite) {
		s.audited("consent.given", s.atLogin(nil).id, 1)
	}},
	{id: "3.audit.no-consent", statement: "no consent, no record", plus: true, check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		s.open(l.url).atConsent().press("deny")
		s.audited("consent.given", l.id, 0)
	}},
	{id: "3.audit.credential", statement: "the use of a credential is recorded", plus: true, check: func(s *suite) {
		c := s.link("creator", nil)
		s.access("GET", c.id, "/me").want(http.StatusOK)
		s.audited("credential.opened", c.id, 1)[0].at("actor").fits(id("key_"))
	}},
	{id: "3.audit.connection", statement: "and the end of a connection", plus: true, check: func(s *suite) {
		c := s.link("creator", nil)
		s.call("POST", c.path()+"/invalidate", nil).want(http.StatusOK)
		s.call("DELETE", c.path(), nil).want(http.StatusOK)
		s.audited("connection.invalidated", c.id, 1)
		s.audited("connection.disconnected", c.id, 1)
	}},
	{id: "3.audit.receipt", statement: "and that its credential was ended at the provider", plus: true, check: func(s *suite) {
		c := s.link("creator", nil)
		s.call("DELETE", c.path(), nil).want(http.StatusOK)
		s.eventually("the receipt", 10*time.Second, func() bool { return len(s.records("credential.revoked", c.id)) > 0 })
		s.audited("credential.revoked", c.id, 1)[0].at("detail.attempts").is(1)
	}},
	{id: "3.audit.import", statement: "and an import", plus: true, check: func(s *suite) {
		told := s.imports(credentialsOf(s.address("creator"), goodPassword), nil)
		s.audited("connection.imported", told.at("id").text(), 1)
	}},
	{id: "3.audit.management", statement: "and what was done to apps, keys and endpoints", plus: true, check: auditsManagement},
	{id: "3.audit.chain", statement: "the chain's numbers grow; none, and no hash, is there twice", plus: true, check: auditChain},
	{id: "3.audit.filters", statement: "narrowed by actor and time", plus: true, check: func(s *suite) {
		l := s.atLogin(nil)
		record := s.audited("consent.given", l.id, 1)[0]
		at := record.at("createdAt").text()
		narrowed := func(query string) int {
			return len(s.call("GET", "/v2/audit?subject="+l.id+"&"+query, nil).ok().at("list").list())
		}
		for query, wanted := range map[string]int{
			"actor=" + record.at("actor").text(): 1, "actor=key_" + s.unique(): 0, "action=api_key.created": 0,
			"from=" + url.QueryEscape(at): 1, "to=" + url.QueryEscape(at): 0,
			"from=" + url.QueryEscape(stamp(now().Add(time.Hour))): 0,
			"to=" + url.QueryEscape(stamp(now().Add(time.Hour))):   1,
		} {
			if n := narrowed(query); n != wanted {
				s.failf("?%s has %d records, want %d", query, n, wanted)
			}
		}
		s.call("GET", "/v2/audit?from=yesterday", nil).blames("from")
	}},
	{id: "3.audit.no-secret", statement: "no record holds a secret", plus: true, check: func(s *suite) {
		s.keptKey(nil)
		s.makeEndpoint(nil)
		got := s.call("GET", "/v2/audit?limit=100", nil).want(http.StatusOK)
		if blank(string(got.body)) != string(got.body) || strings.Contains(string(got.body), goodPassword) {
			s.failf("there is a secret in the audit")
		}
	}},
}

// audited returns the records of an action on a subject, of which there must
// be so many.
func (s *suite) audited(action, subject string, many int) []value {
	list := s.records(action, subject)
	if len(list) != many {
		s.failf("there are %d records of %s on %s, want %d", len(list), action, subject, many)
	}
	return list
}

// records reads the records of an action on a subject.
func (s *suite) records(action, subject string) []value {
	return s.call("GET", "/v2/audit?action="+action+"&subject="+subject, nil).ok().at("list").fits(listOf(auditShape)).list()
}

func auditsManagement(s *suite) {
	for path, made := range map[string]struct {
		noun string
		body map[string]any
		gone string
	}{
		"/v2/client-apps":       {"client_app", s.appFields(redirectApp, nil), "deleted"},
		"/v2/api-keys":          {"api_key", map[string]any{"name": "Conformance", "scopes": []string{"LINK"}}, "revoked"},
		"/v2/webhook-endpoints": {"webhook_endpoint", endpointFields(nil), "deleted"},
	} {
		subject := s.call("POST", path, made.body).want(http.StatusCreated).json().at("id").text()
		change := map[string]any{"name": "Changed"}
		if made.noun == "webhook_endpoint" {
			change = map[string]any{"description": "changed"}
			s.call("POST", path+"/"+subject+"/rotate-secret", nil).want(http.StatusOK)
			s.audited("webhook_endpoint.secret_rotated", subject, 1)
		}
		s.call("PATCH", path+"/"+subject, change).want(http.StatusOK)
		s.call("DELETE", path+"/"+subject, nil).want(http.StatusNoContent)
		for _, what := range []string{"created", "updated", made.gone} {
			s.audited(made.noun+"."+what, subject, 1)
		}
	}
}

// auditChain looks at the newest records of each lane, and at two that came
// one after the other.
func auditChain(s *suite) {
	c := s.link("creator", nil)
	s.call("POST", c.path()+"/invalidate", nil).want(http.StatusOK)
	earlier := s.audited("consent.given", c.session.id, 1)[0].at("chain")
	later := s.audited("connection.invalidated", c.id, 1)[0].at("chain")
	if earlier.at("lane").whole() == later.at("lane").whole() && earlier.at("number").whole() >= later.at("number").whole() {
		s.failf("the numbers are %s, then %s", earlier, later)
	}
	type place struct{ lane, number int }
	places, hashes := map[place]bool{}, map[string]bool{}
	for _, record := range s.call("GET", "/v2/audit?limit=100", nil).ok().at("list").list() {
		at := place{record.at("chain.lane").whole(), record.at("chain.number").whole()}
		if hash := record.at("chain.hash").text(); places[at] || hashes[hash] {
			s.failf("two records have the number %d of the lane %d, or one hash", at.number, at.lane)
		} else {
			places[at], hashes[hash] = true, true
		}
	}
}
