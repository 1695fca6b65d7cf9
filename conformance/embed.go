package main

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// embedRows are about pages in frames and what browsers are told, section 2.
var embedRows = []row{
	{id: "2.embed.frame-ancestors", statement: "frame-ancestors is 'self' and exactly the app's origins", check: func(s *suite) {
		p := s.open(s.begin(s.ownApp(embedApp), nil).url)
		p.mayBeFramedBy("'self'", embedOrigin)
		p.atLogin().mayBeFramedBy("'self'", embedOrigin)
	}},
	{id: "2.embed.frame-ancestors-several", statement: "several origins are each named, without wildcards", plus: true, check: func(s *suite) {
		origins := []string{"https://shop.conformance.example", "https://conformance.example:8443", "http://localhost:3998"}
		app := s.newApp(embedApp, map[string]any{"allowedOrigins": origins})
		s.open(s.begin(app, nil).url).mayBeFramedBy(append([]string{"'self'"}, origins...)...)
	}},
	{id: "2.embed.frame-ancestors-none", statement: "without a registered origin: 'self' only", plus: true, check: func(s *suite) {
		app := s.newApp(embedApp, map[string]any{"allowedOrigins": []string{}})
		s.open(s.begin(app, nil).url).mayBeFramedBy("'self'")
		plain := s.newApp(redirectApp, map[string]any{"allowedOrigins": []string{}})
		s.open(s.begin(plain, nil).url).mayBeFramedBy("'self'")
	}},
	{id: "2.embed.frame-ancestors-redirect", statement: "an app of another type is framed by its origins too", plus: true, check: func(s *suite) {
		app := s.newApp(redirectApp, map[string]any{"allowedOrigins": []string{"https://shop.conformance.example"}})
		s.open(s.begin(app, nil).url).mayBeFramedBy("'self'", "https://shop.conformance.example")
	}},
	{id: "2.embed.query", statement: "embed=true and embed_origin are taken, from step to step", check: func(s *suite) {
		l := s.begin(s.ownApp(embedApp), nil)
		p := s.open(l.url + "?embed=true&embed_origin=http%3A%2F%2Flocalhost%3A3999")
		p.answer.want(http.StatusOK)
		location := p.post(p.form("continue")).want(http.StatusSeeOther).header.Get("Location")
		if !strings.Contains(location, "embed=true") || !strings.Contains(location, "embed_origin=http%3A%2F%2Flocalhost%3A3999") {
			s.failf("the form leads to %s", location)
		}
	}},
	{id: "2.embed.foreign-origin", statement: "another origin in the query lets nobody in", check: func(s *suite) {
		l := s.begin(s.ownApp(embedApp), nil)
		for _, foreign := range []string{"https://evil.example", "*", "http://localhost:3999.evil.example", "'none'; frame-ancestors *"} {
			address := l.url + "?embed=true&embed_origin=" + url.QueryEscape(foreign)
			s.open(address).mayBeFramedBy("'self'", embedOrigin)
		}
	}},
	{id: "2.page.csp", statement: "the policy begins with default-src 'none' and allows nothing inline", plus: true, check: func(s *suite) {
		p := s.open(s.begin(s.app(redirectApp), nil).url)
		policy := p.answer.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe-") || strings.Contains(policy, "*") {
			s.failf("the policy is %q", policy)
		}
	}},
	{id: "2.page.headers", statement: "pages are not kept, not sniffed, and send no referrer", plus: true, check: func(s *suite) {
		l := s.begin(s.app(redirectApp), nil)
		for _, p := range []*page{s.open(l.url), s.open(l.url).atLogin(), s.open(s.linkURL + "/cs_" + s.unique())} {
			p.answer.head("Cache-Control", "no-store")
			p.answer.head("X-Content-Type-Options", "nosniff")
			p.answer.head("Referrer-Policy", "no-referrer")
		}
	}},
}

// mayBeFramedBy fails the row unless the page's frame-ancestors are those, in
// any order.
func (p *page) mayBeFramedBy(sources ...string) {
	var given []string
	for directive := range strings.SplitSeq(p.answer.header.Get("Content-Security-Policy"), ";") {
		words := strings.Fields(directive)
		if len(words) > 0 && words[0] == "frame-ancestors" {
			given = append(given, words[1:]...)
		}
	}
	slices.Sort(given)
	slices.Sort(sources)
	if !slices.Equal(given, sources) {
		p.s.failf("the page %q may be framed by %v, want %v", p.heading(), given, sources)
	}
}
