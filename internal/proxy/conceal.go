package proxy

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"latchkey/internal/connector"
	"latchkey/internal/vault"
)

// The shortest secrets that are masked, in bytes. What is shorter stands in an
// answer by chance; a token that was sent as such may be shorter than a cookie,
// which may as well be a setting.
const (
	shortestToken = 8
	shortestValue = 16
)

// concealment is the mask of a call: what the connector names as secret, what
// it adds to the request, and what the answer sets.
type concealment struct {
	mask   mask
	opened *vault.Opened
}

// conceal begins the mask with what the connector names. A credential that
// its connector has no word on is a secret as a whole.
func conceal(opened *vault.Opened) *concealment {
	c := &concealment{opened: opened}
	concealer, ok := opened.Connector.(connector.Concealer)
	if !ok {
		c.add(opened.Credential, shortestValue)
		return c
	}
	for _, secret := range concealer.Conceal(opened.Credential) {
		c.add(secret.Reveal(), shortestValue)
		secret.Zero()
	}
	return c
}

// add masks the value unless it says nothing: if it is short, a number, an
// address of a person, or how the person is called there.
func (c *concealment) add(value []byte, shortest int) {
	value = bytes.TrimSpace(value)
	user := c.opened.Connection.User
	known := func(name string) bool { return name != "" && strings.EqualFold(name, string(value)) }
	number := !slices.ContainsFunc(value, func(b byte) bool { return b < '0' || b > '9' })
	if len(value) < shortest || number || bytes.ContainsRune(value, '@') || known(user.ID) || known(user.Name) || known(user.Username) {
		return
	}
	c.mask.add(value)
}

// added masks what the connector has added to a request: the header was
// without any credential before.
func (c *concealment) added(before, after http.Header, queryBefore, queryAfter string) {
	for name, values := range after {
		if name == "User-Agent" || slices.Equal(values, before[name]) {
			continue
		}
		for _, value := range values {
			c.addField(name, value)
		}
	}
	if queryBefore == queryAfter {
		return
	}
	was, _ := url.ParseQuery(queryBefore)
	is, _ := url.ParseQuery(queryAfter)
	for name, values := range is {
		for _, value := range values {
			if !slices.Contains(was[name], value) && c.holds(value) {
				c.add([]byte(value), shortestToken)
			}
		}
	}
}

// addField masks the secret part of a header field.
func (c *concealment) addField(name, value string) {
	switch name {
	case "Authorization":
		if scheme, token, ok := strings.Cut(value, " "); ok && !strings.ContainsAny(scheme, "=,") {
			value = token
		}
		c.add([]byte(value), shortestToken)
	case "Cookie":
		for pair := range strings.SplitSeq(value, ";") {
			_, value, _ := strings.Cut(pair, "=")
			c.add([]byte(strings.Trim(value, `" `)), shortestValue)
		}
	default:
		if c.holds(value) { // the others are fixed, as the version of an API
			c.add([]byte(value), shortestToken)
		}
	}
}

// holds reports whether the value is a part of the credential, as it is or as
// JSON writes it.
func (c *concealment) holds(value string) bool {
	credential := c.opened.Credential
	quoted, err := jsontext.AppendQuote(nil, value)
	if err != nil {
		return bytes.Contains(credential, []byte(value))
	}
	quoted = quoted[1 : len(quoted)-1]
	return bytes.Contains(credential, []byte(value)) || bytes.Contains(credential, quoted) ||
		bytes.Contains(credential, []byte(forHTML.Replace(string(quoted))))
}

// forHTML is how JSON is written that may stand in a page.
var forHTML = strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`)

// set masks the cookies that an answer sets.
func (c *concealment) set(answer *http.Response) {
	for _, field := range []string{"Set-Cookie", "Set-Cookie2"} {
		for _, value := range answer.Header.Values(field) {
			_, value, _ = strings.Cut(value, "=")
			value, _, _ = strings.Cut(value, ";")
			c.add([]byte(strings.Trim(value, `" `)), shortestValue)
		}
	}
}

// text returns the bytes masked.
func (c *concealment) text(p []byte) []byte {
	shown := bytes.Clone(p)
	c.mask.hide(shown)
	return shown
}
