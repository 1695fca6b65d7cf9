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
	{id: "2.page.without-script", statement: "it works without JavaScript, and loads nothing of others", check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		p := s.open(l.url)
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
		address := s.address("fan")
		p.finish(address, goodPassword).parameters()
		l.linked(address)
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
