package main

import (
	"net/http"
	"time"
)

// userShape is userData as the API tells of it.
var userShape = object(map[string]shape{"id": filled, "name": text, "username": text, "avatar": orNull(text)})

// loginStep is the step that asks for an address and a password.
var loginStep = object(map[string]shape{
	"name": exactly("login"), "version": whole, "fields": listOf(object(map[string]shape{
		"name": filled, "type": oneOf("text", "password", "code"), "label": filled, "autocomplete?": text, "required": flagged,
	})), "attemptsLeft": whole,
})

// sessionRows are about the status and the end of sessions, section 2.
var sessionRows = []row{
	{id: "2.status.initialized", statement: "a new session is initialized", check: func(s *suite) {
		s.begin(s.app(redirectApp), nil).status().at("status").is("initialized")
	}},
	{id: "2.status.step", statement: "it says which step is wanted, with a version", plus: true, check: func(s *suite) {
		step := s.begin(s.app(redirectApp), nil).step()
		step.at("name").is("pre-login")
		step.at("version").fits(whole)
		s.begin(s.app(whitelabelApp), nil).step().at("name").is("authorization")
	}},
	{id: "2.status.by-id", statement: "the session's id tells the same as its secret", plus: true, check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		s.call("GET", "/v2/link/sessions/"+l.id, nil).ok().is(l.status().data)
		s.open(l.url).press("cancel")
		s.call("GET", "/v2/link/sessions/"+l.id, nil).ok().is(l.status().data)
	}},
	{id: "2.status.not_found", statement: "an unknown secret: 200 with not_found", check: func(s *suite) {
		for _, secret := range []string{"cs_" + s.unique(), "cs_", "nonsense"} {
			s.call("GET", "/v2/link/"+secret, nil).ok().is(map[string]any{"status": "not_found"})
		}
	}},
	{id: "2.status.not_found-id", statement: "an unknown id: 200 with not_found", plus: true, check: func(s *suite) {
		for _, unknown := range []string{"ls_" + s.unique(), "ls_", "nonsense"} {
			s.call("GET", "/v2/link/sessions/"+unknown, nil).ok().is(map[string]any{"status": "not_found"})
		}
	}},
	{id: "2.status.pending", statement: "pending while a login is tried", plus: true, takes: 6 * time.Second, check: pending},
	{id: "2.status.awaiting_2fa", statement: "awaiting_2fa with the twoFactorState", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		s.open(l.url).atLogin().press("continue", "username", s.address("creator-otp"), "password", goodPassword)
		told := l.status()
		told.at("status").is("awaiting_2fa")
		told.at("data.twoFactorState").fits(twoFactorShape).at("options").is([]string{"app"})
	}},
	{id: "2.status.completed", statement: "completed with the connection and its userData", check: func(s *suite) {
		c := s.link("creator", nil)
		told := c.session.status()
		told.fits(object(map[string]shape{
			"status": exactly("completed"), "data": object(map[string]shape{"id": id("conn_"), "userData": userShape}),
		}))
		if told.has("data.step") {
			s.failf("there is still a step: %s", told.at("data.step"))
		}
	}},
	{id: "2.status.completed-raw", statement: "no raw session where the app does not allow it", check: func(s *suite) {
		c := s.link("creator", map[string]any{"options": map[string]any{"returnRawSession": true}})
		if c.session.status().has("data.session") {
			s.failf("the raw session is given out")
		}
	}},
	{id: "2.status.completed-raw-allowed", statement: "the raw session where app and init both want it", plus: true, check: rawSession},
	{id: "2.status.invalid_credentials", statement: "invalid_credentials while another try is possible", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		s.open(l.url).atLogin().press("continue", "username", s.address("creator"), "password", "wrong")
		l.status().at("status").is("invalid_credentials")
	}},
	{id: "2.status.invalid_credentials-step", statement: "then the step is the login with an attempt less", plus: true, check: func(s *suite) {
		l := s.atLogin(nil)
		l.step().fits(loginStep).at("attemptsLeft").is(5)
		told := l.login(s.address("creator"), "wrong")
		told.at("status").is("invalid_credentials")
		told.at("data.step").fits(loginStep).at("attemptsLeft").is(4)
		told.at("data.step.refused").is("invalid_credentials")
	}},
	{id: "2.status.denied", statement: "denied when the user has cancelled", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		s.open(l.url).press("cancel")
		l.status().at("status").is("denied")
	}},
	{id: "2.status.denied-why", statement: "then errorCode is cancelled, and the step is told", plus: true, check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		s.open(l.url).atConsent().press("deny")
		data := l.status().at("data")
		data.at("errorCode").is("cancelled")
		if step := data.at("step"); step.data != any("authorization") {
			step.at("name").is("authorization")
		}
	}},
	{id: "2.status.failed", statement: "failed when it gave up, with the errorCode", plus: true, check: func(s *suite) {
		l := s.atLogin(nil)
		told := l.login(s.address("locked"), goodPassword)
		told.at("status").is("failed")
		told.at("data.errorCode").is("account_locked")
		l.status().is(told.data)
	}},
	{id: "2.status.foreign-secret", statement: "a status never holds the secret", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		if got := s.call("GET", l.path(), nil); blank(string(got.body)) != string(got.body) {
			s.failf("there is a secret in the status")
		}
	}},
	{id: "2.delete.ends", statement: "DELETE: 204, and the session is not_found", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		s.call("DELETE", l.path(), nil).want(http.StatusNoContent)
		l.status().is(map[string]any{"status": "not_found"})
	}},
	{id: "2.delete.again", statement: "again, or unknown: 204", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		for range 2 {
			s.call("DELETE", l.path(), nil).want(http.StatusNoContent)
		}
		s.call("DELETE", "/v2/link/cs_"+s.unique(), nil).want(http.StatusNoContent)
	}},
	{id: "2.delete.page", statement: "the page of a deleted session leads nowhere", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		p := s.open(l.url)
		form := p.form("continue")
		s.call("DELETE", l.path(), nil).want(http.StatusNoContent)
		if after := p.reload(); after.offers("continue") || after.answer.status < 400 {
			s.failf("the page is still there: %d %q", after.answer.status, after.heading())
		}
		if got := p.post(form); got.status < 400 {
			s.failf("the form is still taken: %d", got.status)
		}
	}},
	{id: "2.delete.keeps-connection", statement: "deleting a completed session leaves its connection", check: func(s *suite) {
		c := s.link("creator", nil)
		s.call("DELETE", c.session.path(), nil).want(http.StatusNoContent)
		c.get().at("status").is("active")
	}},
}

// pending looks at a session while its provider takes five seconds.
func pending(s *suite) {
	l := s.atLogin(nil)
	version := l.step().at("version").whole()
	address := s.address("slow")
	s.together(2, func(i int) answer {
		if i == 0 {
			return l.send(map[string]any{
				"version": version, "fields": map[string]any{"username": address, "password": goodPassword},
			}).want(http.StatusAccepted)
		}
		var got answer
		s.eventually("the status pending", 4*time.Second, func() bool {
			got = s.call("GET", l.path(), nil)
			return got.ok().at("status").text() == "pending"
		})
		return got
	})
	l.linked(address)
}

// rawSession links with an app that may have the credential itself.
func rawSession(s *suite) {
	app := s.newApp(whitelabelApp, map[string]any{"rawSessionEnabled": true})
	for _, wanted := range []bool{true, false} {
		l := s.begin(app, map[string]any{"options": map[string]any{"returnRawSession": wanted}})
		l.consent()
		address := s.address("creator")
		l.login(address, goodPassword)
		l.linked(address)
		if given := l.status().has("data.session"); given != wanted {
			s.failf("asked for: %v, given: %v", wanted, given)
		}
	}
}
