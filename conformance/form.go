package main

import (
	"net/http"
	"net/url"
	"strings"
)

// formRows are about the forms of the hosted pages, section 2.
var formRows = []row{
	{id: "2.page.one-form", statement: "a step is one form that posts to the page's own URL", check: func(s *suite) {
		p := s.open(s.begin(s.app(redirectApp), nil).url)
		for _, action := range []string{"continue", "approve", ""} {
			oneForm(p)
			if action != "" {
				p = p.press(action)
			}
		}
	}},
	{id: "2.page.hidden-version", statement: "with a hidden version, which grows from step to step", check: func(s *suite) {
		p := s.open(s.begin(s.app(redirectApp), nil).url)
		first := p.version()
		if second := p.press("continue").version(); second <= first {
			s.failf("the version went from %d to %d", first, second)
		}
	}},
	{id: "2.page.names", statement: "inputs are named username, password and code", check: func(s *suite) {
		p := s.open(s.begin(s.app(redirectApp), nil).url).atLogin()
		if !p.wants("username") || !p.wants("password") {
			s.failf("the page %q lacks username or password", p.heading())
		}
		if kind := p.document.Find(`input[name="password"]`).AttrOr("type", ""); kind != "password" {
			s.failf("the password is an input of the type %q", kind)
		}
		if p = p.press("continue", "username", s.address("creator-otp"), "password", goodPassword); !p.wants("code") {
			s.failf("the page %q has no code", p.heading())
		}
	}},
	{id: "2.page.method", statement: "a choice of second factors is an input named method", plus: true, check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		address := s.address("phone-otp")
		p := s.open(l.url).atLogin().press("continue", "username", address, "password", goodPassword)
		p.press("continue", "method", "app", "code", goodCode).parameters()
		l.linked(address)
	}},
	{id: "2.page.post-303", statement: "every POST is answered by 303 to the page, or at the end to the app", check: func(s *suite) {
		p := s.open(s.begin(s.app(redirectApp), nil).url)
		for _, action := range []string{"continue", "back", "continue", "approve", "back", "approve"} {
			p.post(p.form(action)).want(http.StatusSeeOther)
			p = p.reload()
		}
		p.post(p.form("cancel")).want(http.StatusSeeOther).fitsHeader("Location", `.*[?&]status=cancelled&.*`)
	}},
	{id: "2.page.stale-version", statement: "a stale version draws the current state; nothing happens twice", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		first := s.open(l.url)
		stale := first.form("cancel")
		consent := first.press("continue")
		after := first.follow(first.post(stale))
		if !after.offers("approve") || after.version() != consent.version() {
			s.failf("an old cancel leads to the page %q, version %d, want version %d", after.heading(), after.version(), consent.version())
		}
		l.status().at("status").is("initialized")
	}},
	{id: "2.page.once", statement: "the same form eight times at once counts once", plus: true, check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		p := s.open(l.url).atLogin()
		address, cursor := s.address("creator"), s.latest()
		form := p.form("continue", "username", address, "password", goodPassword)
		for _, got := range s.together(8, func(int) answer { return p.post(form) }) {
			got.want(http.StatusSeeOther)
		}
		s.tells(cursor, l.linked(address).id, "connection.created")
	}},
	{id: "2.page.version-missing", statement: "a form without a version changes nothing", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		p := s.open(l.url)
		p.post(url.Values{"action": {"cancel"}})
		p.post(url.Values{"action": {"cancel"}, "version": {"x"}})
		l.status().at("status").is("initialized")
	}},
	{id: "2.page.refused", statement: "a wrong password is explained on the page; another try is possible", check: func(s *suite) {
		p := s.open(s.begin(s.app(redirectApp), nil).url).atLogin()
		p = p.press("continue", "username", s.address("creator"), "password", "wrong")
		if !p.wants("password") || p.document.Find(`[role="alert"]`).Length() == 0 {
			s.failf("the page %q does not say that it was refused", p.heading())
		}
		if strings.Contains(string(p.answer.body), "wrong\"") {
			s.failf("the page has the refused password in it")
		}
	}},
	{id: "2.page.back", statement: "back leads one step back", check: func(s *suite) {
		p := s.open(s.begin(s.app(redirectApp), nil).url).atLogin()
		if p = p.press("back"); !p.offers("approve") {
			s.failf("from the login back leads to %q", p.heading())
		}
		if p = p.press("back"); p.offers("approve") || !p.offers("continue") {
			s.failf("from the consent back leads to %q", p.heading())
		}
	}},
	{id: "2.page.resend", statement: "resend sends another code", plus: true, check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		p := s.open(l.url).atLogin().press("continue", "username", s.address("phone"), "password", goodPassword)
		before := l.status().at("data.twoFactorState.phoneCode.requestAttemptsLeft").whole()
		if p = p.press("resend"); !p.wants("code") {
			s.failf("resend leads to the page %q", p.heading())
		}
		l.status().at("data.twoFactorState.phoneCode.requestAttemptsLeft").is(before - 1)
	}},
}

// oneForm fails the row unless the page has one form, to its own address.
func oneForm(p *page) {
	forms := p.document.Find("form")
	if forms.Length() != 1 {
		p.s.failf("the page %q has %d forms, want one", p.heading(), forms.Length())
	}
	if method := forms.AttrOr("method", "get"); !strings.EqualFold(method, "post") {
		p.s.failf("the form of %q has the method %s", p.heading(), method)
	}
	own, err := url.Parse(p.address)
	if err != nil {
		p.s.failf("%v", err)
	}
	target, err := own.Parse(forms.AttrOr("action", ""))
	if err != nil || target.Host != own.Host || target.Path != own.Path {
		p.s.failf("the form of %q posts to %s", p.heading(), target)
	}
}
