package latchtest

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"
)

// Visit is a person on a hosted page, in a browser without JavaScript.
type Visit struct {
	server  *Server
	URL     string // of the page
	Answer  Answer
	Page    *goquery.Document
	Cookies []*http.Cookie // what the browser keeps of the way to a provider
	Landed  *url.URL       // where the person was sent, when that is not a page of ours
}

// Visit opens a hosted page.
func (s *Server) Visit(address string) *Visit {
	s.Helper()
	v := &Visit{server: s, URL: address}
	v.Reload()
	return v
}

// Reload loads the page again.
func (v *Visit) Reload() {
	v.server.Helper()
	request, err := http.NewRequestWithContext(v.server.Context(), http.MethodGet, v.URL, nil)
	if err != nil {
		v.server.Fatal(err)
	}
	v.take(v.server.do(request))
}

func (v *Visit) take(answer Answer) {
	v.server.Helper()
	v.Answer = answer
	page, err := goquery.NewDocumentFromReader(bytes.NewReader(answer.Body))
	if err != nil {
		v.server.Fatal(err)
	}
	v.Page = page
}

// Title returns the page's heading.
func (v *Visit) Title() string { return strings.Join(strings.Fields(v.Page.Find("h1").Text()), " ") }

// Text returns the page's readable text.
func (v *Visit) Text() string { return strings.Join(strings.Fields(v.Page.Find("body").Text()), " ") }

// Form returns the page's form as a browser would send it with the button,
// filled with pairs of field and value.
func (v *Visit) Form(action string, fields ...string) url.Values {
	v.server.Helper()
	form := v.Page.Find("form")
	if form.Length() == 0 {
		v.server.Fatalf("no form on the page %q: %s", v.Title(), v.Text())
	}
	values := url.Values{}
	form.Find("input").Each(func(_ int, input *goquery.Selection) {
		name, _ := input.Attr("name")
		kind, _ := input.Attr("type")
		_, checked := input.Attr("checked")
		if name != "" && ((kind != "radio" && kind != "checkbox") || checked) {
			value, _ := input.Attr("value")
			values.Set(name, value)
		}
	})
	if v.Page.Find(`button[name="action"][value="`+action+`"]`).Length() == 0 {
		v.server.Fatalf("no button %q on the page %q", action, v.Title())
	}
	values.Set("action", action)
	for i := 0; i+1 < len(fields); i += 2 {
		if v.Page.Find(`input[name="`+fields[i]+`"]`).Length() == 0 {
			v.server.Fatalf("no field %q on the page %q", fields[i], v.Title())
		}
		values.Set(fields[i], fields[i+1])
	}
	return values
}

// Submit presses a button and follows to the next page, or lands elsewhere.
func (v *Visit) Submit(action string, fields ...string) *Visit {
	v.server.Helper()
	return v.Post(v.Form(action, fields...))
}

// Post sends a form as it is and follows.
func (v *Visit) Post(form url.Values) *Visit {
	v.server.Helper()
	v.server.Secrets.Add("password", form.Get("password"))
	request, err := http.NewRequestWithContext(v.server.Context(), http.MethodPost, v.URL, strings.NewReader(form.Encode()))
	if err != nil {
		v.server.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	v.follow(v.server.do(request), v.URL)
	return v
}

// follow goes where an answer to a request for the address leads.
func (v *Visit) follow(answer Answer, address string) {
	v.server.Helper()
	if answer.Status != http.StatusSeeOther {
		v.take(answer)
		return
	}
	base, err := url.Parse(address)
	if err != nil {
		v.server.Fatal(err)
	}
	target, err := base.Parse(answer.Header.Get("Location"))
	if err != nil {
		v.server.Fatal(err)
	}
	if target.Host != base.Host {
		v.Answer, v.Landed = answer, target
		return
	}
	v.URL = target.String()
	v.Reload()
}

// Consent goes through the first two pages to the login.
func (v *Visit) Consent() *Visit {
	v.server.Helper()
	return v.Submit("continue").Submit("approve")
}

// Leave follows the page's link to the provider's own page, and returns where
// that is. The browser keeps the cookie that it is given on the way.
func (v *Visit) Leave() *url.URL {
	v.server.Helper()
	path, ok := v.Page.Find("a[data-provider]").Attr("href")
	if !ok {
		v.server.Fatalf("no link to the provider on the page %q: %s", v.Title(), v.Text())
	}
	answer := v.server.Want(http.StatusSeeOther, http.MethodGet, path, nil, "apikey", "")
	v.Cookies = (&http.Response{Header: answer.Header}).Cookies()
	target, err := url.Parse(answer.Header.Get("Location"))
	if err != nil {
		v.server.Fatal(err)
	}
	return target
}

// Arrive comes from the provider's own page to the address, with the cookies of
// the browser, and follows to a page of ours, or lands elsewhere.
func (v *Visit) Arrive(address string) *Visit {
	v.server.Helper()
	request, err := http.NewRequestWithContext(v.server.Context(), http.MethodGet, address, nil)
	if err != nil {
		v.server.Fatal(err)
	}
	for _, cookie := range v.Cookies {
		request.AddCookie(cookie)
	}
	v.Landed = nil
	answer := v.server.do(request)
	for _, set := range (&http.Response{Header: answer.Header}).Cookies() {
		v.Cookies = slices.DeleteFunc(v.Cookies, func(had *http.Cookie) bool { return had.Name == set.Name && set.MaxAge < 0 })
	}
	v.follow(answer, address)
	return v
}

// Bring comes to the address with the cookies, and follows nothing.
func (s *Server) Bring(address string, cookies []*http.Cookie) Answer {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), http.MethodGet, address, nil)
	if err != nil {
		s.Fatal(err)
	}
	for _, cookie := range cookies {
		request.AddCookie(cookie)
	}
	return s.do(request)
}
