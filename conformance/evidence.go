package main

import (
	"net/http"
	"regexp"
	"strings"
)

// excerptLimit bounds what is shown of an answer, in characters.
const excerptLimit = 300

// secrets are what may not be shown: keys, client secrets, signing secrets,
// credentials of the sandbox, and the one-time codes of redirects.
var secrets = []struct {
	pattern *regexp.Regexp
	shown   string
}{
	{regexp.MustCompile(`\bsk_(sandbox|live)_[0-9A-Za-z]+`), "sk_${1}_…"},
	{regexp.MustCompile(`\b(cs|whsec|sbx)_[0-9A-Za-z+/=_.-]+`), "${1}_…"},
	{regexp.MustCompile(`([?&]code=)[^&\s"]+`), "${1}…"},
	{regexp.MustCompile(`("code":\s*")[^"]{12,}(")`), "${1}…${2}"},
}

// errorCode is what the third pattern above must not hide.
var errorCode = regexp.MustCompile(`"code":\s*"[A-Z_]+"`)

// blank takes the secrets out of a text.
func blank(text string) string {
	for _, secret := range secrets {
		text = secret.pattern.ReplaceAllStringFunc(text, func(found string) string {
			if errorCode.MatchString(found) {
				return found
			}
			return secret.pattern.ReplaceAllString(found, secret.shown)
		})
	}
	return text
}

// excerpt returns the beginning of an answer that can be shown on a line: of a
// page its heading, of a redirect where it leads to.
func excerpt(a answer) string {
	if location := a.header.Get("Location"); location != "" {
		return "to " + shorten(location, excerptLimit)
	}
	if strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		_, rest, _ := strings.Cut(string(a.body), "<h1")
		_, rest, _ = strings.Cut(rest, ">")
		heading, _, _ := strings.Cut(rest, "</h1>")
		return "a page: " + shorten(heading, excerptLimit)
	}
	if len(a.body) == 0 {
		return "(" + http.StatusText(a.status) + ", no body)"
	}
	return shorten(string(a.body), excerptLimit)
}
