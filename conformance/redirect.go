package main

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// redirectRows are about the way back to the app, section 2.
var redirectRows = []row{
	{id: "2.redirect.success", statement: "success: status, connection_id, client_reference_id", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		address := s.address("creator")
		back := s.open(l.url).finish(address, goodPassword).parameters()
		l.carries(back, "status", "success", "connection_id", l.linked(address).id, "client_reference_id", l.reference)
	}},
	{id: "2.redirect.no-reference", statement: "no client_reference_id where none was given", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), map[string]any{"clientReferenceId": nil})
		address := s.address("creator")
		back := s.open(l.url).finish(address, goodPassword).parameters()
		l.carries(back, "status", "success", "connection_id", l.linked(address).id)
	}},
	{id: "2.redirect.cancelled-pre-login", statement: "cancelled: status, step pre-login, client_reference_id", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		l.carries(s.open(l.url).press("cancel").parameters(), "status", "cancelled", "step", "pre-login", "client_reference_id", l.reference)
	}},
	{id: "2.redirect.cancelled-authorization", statement: "denied consent: cancelled at the step authorization", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		back := s.open(l.url).atConsent().press("deny").parameters()
		l.carries(back, "status", "cancelled", "step", "authorization", "client_reference_id", l.reference)
	}},
	{id: "2.redirect.cancelled-login", statement: "cancelled at the step login", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		back := s.open(l.url).atLogin().press("cancel").parameters()
		l.carries(back, "status", "cancelled", "step", "login", "client_reference_id", l.reference)
	}},
	{id: "2.redirect.cancelled-2fa", statement: "cancelled at the step 2fa", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		p := s.open(l.url).atLogin().press("continue", "username", s.address("fan-otp"), "password", goodPassword)
		l.carries(p.press("cancel").parameters(), "status", "cancelled", "step", "2fa", "client_reference_id", l.reference)
	}},
	{id: "2.redirect.error-account_locked", statement: "error: status, error_code account_locked", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		p := s.open(l.url).atLogin().press("continue", "username", s.address("locked"), "password", goodPassword)
		l.carries(p.press("continue").parameters(), "status", "error", "error_code", "account_locked", "client_reference_id", l.reference)
	}},
	{id: "2.redirect.error-2fa_failed", statement: "error_code 2fa_failed after the last wrong code", plus: true, check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		p := s.open(l.url).atLogin().press("continue", "username", s.address("phone"), "password", goodPassword)
		for range 3 {
			p = p.press("continue", "code", "000000")
		}
		l.carries(p.press("continue").parameters(), "status", "error", "error_code", "2fa_failed", "client_reference_id", l.reference)
	}},
	{id: "2.redirect.error-account_mismatch", statement: "error_code account_mismatch when another account reconnects", plus: true, check: func(s *suite) {
		c := s.link("creator", nil)
		l := s.begin(s.app(redirectApp), map[string]any{"connectionId": c.id, "clientReferenceId": c.reference})
		p := s.open(l.url).finishToError(s.address("creator"))
		l.carries(p.press("continue").parameters(), "status", "error", "error_code", "account_mismatch", "client_reference_id", l.reference)
	}},
	{id: "2.redirect.session_id", statement: "every redirect carries session_id", plus: true, check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		if given := s.open(l.url).press("cancel").parameters().Get("session_id"); given != l.id {
			s.failf("session_id is %q, want %q", given, l.id)
		}
		l = s.begin(s.app(redirectApp), nil)
		address := s.address("fan")
		if given := s.open(l.url).finish(address, goodPassword).parameters().Get("session_id"); given != l.id {
			s.failf("session_id is %q, want %q", given, l.id)
		}
		l.linked(address)
	}},
	{id: "2.redirect.query-kept", statement: "the redirect URI's own query stays, byte for byte", check: func(s *suite) {
		l := s.begin(s.ownApp(redirectApp), map[string]any{"redirectUrl": returnURLQuery})
		p := s.open(l.url)
		location := p.post(p.form("cancel")).want(http.StatusSeeOther).header.Get("Location")
		if !strings.HasPrefix(location, returnURLQuery+"&") {
			s.failf("the person is sent to %s, want %s and the outcome appended", location, returnURLQuery)
		}
	}},
	{id: "2.redirect.reference-escaped", statement: "a reference comes back as it was given", check: func(s *suite) {
		reference := "ü&status=success#?/ +%" + s.unique()
		l := s.begin(s.app(redirectApp), map[string]any{"clientReferenceId": reference})
		back := s.open(l.url).press("cancel").parameters()
		l.carries(back, "status", "cancelled", "step", "pre-login", "client_reference_id", reference)
	}},
	{id: "2.redirect.at-once", statement: "success and cancellation go back at once, by 303", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		p := s.open(l.url).atLogin()
		address := s.address("creator")
		got := p.post(p.form("continue", "username", address, "password", goodPassword)).want(http.StatusSeeOther)
		got.fitsHeader("Location", `.*[?&]status=success&.*`)
		l.linked(address)
	}},
	{id: "2.redirect.no-secret", statement: "no redirect carries the session's secret", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		landed := s.open(l.url).press("cancel")
		landed.parameters()
		if strings.Contains(landed.landed.String(), "cs_") {
			s.failf("it is in %s", landed.landed)
		}
	}},
}

// finishToError goes to the page that explains why the session ended.
func (p *page) finishToError(address string) *page {
	return p.atLogin().press("continue", "username", address, "password", goodPassword)
}

// carries fails the row unless the query of a redirect holds exactly the pairs
// of name and value, beside the session's id and what the URI brought along.
func (l session) carries(given url.Values, pairs ...string) {
	wanted := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		wanted.Set(pairs[i], pairs[i+1])
	}
	for _, name := range []string{
		"status", "connection_id", "client_reference_id", "step", "error_code", "code",
	} {
		if !slices.Equal(given[name], wanted[name]) {
			l.s.failf("the redirect has %s %q, want %q", name, given[name], wanted[name])
		}
	}
}
