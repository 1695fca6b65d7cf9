package tape

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hard has everything that is escaped somewhere.
const hard = `p "ä" <s>&'s/=+*~ \word`

// written are the ways in which a program may write the secret, made without
// the code under test.
func written(secret string) map[string]string {
	return map[string]string{
		"as it is":         secret,
		"in a query":       url.QueryEscape(secret),
		"in a path":        url.PathEscape(secret),
		"in a form":        url.Values{"p": {secret}}.Encode(),
		"in HTML":          html.EscapeString(secret),
		"in a JSON string": strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(secret),
		"in careful JSON":  strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", `\u0026`, "<", `\u003c`, ">", `\u003e`, "'", `\u0027`, "/", `\/`).Replace(secret),
		"in base64":        base64.StdEncoding.EncodeToString([]byte(secret)),
		"in URL base64":    base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"in hexadecimal":   hex.EncodeToString([]byte(secret)),
		"in HEXADECIMAL":   strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"in a query twice": url.QueryEscape(url.QueryEscape(secret)),
	}
}

func TestASecretIsTakenOutHoweverItIsWritten(t *testing.T) {
	for name, text := range written(hard) {
		for what, s := range map[string]*Scrubber{"[password]": ForShow(), "recorded-password": ForRecord()} {
			s.Add("Password", hard)
			clean := s.Text("before " + text + " after")
			for other, piece := range written(hard) {
				if piece != "" && strings.Contains(clean, piece) {
					t.Errorf("%s for %s: it is still there %s: %s", name, what, other, clean)
				}
			}
			if !strings.HasPrefix(clean, "before ") || !strings.HasSuffix(clean, " after") {
				t.Errorf("%s: more is gone: %q", name, clean)
			}
		}
	}
}

func TestAStandInIsWrittenAsTheSecretWas(t *testing.T) {
	s := ForRecord()
	s.Add("password", hard)
	for text, want := range map[string]string{
		"p=" + url.QueryEscape(hard) + "&q":                             "p=recorded-password&q",
		"Basic " + base64.StdEncoding.EncodeToString([]byte(hard)):      "Basic " + base64.StdEncoding.EncodeToString([]byte("recorded-password")),
		hex.EncodeToString([]byte(hard)):                                hex.EncodeToString([]byte("recorded-password")),
		"nothing of it":                                                 "nothing of it",
		html.EscapeString(hard):                                         "recorded-password",
		strings.ToUpper(hex.EncodeToString([]byte(hard))) + " and more": strings.ToUpper(hex.EncodeToString([]byte("recorded-password"))) + " and more",
	} {
		if diff := cmp.Diff(want, s.Text(text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestSecretsKeepTheirNames(t *testing.T) {
	s := ForRecord()
	var got []string
	for _, secret := range []string{"first-secret", "second-secret", "first-secret", "abc", ""} {
		got = append(got, s.Add("X-Token", secret))
	}
	s.Open("ada.lovelace")
	got = append(got, s.Add("username", "ada.lovelace"))
	want := []string{"recorded-x-token", "recorded-x-token-2", "recorded-x-token", "", "", ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if text := s.Text("first-secret second-secret ada.lovelace abc"); text != "recorded-x-token recorded-x-token-2 ada.lovelace abc" {
		t.Errorf("text %q", text)
	}
}

func TestTheLongerOfTwoSecretsIsTakenOutFirst(t *testing.T) {
	s := ForShow()
	s.Add("short", "secret")
	s.Add("long", "secret-and-more")
	if text := s.Text("secret-and-more, secret"); text != "[long], [short]" {
		t.Errorf("text %q", text)
	}
}

func TestSecretsAreKnownByTheirPlace(t *testing.T) {
	const look = "Zm9v1234567890abcdef0"
	s := ForShow()
	s.Learn(Exchange{
		Method: "POST", URL: "https://a.example/x?access_token=in-the-query&page=harmless",
		RequestHeader: http.Header{
			"Cookie": {"sid=a-cookie; lang=en"}, "Authorization": {"Bearer a-bearer"}, "X-Csrf-Token": {"a-header"},
			"Content-Type": {"application/x-www-form-urlencoded"}, "Referer": {"https://a.example/?session_id=of-the-referer"},
		},
		RequestBody: []byte("user=harmless&password=in-a-form"),
		Header: http.Header{
			"Set-Cookie": {"sid=set-cookie; Path=/", "gone=deleted; Max-Age=0"}, "Content-Type": {"application/json"},
			"Location": {"/next?nonce=a-location"},
		},
		Body: []byte(`{"user":"harmless","author":"harmless","data":[{"refreshToken":"in-json","x":"` + look + `"}]}`),
	})
	s.Learn(Exchange{Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, Body: []byte(
		`<meta name=csrf-token content=a-meta-tag><input type=hidden name=csrf value=hidden-csrf><input type=hidden name=title value=harmless>
		<input type=hidden name=state value=` + look + `x><input type=password name=p value=prefilled>`)})
	for _, secret := range []string{
		"in-the-query", "a-cookie", "a-bearer", "a-header", "of-the-referer", "in-a-form", "set-cookie", "a-location", "in-json", look,
		"a-meta-tag", "hidden-csrf", look + "x",
	} {
		if strings.Contains(s.Text(">"+secret+"<"), secret) {
			t.Errorf("%q is not known", secret)
		}
	}
	if text := s.Text("harmless deleted author"); text != "harmless deleted author" {
		t.Errorf("text %q", text)
	}
}

func FuzzScrub(f *testing.F) {
	f.Add("good-password", "a", "b")
	f.Add(hard, "%22", "\\")
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		s := ForShow()
		s.Add("password", secret)
		clean := s.Text(before + secret + after)
		if len(secret) >= Shortest && !strings.Contains("[password]", secret) && !strings.Contains(before+"[password]"+after, secret) &&
			strings.Contains(clean, secret) {
			t.Errorf("%q is left in %q", secret, clean)
		}
	})
}
