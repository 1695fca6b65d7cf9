package main

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// page is a hosted page as a browser without JavaScript sees it.
type page struct {
	s        *suite
	address  string // its own
	answer   answer
	document *goquery.Document
	landed   *url.URL // where the person was sent, when that is no page of the session
}

// open loads a hosted page.
func (s *suite) open(address string) *page {
	p := &page{s: s, address: address}
	p.read(s.send(http.MethodGet, address, nil))
	return p
}

// reload loads the page again.
func (p *page) reload() *page { return p.s.open(p.address) }

// read takes an answer for the page.
func (p *page) read(got answer) {
	document, err := goquery.NewDocumentFromReader(bytes.NewReader(got.body))
	if err != nil {
		p.s.failf("the page can't be read: %v", err)
	}
	p.answer, p.document = got, document
}

// offers reports whether the page has a button with the action.
func (p *page) offers(action string) bool {
	return p.document.Find(`form button[name="action"][value="`+action+`"]`).Length() > 0
}

// wants reports whether the page has an input with the name.
func (p *page) wants(field string) bool {
	return p.document.Find(`form input[name="`+field+`"]`).Length() > 0
}

// words returns the readable text of the page.
func (p *page) words() string {
	return strings.Join(strings.Fields(p.document.Find("body").Text()), " ")
}

// heading returns the page's own heading.
func (p *page) heading() string {
	return strings.Join(strings.Fields(p.document.Find("h1").First().Text()), " ")
}

// version returns the version that the page's form carries.
func (p *page) version() int {
	written, _ := p.document.Find(`form input[type="hidden"][name="version"]`).First().Attr("value")
	version, err := strconv.Atoi(written)
	if err != nil {
		p.s.failf("the page %q has no hidden version", p.heading())
	}
	return version
}

// form returns the values that a browser would send when the button is
// pressed, with the inputs filled by pairs of name and value.
func (p *page) form(action string, fields ...string) url.Values {
	button := p.document.Find(`form button[name="action"][value="` + action + `"]`).First()
	if button.Length() == 0 {
		if p.s.core && p.document.Find("form").Length() == 0 {
			p.s.leaveOut("the hosted page is no plain form")
		}
		p.s.failf("the page %q has no button %q", p.heading(), action)
	}
	values := url.Values{"action": {action}}
	button.Closest("form").Find("input").Each(func(_ int, input *goquery.Selection) {
		name, kind := input.AttrOr("name", ""), input.AttrOr("type", "text")
		_, checked := input.Attr("checked")
		if name != "" && (checked || !slices.Contains([]string{"radio", "checkbox"}, kind)) {
			values.Set(name, input.AttrOr("value", ""))
		}
	})
	for i := 0; i+1 < len(fields); i += 2 {
		if !p.wants(fields[i]) {
			p.s.failf("the page %q has no input %q", p.heading(), fields[i])
		}
		values.Set(fields[i], fields[i+1])
	}
	return values
}

// post sends a form to the page's own address.
func (p *page) post(values url.Values) answer {
	return p.s.send(http.MethodPost, p.address, values.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// press presses a button and goes where the answer leads: to the next page of
// the session, or elsewhere.
func (p *page) press(action string, fields ...string) *page {
	return p.follow(p.post(p.form(action, fields...)))
}

// follow goes where an answer to a form leads.
func (p *page) follow(got answer) *page {
	got.want(http.StatusSeeOther)
	base, err := url.Parse(p.address)
	if err != nil {
		p.s.failf("the page has no address: %v", err)
	}
	target, err := base.Parse(got.header.Get("Location"))
	if err != nil {
		p.s.failf("the form leads to %q: %v", got.header.Get("Location"), err)
	}
	if target.Host != base.Host || target.Path != base.Path {
		return &page{s: p.s, address: p.address, answer: got, document: p.document, landed: target}
	}
	return p.s.open(target.String())
}

// atConsent goes from the first page to the one that asks for consent.
func (p *page) atConsent() *page { return p.press("continue") }

// atLogin goes from the first page to the login.
func (p *page) atLogin() *page { return p.atConsent().press("approve") }

// finish goes on to the end with an address and a password, and wherever a
// code is wanted with the right one.
func (p *page) finish(address, password string) *page {
	for range 30 {
		switch {
		case p.landed != nil:
			return p
		case p.wants("username"):
			p = p.press("continue", "username", address, "password", password)
		case p.wants("code"):
			p = p.press("continue", "code", goodCode)
		case p.offers("approve"):
			p = p.press("approve")
		case p.offers("poll"):
			p.s.pause(500 * time.Millisecond)
			p = p.press("poll")
		default:
			p = p.press("continue")
		}
	}
	p.s.failf("the page %q leads to no end", p.heading())
	return p
}

// parameters returns the query that the person was sent back with.
func (p *page) parameters() url.Values {
	if p.landed == nil {
		p.s.failf("the person is on the page %q, want back at the app", p.heading())
	}
	return p.landed.Query()
}
