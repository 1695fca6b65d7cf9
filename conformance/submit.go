package main

import (
	"net/http"
	"slices"
)

// twoFactorShape is the published shape of a wanted second factor.
var twoFactorShape = object(map[string]shape{
	"options": listOf(filled),
	"phoneCode?": object(map[string]shape{
		"requestAttemptsLimit": whole, "requestAttemptsLeft": whole, "checkAttemptsLimit?": whole, "checkAttemptsLeft?": whole,
		"expirationDate?": moment, "expirationSeconds?": whole, "lastSentDate?": moment,
	}),
	"faceCode?":   object(map[string]shape{"requestAttemptsLimit": whole, "requestAttemptsLeft": whole}),
	"phoneLast4?": like(`[0-9]{4}`),
})

// submitRows are about whitelabel sessions, section 2. All of them are
// additions.
var submitRows = []row{
	{id: "2.submit.authorization", statement: "first the consent: permissions, purposes, text version", plus: true, check: func(s *suite) {
		s.begin(s.app(whitelabelApp), nil).step().fits(object(map[string]shape{
			"name": exactly("authorization"), "version": whole, "textVersion": filled,
			"permissions": listOf(object(map[string]shape{"name": filled, "purpose": text})),
		}))
	}},
	{id: "2.submit.authorization-words", statement: "and the words that the user is to be shown", plus: true, check: func(s *suite) {
		consent := s.begin(s.ownApp(whitelabelApp), nil).step().at("consent")
		consent.fits(object(map[string]shape{
			"locale": filled, "heading": filled, "listHeading": filled, "promises": listOf(filled),
			"app":      object(map[string]shape{"name": filled, "domain": filled, "logoUrl": orNull(filled)}),
			"provider": object(map[string]shape{"id": filled, "name": filled, "domain": text}),
		}))
		consent.at("app.domain").is("conformance.example")
	}},
	{id: "2.submit.consent-attested", statement: "the app attests which text was agreed to: else 400", plus: true, check: func(s *suite) {
		l := s.begin(s.app(whitelabelApp), nil)
		for _, bad := range []map[string]any{nil, {"textVersion": "another"}, {"textVersion": ""}} {
			l.submit(with(nil, map[string]any{"fields": with(nil, bad)})).blames("fields.textVersion")
		}
		l.consent().at("data.step.name").is("login")
	}},
	{id: "2.submit.consent-first", statement: "no credential is taken before the consent", plus: true, check: func(s *suite) {
		l := s.begin(s.app(whitelabelApp), nil)
		l.submit(map[string]any{"fields": map[string]any{"username": s.address("creator"), "password": goodPassword}}).
			refused("BAD_REQUEST")
		l.step().at("name").is("authorization")
	}},
	{id: "2.submit.login", statement: "then the login: fields with name, type, label, autocomplete", plus: true, check: func(s *suite) {
		step := s.atLogin(nil).step().fits(loginStep)
		step.at("fields.0.name").is("username")
		step.at("fields.0.type").is("text")
		step.at("fields.0.autocomplete").is("username")
		step.at("fields.1.name").is("password")
		step.at("fields.1.type").is("password")
		step.at("fields.1.autocomplete").is("current-password")
		step.at("fields.1.required").is(true)
	}},
	{id: "2.submit.answer", statement: "202 with the body that GET has", plus: true, check: func(s *suite) {
		l := s.atLogin(nil)
		told := l.login(s.address("creator"), "wrong")
		l.status().is(told.data)
		address := s.address("creator")
		told = l.login(address, goodPassword)
		l.linked(address)
		l.status().is(told.data)
	}},
	{id: "2.submit.required", statement: "a required field that is missing: 400 naming it, no attempt less", plus: true, check: func(s *suite) {
		l := s.atLogin(nil)
		l.submit(map[string]any{"fields": map[string]any{"username": s.address("creator")}}).blames("fields.password")
		l.submit(map[string]any{"fields": map[string]any{"username": "", "password": "x"}}).blames("fields.username")
		l.step().at("attemptsLeft").is(5)
	}},
	{id: "2.submit.2fa", statement: "the second factor is a step with a code field", plus: true, check: func(s *suite) {
		l := s.atLogin(nil)
		address := s.address("fan-otp")
		told := l.login(address, goodPassword)
		told.at("status").is("awaiting_2fa")
		told.at("data.twoFactorState").fits(twoFactorShape)
		told.at("data.step.name").is("2fa")
		told.at("data.step.fields.0.name").is("code")
		told.at("data.step.fields.0.type").is("code")
		l.code("000000").at("data.step.refused").is("2fa_failed")
		l.code(goodCode).at("status").is("completed")
		l.linked(address)
	}},
	{id: "2.submit.method", statement: "a choice of second factors is answered with method", plus: true, check: func(s *suite) {
		l := s.atLogin(nil)
		address := s.address("phone-otp")
		methods := l.login(address, goodPassword).at("data.step.methods").texts()
		if !slices.Contains(methods, "phone") || !slices.Contains(methods, "app") {
			s.failf("the methods are %v, want phone and app", methods)
		}
		l.submit(map[string]any{"method": "app", "fields": map[string]any{"code": goodCode}}).want(http.StatusAccepted)
		l.linked(address)
	}},
	{id: "2.submit.resend", statement: "resend sends another code, from its budget", plus: true, check: func(s *suite) {
		l := s.atLogin(nil)
		told := l.login(s.address("phone"), goodPassword)
		told.at("data.step.canResend").is(true)
		left := told.at("data.twoFactorState.phoneCode.requestAttemptsLeft").whole()
		again := l.submit(map[string]any{"action": "resend"}).want(http.StatusAccepted).json()
		again.at("data.twoFactorState.phoneCode.requestAttemptsLeft").is(left - 1)
		again.at("data.step.name").is("2fa")
	}},
	{id: "2.submit.back", statement: "back goes one step back", plus: true, check: func(s *suite) {
		l := s.atLogin(nil)
		told := l.submit(map[string]any{"action": "back"}).want(http.StatusAccepted).json()
		told.at("data.step.name").is("authorization")
		l.consent().at("data.step.name").is("login")
	}},
	{id: "2.submit.cancel", statement: "cancel ends the session, at every step", plus: true, check: func(s *suite) {
		for _, l := range []session{s.begin(s.app(whitelabelApp), nil), s.atLogin(nil)} {
			told := l.submit(map[string]any{"action": "cancel"}).want(http.StatusAccepted).json()
			told.at("status").is("denied")
			told.at("data.errorCode").is("cancelled")
		}
	}},
	{id: "2.submit.wait", statement: "waiting is a step that says when to look again", plus: true, check: func(s *suite) {
		step := s.atLogin(nil).login(s.address("push"), goodPassword).at("data.step")
		step.at("name").is("wait")
		if after := step.at("retryAfter").whole(); after < 1 || after > 60 {
			s.failf("retryAfter is %d", after)
		}
	}},
	{id: "2.submit.stale-version", statement: "a stale version: 409 and the current step; nothing happens", plus: true, check: func(s *suite) {
		l := s.begin(s.app(whitelabelApp), nil)
		old := l.step().at("version").whole()
		l.consent()
		for _, stale := range []int{old, 0, old + 100} {
			told := l.send(map[string]any{"version": stale, "action": "cancel"}).refused("CONFLICT")
			told.at("current").is(l.status().data)
			told.at("current.data.step.name").is("login")
		}
	}},
	{id: "2.submit.version-required", statement: "without a version: 400 naming it", plus: true, check: func(s *suite) {
		l := s.begin(s.app(whitelabelApp), nil)
		l.send(map[string]any{"action": "cancel"}).blames("version")
		l.send(map[string]any{"version": "1", "action": "cancel"}).blames("version")
	}},
	{id: "2.submit.action", statement: "an action that is none, or not here: 400 naming it", plus: true, check: func(s *suite) {
		l := s.begin(s.app(whitelabelApp), nil)
		for _, bad := range []string{"destroy", "resend", "poll"} {
			l.submit(map[string]any{"action": bad}).blames("action")
		}
	}},
	{id: "2.submit.once", statement: "the same answer eight times at once counts once", plus: true, check: func(s *suite) {
		l := s.atLogin(nil)
		version, address := l.step().at("version").whole(), s.address("creator")
		accepted := 0
		for _, got := range s.together(8, func(int) answer {
			return l.send(map[string]any{"version": version, "fields": map[string]any{"username": address, "password": goodPassword}})
		}) {
			if got.status == http.StatusAccepted {
				accepted++
			} else {
				got.refused("CONFLICT")
			}
		}
		if accepted != 1 {
			s.failf("%d were accepted, want 1", accepted)
		}
		l.linked(address)
	}},
	{id: "2.submit.hosted", statement: "a hosted session: 403", plus: true, check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		l.send(map[string]any{"version": 1, "action": "continue"}).refused("FORBIDDEN")
		l.status().at("status").is("initialized")
	}},
	{id: "2.submit.unknown", statement: "an unknown session: 404", plus: true, check: func(s *suite) {
		l := session{s: s, secret: "cs_" + s.unique()}
		l.send(map[string]any{"version": 1, "action": "cancel"}).refused("RESOURCE_NOT_FOUND")
	}},
	{id: "2.submit.ended", statement: "an ended session takes nothing more: 409", plus: true, check: func(s *suite) {
		c := s.link("creator", nil)
		c.session.send(map[string]any{"version": 1, "action": "cancel"}).refused("CONFLICT")
		c.session.status().at("status").is("completed")
	}},
	{id: "2.submit.attempts", statement: "five wrong passwords end it: too_many_attempts", plus: true, check: func(s *suite) {
		l := s.atLogin(nil)
		address := s.address("creator")
		for left := 4; left > 0; left-- {
			l.login(address, "wrong").at("data.step.attemptsLeft").is(left)
		}
		told := l.login(address, "wrong")
		told.at("status").is("failed")
		told.at("data.errorCode").is("too_many_attempts")
	}},
	{id: "2.submit.page", statement: "a whitelabel session has no page", plus: true, check: func(s *suite) {
		l := s.begin(s.app(whitelabelApp), nil)
		s.send("GET", s.linkURL+"/"+l.secret, nil).want(http.StatusNotFound)
	}},
}
