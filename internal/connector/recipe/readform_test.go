package recipe

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/andybalholm/cascadia"
)

// Whatever a page says, its form leads to the site itself, is bounded, and
// comes back as it was sent.
func FuzzReadForm(f *testing.F) {
	for _, page := range []string{
		`<form id=f method=post action=/x><input name=a value=b><select name=s><option>1</select><textarea name=t>x</textarea>`,
		`<base href=//evil.example><form id=f action="?a=b"><input name=a><input type=checkbox name=c checked>`,
		`<form id=f action="https://evil.example"><input name=a>`, `<form id=f action="javascript:x">`, `<p id=f>`,
		`<form id=f action="/x#y" method=POST><button name=b value=1></button><input type=hidden name="&=" value="%">`,
		`<form id=f action="//site.example/\..//@evil.example">`, `<base href="http://user@site.example/"><form id=f method=post>`,
	} {
		f.Add(page)
	}
	base, err := url.Parse("http://site.example/app")
	if err != nil {
		f.Fatal(err)
	}
	wanted := selector{Selector: cascadia.MustCompile("#f"), source: "#f"}
	f.Fuzz(func(t *testing.T, page string) {
		from := &url.URL{Scheme: "http", Host: "site.example", Path: "/login", RawQuery: "q=1"}
		a := &answer{status: http.StatusOK, from: from, mediaType: "text/html", body: []byte(page)}
		form, err := readForm(a, base, wanted)
		if err != nil {
			return
		}
		target, err := url.Parse(form.Action)
		if err != nil || !sameOrigin(target, base) || target.Fragment != "" {
			t.Fatalf("it leads to %q", form.Action)
		}
		if len(form.Controls) > maxControls || strings.Contains(form.Page, "?") {
			t.Fatalf("%d inputs, of %s", len(form.Controls), form.Page)
		}
		encoded, err := form.encode(nil, values{})
		if err != nil {
			t.Fatal(err)
		}
		sent, err := url.ParseQuery(string(encoded))
		if err != nil {
			t.Fatalf("%v: %s", err, encoded)
		}
		want := url.Values{}
		for _, c := range form.Controls {
			if c.Sent {
				want.Add(c.Name, c.Value)
			}
		}
		if sent.Encode() != want.Encode() {
			t.Errorf("sent %v, want %v", sent, want)
		}
	})
}
