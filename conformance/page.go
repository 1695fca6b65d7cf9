package main

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"
)

// pageRows are about the hosted pages, section 2.
var pageRows = []row{
	{id: "2.page.get", statement: "GET of the url draws the first step", check: func(s *suite) {
		p := s.open(s.begin(s.app(redirectApp), nil).url)
		p.answer.want(http.StatusOK).fitsHeader("Content-Type", `text/html; ?charset=utf-8`)
		if p.heading() == "" || !p.offers("continue") || !p.offers("cancel") {
			s.failf("the page %q does not offer continue and cancel", p.heading())
		}
	}},
	{id: "2.page.both-paths", statement: "/cs_… and /s/cs_… are the same page", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		for _, prefix := range []string{"/", "/s/"} {
			s.open(s.linkURL + prefix + l.secret).answer.want(http.StatusOK)
		}
		p := s.open(s.linkURL + "/s/" + l.secret).press("continue")
		if !p.offers("approve") {
			s.failf("the second path leads to the page %q", p.heading())
		}
	}},
	{id: "2.page.get-changes-nothing", statement: "GET and HEAD change nothing, however often", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		before := s.open(l.url).version()
		for range 10 {
			s.send("GET", l.url, nil, "User-Agent", "Slackbot-LinkExpanding 1.0", "Purpose", "prefetch").want(http.StatusOK)
			s.send("HEAD", l.url, nil).want(http.StatusOK)
			s.send("GET", l.url+"?action=cancel&version=1", nil).want(http.StatusOK)
		}
		if after := s.open(l.url).version(); after != before {
			s.failf("the version went from %d to %d", before, after)
		}
		l.status().at("status").is("initialized")
	}},
	{id: "2.page.order", statement: "pre-login, authorization, login, 2fa, done", check: pageOrder},
	{id: "2.page.step-names", statement: "the status names the steps as the redirect does", plus: true, check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		p := s.open(l.url)
		l.step().at("name").is("pre-login")
		p = p.atConsent()
		l.step().at("name").is("authorization")
		p = p.press("approve")
		l.step().at("name").is("login")
		p.press("continue", "username", s.address("fan-otp"), "password", goodPassword)
		l.step().at("name").is("2fa")
	}},
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
	{id: "2.page.without-script", statement: "it works without JavaScript, and loads nothing of others", check: func(s *suite) {
		p := s.open(s.begin(s.app(redirectApp), nil).url)
		own, err := url.Parse(p.address)
		if err != nil {
			s.failf("%v", err)
		}
		p.document.Find("[src],link[href]").Each(func(_ int, each *goquery.Selection) {
			target, err := own.Parse(each.AttrOr("src", each.AttrOr("href", "")))
			if err != nil || target.Host != own.Host {
				s.failf("the page loads %s", target)
			}
		})
		p.finish(s.address("fan"), goodPassword).parameters()
	}},
	{id: "2.page.post-303", statement: "every POST is answered by 303 to the page, or at the end to the app", check: func(s *suite) {
		p := s.open(s.begin(s.app(redirectApp), nil).url)
		for _, action := range []string{"continue", "back", "continue", "approve", "back", "approve"} {
			p.post(p.form(action)).want(http.StatusSeeOther)
			p = p.reload()
		}
		p.post(p.form("continue", "username", s.address("creator"), "password", "wrong")).want(http.StatusSeeOther)
		p = p.reload()
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
		form := p.form("continue", "username", s.address("creator"), "password", "wrong")
		for _, got := range s.together(8, func(int) answer { return p.post(form) }) {
			got.want(http.StatusSeeOther)
		}
		l.step().at("attemptsLeft").is(4)
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
	{id: "2.page.who-asks", statement: "the page says who asks, and for which provider", plus: true, check: func(s *suite) {
		p := s.open(s.begin(s.ownApp(redirectApp), nil).url)
		for _, wanted := range []string{"Conformance " + s.run, "conformance.example", "Sandbox"} {
			if !strings.Contains(p.words(), wanted) {
				s.failf("%q is not on the page", wanted)
			}
		}
		for ; !p.wants("password"); p = p.press(next(p)) {
			if !strings.Contains(p.words(), "conformance.example") {
				s.failf("the app's domain is not on the page %q", p.heading())
			}
		}
	}},
	{id: "2.page.permissions", statement: "the consent shows the permissions and their purposes", plus: true, check: func(s *suite) {
		p := s.open(s.begin(s.ownApp(redirectApp), map[string]any{"permissions": permissionNames[:2]}).url).atConsent()
		for _, wanted := range []string{"profile:read", "to show your name", "posts:read", "to list your posts"} {
			if !strings.Contains(p.words(), wanted) {
				s.failf("%q is not on the page", wanted)
			}
		}
		if strings.Contains(p.words(), "messages:write") {
			s.failf("a permission that was not asked for is on the page")
		}
	}},
	{id: "2.page.error-explained", statement: "an error is explained first; its continue goes back", check: func(s *suite) {
		p := s.open(s.begin(s.app(redirectApp), nil).url).atLogin()
		p = p.press("continue", "username", s.address("locked"), "password", goodPassword)
		if p.landed != nil || !p.offers("continue") || p.wants("password") {
			s.failf("the person is not told on the page: %q", p.heading())
		}
		if back := p.press("continue").parameters(); back.Get("status") != "error" {
			s.failf("continue goes back with %v", back)
		}
	}},
	{id: "2.page.unknown", statement: "an unknown link is a page that says nothing of anybody", check: func(s *suite) {
		p := s.open(s.linkURL + "/cs_" + s.unique())
		p.answer.want(http.StatusNotFound)
		if strings.Contains(p.words(), "Conformance") {
			s.failf("it names an app")
		}
	}},
	{id: "2.page.finished", statement: "a finished link tells nothing more", check: func(s *suite) {
		p := s.open(s.begin(s.app(redirectApp), nil).url)
		asked := p.words()
		p.press("cancel")
		if p = p.reload(); p.answer.status < 400 || p.document.Find("form").Length() > 0 || p.words() == asked ||
			strings.Contains(p.words(), "Conformance "+s.run) {
			s.failf("it is answered %d with %q", p.answer.status, p.heading())
		}
	}},
	{id: "2.page.theme", statement: "theme=light|dark|auto goes with the page from step to step", check: func(s *suite) {
		for _, theme := range []string{"light", "dark", "auto"} {
			l := s.begin(s.app(redirectApp), nil)
			got := s.open(l.url + "?theme=" + theme)
			got.answer.want(http.StatusOK)
			location := got.post(got.form("continue")).want(http.StatusSeeOther).header.Get("Location")
			if !strings.Contains(location, "theme="+theme) {
				s.failf("after theme=%s the form leads to %s", theme, location)
			}
		}
		s.open(s.begin(s.app(redirectApp), nil).url + "?theme=%22%3E%3Cb%3E").answer.want(http.StatusOK)
	}},
	{id: "2.page.no-cookie", statement: "it relies on no cookie", check: func(s *suite) {
		p := s.open(s.begin(s.app(embedApp), nil).url).atLogin()
		if cookie := p.answer.header.Get("Set-Cookie"); cookie != "" {
			s.failf("the page sets the cookie %q", cookie)
		}
	}},
}

// next returns the button that leads on from a page before the login.
func next(p *page) string {
	if p.offers("approve") {
		return "approve"
	}
	return "continue"
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

// pageOrder goes from step to step and looks at the buttons of each.
func pageOrder(s *suite) {
	buttons := func(p *page) []string {
		var names []string
		p.document.Find(`form button[name="action"]`).Each(func(_ int, button *goquery.Selection) {
			names = append(names, button.AttrOr("value", ""))
		})
		return names
	}
	hasAll := func(p *page, step string, wanted ...string) {
		given := buttons(p)
		for _, each := range wanted {
			if !slices.Contains(given, each) {
				s.failf("at %s the page %q has the buttons %v, want %v", step, p.heading(), given, wanted)
			}
		}
	}
	l := s.begin(s.app(redirectApp), nil)
	p := s.open(l.url)
	hasAll(p, "pre-login", "continue", "cancel")
	p = p.press("continue")
	hasAll(p, "authorization", "approve", "deny", "back")
	p = p.press("approve")
	hasAll(p, "login", "continue", "back", "cancel")
	address := s.address("creator-otp")
	p = p.press("continue", "username", address, "password", goodPassword)
	hasAll(p, "2fa", "continue", "cancel")
	p.press("continue", "code", goodCode).parameters()
	l.linked(address)
}
