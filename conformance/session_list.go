package main

import (
	"net/url"
	"time"
)

// sessionListRows are about the list of sessions, section 3. All of them are
// additions.
var sessionListRows = []row{
	{id: "3.sessions.list", statement: "sessions are listed, newest first, with how they stand", plus: true, check: func(s *suite) {
		reference := s.reference()
		app := s.ownApp(redirectApp)
		first := s.begin(app, map[string]any{"clientReferenceId": reference})
		second := s.begin(app, map[string]any{"clientReferenceId": reference})
		list := s.call("GET", "/v2/link/sessions?clientReferenceId="+reference, nil).ok().at("list").fits(listOf(sessionSummaryShape))
		list.at("0.id").is(second.id)
		list.at("1.id").is(first.id)
		told := list.at("0")
		told.at("status").is("initialized")
		told.at("mode").is("hosted")
		told.at("clientAppId").is(app.id)
		told.at("step").is("pre-login")
		told.at("connectionId").is(nil)
		told.at("errorCode").is(nil)
		told.at("expiresAt").is(second.answer.at("expiresAt").text())
	}},
	{id: "3.sessions.ended", statement: "with the connection, or why there is none", plus: true, check: func(s *suite) {
		c := s.link("creator", nil)
		told := s.call("GET", "/v2/link/sessions?clientReferenceId="+c.reference, nil).ok().at("list.0").fits(sessionSummaryShape)
		told.at("status").is("completed")
		told.at("connectionId").is(c.id)
		told.at("provider").is("sandbox")
		told.at("step").is(nil)
		l := s.begin(s.app(redirectApp), nil)
		s.open(l.url).atConsent().press("deny")
		told = s.call("GET", "/v2/link/sessions?clientReferenceId="+l.reference, nil).ok().at("list.0").fits(sessionSummaryShape)
		told.at("status").is("denied")
		told.at("errorCode").is("cancelled")
		told.at("step").is("authorization")
	}},
	{id: "3.sessions.filters", statement: "narrowed by status, client app and time", plus: true, check: func(s *suite) {
		app := s.newApp(redirectApp, nil)
		l := s.begin(app, nil)
		created := s.call("GET", "/v2/link/sessions?clientAppId="+app.id, nil).ok().at("list.0.createdAt").text()
		for query, wanted := range map[string]int{
			"": 1, "&status=initialized": 1, "&status=completed": 0, "&clientReferenceId=" + l.reference: 1,
			"&clientReferenceId=" + s.reference(): 0, "&from=" + url.QueryEscape(created): 1, "&to=" + url.QueryEscape(created): 0,
			"&to=" + url.QueryEscape(stamp(now().Add(time.Hour))): 1, "&from=" + url.QueryEscape(stamp(now().Add(time.Hour))): 0,
		} {
			if n := len(s.call("GET", "/v2/link/sessions?clientAppId="+app.id+query, nil).ok().at("list").list()); n != wanted {
				s.failf("?clientAppId=…%s has %d sessions, want %d", query, n, wanted)
			}
		}
	}},
	{id: "3.sessions.filters-refused", statement: "a filter that can't be: 400 naming it", plus: true, check: func(s *suite) {
		s.call("GET", "/v2/link/sessions?status=broken", nil).blames("status")
		s.call("GET", "/v2/link/sessions?from=yesterday", nil).blames("from")
		s.call("GET", "/v2/link/sessions?to=2026-13-01", nil).blames("to")
	}},
	{id: "3.sessions.no-secret", statement: "no secret of a session is in the list", plus: true, check: func(s *suite) {
		s.begin(s.app(redirectApp), nil)
		if got := s.call("GET", "/v2/link/sessions?limit=100", nil); blank(string(got.body)) != string(got.body) {
			s.failf("there is a secret in the list")
		}
	}},
}
