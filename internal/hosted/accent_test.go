package hosted

import (
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// grounds are what link.css puts behind texts and controls.
var grounds = struct{ light, dark []string }{
	light: []string{"ffffff", "eef2f1", "f3f7f6"}, dark: []string{"171f1e", "0e1413", "1e2826"},
}

// unreadable lists what can't be read with an accent.
func unreadable(accent colour) []string {
	var found []string
	light, dark := paints(accent)
	for scheme, c := range map[string]struct {
		paint
		grounds []string
	}{"light": {light, grounds.light}, "dark": {dark, grounds.dark}} {
		least := func(what string, one, other colour, enough float64) {
			if got := contrast(one, other); got < enough {
				found = append(found, fmt.Sprintf("%s, %s: %s %s on %s has %.2f", accent, scheme, what, one, other, got))
			}
		}
		least("the text", c.onFill, c.fill, legible)
		least("the text", c.onFill, c.fillStrong, legible)
		for _, text := range c.grounds {
			ground, _ := parseColour(text)
			least("the link", c.accent, ground, legible)
			least("the button", c.fill, ground, 3) // WCAG 2.2, success criterion 1.4.11
		}
	}
	return found
}

func TestAnyAccentCanBeRead(t *testing.T) {
	violations, colours := 0, 0
	check := func(t interface{ Error(...any) }, accent colour) {
		colours++
		for _, found := range unreadable(accent) {
			violations++
			t.Error(found)
		}
	}
	for i := range 4096 { // a grid with its corners, and then any
		check(t, rgb(uint8(i>>8)*17, uint8(i>>4&15)*17, uint8(i&15)*17))
	}
	rapid.Check(t, func(rt *rapid.T) {
		check(rt, rgb(rapid.Uint8().Draw(rt, "red"), rapid.Uint8().Draw(rt, "green"), rapid.Uint8().Draw(rt, "blue")))
	})
	fmt.Printf("RESULT B-10.contrast %d 0\nRESULT B-10.contrast.n %d 4000\n", violations, colours)
}

func TestAReadableAccentIsKept(t *testing.T) {
	for _, accent := range []string{"0f5c5c", "7a0000", "3b2f80"} {
		own, _ := parseColour(accent)
		if light, _ := paints(own); light.fill.String() != "#"+accent {
			t.Errorf("#%s becomes %s", accent, light.fill)
		}
	}
}

func TestTheGroundsAreThoseOfTheStylesheet(t *testing.T) {
	css, err := static.ReadFile("static/link.css")
	if err != nil {
		t.Fatal(err)
	}
	pair := regexp.MustCompile(`--(ground|card|sunken): light-dark\(#([0-9a-f]{6}), #([0-9a-f]{6})\)`)
	found := pair.FindAllStringSubmatch(string(css), -1)
	if len(found) != 3 {
		t.Fatalf("the stylesheet has %d grounds", len(found))
	}
	for _, match := range found {
		if !strings.Contains(strings.Join(grounds.light, " "), match[2]) || !strings.Contains(strings.Join(grounds.dark, " "), match[3]) {
			t.Errorf("the ground %s is light-dark(#%s, #%s)", match[1], match[2], match[3])
		}
	}
}

func TestTheStylesheetOfAnAccent(t *testing.T) {
	serve := func(file string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/static/accent/x", nil)
		r.SetPathValue("file", file)
		w := httptest.NewRecorder()
		serveAccent(w, r)
		return w
	}
	answer := serve("ffd400.css")
	whole := regexp.MustCompile(`^:root\{(--[a-z-]+:#[0-9a-f]{6};){4}\}@supports \(color:light-dark\(#000,#fff\)\)\{:root\{(--[a-z-]+:light-dark\(#[0-9a-f]{6},#[0-9a-f]{6}\);){4}\}\}\n$`)
	if answer.Code != 200 || !whole.MatchString(answer.Body.String()) || answer.Header().Get("Cache-Control") != immutable {
		t.Errorf("%d %v %s", answer.Code, answer.Header(), answer.Body)
	}
	for _, file := range []string{"", ".css", "ffd400", "FFD400.css", "ffd4.css", "ffd40000.css", "gggggg.css", "ffd400.css.css", "}body{.css", "ffd400;x.css"} {
		if answer := serve(file); answer.Code != 404 {
			t.Errorf("%q is answered %d", file, answer.Code)
		}
	}
	for registered, want := range map[string]string{"#12aBcF": "12abcf", "": "", "red": "", "#123": ""} {
		if got := accentOf(registered); got != want {
			t.Errorf("%q is the accent %q, want %q", registered, got, want)
		}
	}
}
