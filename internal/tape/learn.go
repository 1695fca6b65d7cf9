package tape

import (
	"bytes"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"github.com/go-json-experiment/json"
)

// telling are names of what is secret, whoever has named it.
var telling = regexp.MustCompile(`(?i)token|secret|passw|pwd|session_?id|csrf|xsrf|nonce|authorization|cookie|api[_-]?key|jwt|^sid$|signature`)

// random is what is secret by its look: long, without spaces, with digits.
var random = regexp.MustCompile(`^[A-Za-z0-9+/=_.~-]{20,}$`)

// isSecret reports whether a value is secret by its name or its look.
func isSecret(name, value string) bool {
	digits := strings.Count(strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return '0'
		}
		return r
	}, value), "0")
	return telling.MatchString(name) || (digits >= 4 && random.MatchString(value))
}

// Learn finds what in an exchange is secret by its place: cookies, the values
// of authorising headers, hidden inputs, members of JSON and parameters of
// URLs and forms whose names tell.
func (s *Scrubber) Learn(seen Exchange) {
	s.learnHeaders(seen)
	for _, address := range []string{seen.URL, seen.Header.Get("Location"), seen.RequestHeader.Get("Referer")} {
		if parsed, err := url.Parse(address); err == nil {
			s.learnValues(parsed.Query())
		}
	}
	s.learnBody(seen.RequestHeader, seen.RequestBody)
	s.learnBody(seen.Header, seen.Body)
}

// learnHeaders learns cookies and what authorises.
func (s *Scrubber) learnHeaders(seen Exchange) {
	answer := http.Response{Header: seen.Header}
	for _, cookie := range answer.Cookies() {
		if cookie.Value != "deleted" { // as PHP writes a cookie that it removes
			s.Add("cookie-"+cookie.Name, cookie.Value)
		}
	}
	if cookies, err := http.ParseCookie(seen.RequestHeader.Get("Cookie")); err == nil {
		for _, cookie := range cookies {
			s.Add("cookie-"+cookie.Name, cookie.Value)
		}
	}
	for _, header := range []http.Header{seen.RequestHeader, seen.Header} {
		for _, name := range slices.Sorted(maps.Keys(header)) {
			if name == "Set-Cookie" || name == "Cookie" || !telling.MatchString(name) {
				continue
			}
			for _, value := range header[name] {
				_, token, found := strings.Cut(value, " ") // a scheme and its token
				if !found {
					token = value
				}
				s.Add("header-"+name, token)
			}
		}
	}
}

// learnValues learns the values of telling names.
func (s *Scrubber) learnValues(values url.Values) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			if isSecret(name, value) {
				s.Add(name, value)
			}
		}
	}
}

// learnBody learns what in a body is secret.
func (s *Scrubber) learnBody(header http.Header, body []byte) {
	mediaType, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	switch {
	case mediaType == "application/json" || strings.HasSuffix(mediaType, "+json"):
		var tree any
		if json.Unmarshal(body, &tree) == nil {
			s.learnTree("", tree)
		}
	case mediaType == "application/x-www-form-urlencoded":
		if values, err := url.ParseQuery(string(body)); err == nil {
			s.learnValues(values)
		}
	case mediaType == "text/html" || mediaType == "application/xhtml+xml":
		page, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
		if err != nil {
			return
		}
		for _, input := range page.Find("input[type=hidden], input[type=password]").EachIter() {
			if name, value := input.AttrOr("name", "input"), input.AttrOr("value", ""); isSecret(name, value) {
				s.Add(name, value)
			}
		}
		for _, meta := range page.Find("meta[name][content]").EachIter() {
			if name := meta.AttrOr("name", ""); telling.MatchString(name) {
				s.Add(name, meta.AttrOr("content", ""))
			}
		}
	}
}

// learnTree learns the texts of telling members.
func (s *Scrubber) learnTree(name string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for _, member := range slices.Sorted(maps.Keys(value)) {
			s.learnTree(member, value[member])
		}
	case []any:
		for _, child := range value {
			s.learnTree(name, child)
		}
	case string:
		if isSecret(name, value) {
			s.Add(name, value)
		}
	}
}

// address is what an e-mail address looks like.
var address = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+`)

// LearnAddresses takes the e-mail addresses of an answer for secrets, so that
// no recording holds somebody's.
func (s *Scrubber) LearnAddresses(seen Exchange) {
	for _, found := range address.FindAllString(string(seen.Body), -1) {
		s.Add("email", found)
	}
}
