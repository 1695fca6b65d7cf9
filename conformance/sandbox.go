package main

import (
	"net/http"
	"strings"
	"time"
)

// sandboxRows are about the sandbox's accounts, section 7.
var sandboxRows = []row{
	{id: "7.creator", statement: "{any}@creator.sandbox.com, good-password: linked", check: signsIn("creator")},
	{id: "7.fan", statement: "{any}@fan.sandbox.com, good-password: linked", check: signsIn("fan")},
	{id: "7.creator-otp", statement: "creator-otp: also the code 123456", check: signsInByCode("creator-otp")},
	{id: "7.fan-otp", statement: "fan-otp: also the code 123456", check: signsInByCode("fan-otp")},
	{id: "7.other-password", statement: "any other password is refused", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		p := s.open(l.url).atLogin()
		p.press("continue", "username", s.address("creator"), "password", "Good-Password")
		l.status().at("status").is("invalid_credentials")
	}},
	{id: "7.other-code", statement: "any other code is refused", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		p := s.open(l.url).atLogin().press("continue", "username", s.address("creator-otp"), "password", goodPassword)
		if p = p.press("continue", "code", "654321"); !p.wants("code") {
			s.failf("the wrong code leads to %q", p.heading())
		}
		l.status().at("status").is("awaiting_2fa")
	}},
	{id: "7.other-address", statement: "an address of no scenario is refused", plus: true, check: func(s *suite) {
		l := s.atLogin(nil)
		for _, nobody := range []string{"a" + s.unique() + "@nowhere.sandbox.com", "b" + s.unique() + "@example.com", s.unique()} {
			l.login(nobody, goodPassword).at("status").is("invalid_credentials")
		}
	}},
	{id: "7.same-user", statement: "the same input is the same user", check: func(s *suite) {
		one := s.link("creator", nil)
		again := s.linkAs(one.address, nil)
		again.user.is(one.user.data)
		if other := s.link("creator", nil); other.user.at("id").text() == one.user.at("id").text() {
			s.failf("two addresses are one user")
		}
	}},
	{id: "7.phone", statement: "phone: an SMS code, 3 requests, 3 checks", plus: true, check: phoneBudgets},
	{id: "7.phone.last-check", statement: "the third wrong code ends it: 2fa_failed", plus: true, check: func(s *suite) {
		l := s.atLogin(nil)
		l.login(s.address("phone"), goodPassword)
		for left := 2; left > 0; left-- {
			told := l.code("000000")
			told.at("status").is("awaiting_2fa")
			told.at("data.twoFactorState.phoneCode.checkAttemptsLeft").is(left)
		}
		told := l.code("000000")
		told.at("status").is("failed")
		told.at("data.errorCode").is("2fa_failed")
	}},
	{id: "7.locked", statement: "locked: ends with account_locked", plus: true, check: func(s *suite) {
		told := s.atLogin(nil).login(s.address("locked"), goodPassword)
		told.at("status").is("failed")
		told.at("data.errorCode").is("account_locked")
	}},
	{id: "7.push", statement: "push: approved after 2 s", plus: true, takes: 4 * time.Second, check: func(s *suite) {
		l := s.atLogin(nil)
		address, began := s.address("push"), time.Now()
		told := l.login(address, goodPassword)
		told.at("status").is("awaiting_2fa")
		told.at("data.twoFactorState.options").is([]string{"push"})
		l.polled(20 * time.Second)
		if took := time.Since(began); took < 1900*time.Millisecond {
			s.failf("it was approved after %v", took)
		}
		l.linked(address)
	}},
	{id: "7.face", statement: "face: a face check, then linked", plus: true, takes: 3 * time.Second, check: func(s *suite) {
		l := s.atLogin(nil)
		address := s.address("face")
		told := l.login(address, goodPassword)
		told.at("status").is("awaiting_2fa")
		told.at("data.twoFactorState").fits(twoFactorShape).at("options").is([]string{"face"})
		told.at("data.twoFactorState.faceCode.requestAttemptsLimit").is(3)
		l.polled(20 * time.Second)
		l.linked(address)
	}},
	{id: "7.slow", statement: "slow: linked after 5 s", plus: true, takes: 6 * time.Second, check: func(s *suite) {
		began := time.Now()
		s.link("slow", nil)
		if took := time.Since(began); took < 5*time.Second || took > 15*time.Second {
			s.failf("it took %v", took)
		}
	}},
	{id: "7.down", statement: "down: the provider can't be reached, provider_unavailable", plus: true, check: func(s *suite) {
		l := s.atLogin(nil)
		address := s.address("down")
		told := l.login(address, goodPassword)
		told.at("data.step.refused").is("provider_unavailable")
		told.at("data.step.name").is("login")
		for range 4 {
			told = l.login(address, goodPassword)
		}
		told.at("status").is("failed")
		told.at("data.errorCode").is("provider_unavailable")
	}},
	{id: "7.flaky", statement: "flaky: fails once, then works", plus: true, check: func(s *suite) {
		l := s.atLogin(nil)
		address := s.address("flaky")
		l.login(address, goodPassword).at("data.step.refused").is("provider_unavailable")
		l.login(address, goodPassword).at("status").is("completed")
		l.linked(address)
	}},
	{id: "7.expiring", statement: "expiring: linked, with access", plus: true, check: func(s *suite) {
		s.access("GET", s.link("expiring", nil).id, "/me").ok()
	}},
	{
		id: "7.expiring.dies", statement: "and expired after 60 s, which is told", plus: true, long: true, takes: 70 * time.Second,
		check: func(s *suite) {
			cursor := s.latest()
			c := s.link("expiring", nil)
			s.pause(61 * time.Second)
			s.access("GET", c.id, "/me").refused("SESSION_EXPIRED").at("actionRequired").is("refresh_session")
			c.get().at("status").is("expired")
			s.tells(cursor, c.id, "connection.created", "connection.expired")
		},
	},
	{id: "7.types", statement: "failures come with an account type too", plus: true, check: func(s *suite) {
		l := s.atLogin(nil)
		l.login(s.address("locked-fan"), goodPassword).at("data.errorCode").is("account_locked")
	}},
}

// signsIn returns a check that an account of the scenario is linked by the
// hosted page, with the good password alone.
func signsIn(scenario string) func(*suite) {
	return func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		address := s.address(scenario)
		p := s.open(l.url).atLogin().press("continue", "username", address, "password", goodPassword)
		if given := p.parameters().Get("status"); given != "success" {
			s.failf("the person is sent back with the status %q", given)
		}
		l.linked(address).get().at("status").is("active")
	}
}

// signsInByCode is signsIn for a scenario that also wants a code.
func signsInByCode(scenario string) func(*suite) {
	return func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		address := s.address(scenario)
		p := s.open(l.url).atLogin().press("continue", "username", address, "password", goodPassword)
		if !p.wants("code") {
			s.failf("the password leads to the page %q, want one that asks for a code", p.heading())
		}
		if given := p.press("continue", "code", goodCode).parameters().Get("status"); given != "success" {
			s.failf("the person is sent back with the status %q", given)
		}
		l.linked(address).get().at("status").is("active")
	}
}

// phoneBudgets asks for every code that there is.
func phoneBudgets(s *suite) {
	l := s.atLogin(nil)
	address := s.address("phone")
	state := l.login(address, goodPassword).at("data.twoFactorState").fits(twoFactorShape)
	state.at("options").is([]string{"phone"})
	state.at("phoneLast4").fits(like(`[0-9]{4}`))
	state.at("phoneCode.requestAttemptsLimit").is(3)
	state.at("phoneCode.checkAttemptsLimit").is(3)
	state.at("phoneCode.checkAttemptsLeft").is(3)
	left := state.at("phoneCode.requestAttemptsLeft").whole() // the one that was sent may count
	for ; left > 0; left-- {
		told := l.submit(map[string]any{"action": "resend"}).want(http.StatusAccepted).json()
		told.at("data.twoFactorState.phoneCode.requestAttemptsLeft").is(left - 1)
	}
	told := l.submit(map[string]any{"action": "resend"})
	if told.status == http.StatusAccepted {
		told.json().at("data.twoFactorState.phoneCode.requestAttemptsLeft").is(0)
	} else {
		told.refused("BAD_REQUEST")
	}
	l.code(strings.Join([]string{goodCode[:3], goodCode[3:]}, " ")).at("status").is("completed")
	l.linked(address)
}

// polled looks again and again, as the step says, until the session is
// completed.
func (l session) polled(within time.Duration) {
	l.s.eventually("the approval", within, func() bool {
		told := l.status()
		if told.at("status").text() == "completed" {
			return true
		}
		step := told.at("data.step")
		step.at("name").is("wait")
		l.s.pause(time.Duration(min(step.at("retryAfter").whole(), 5)) * time.Second)
		told = l.submit(map[string]any{"action": "poll"}).want(http.StatusAccepted).json()
		return told.at("status").text() == "completed"
	})
}
