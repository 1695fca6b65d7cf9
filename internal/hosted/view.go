package hosted

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"latchkey"
)

// view is a Page ready to be drawn: names cleaned, defaults filled in. Its
// exported methods are what the templates call.
type view struct {
	Page
	texts catalogue
}

func newView(page Page) (*view, error) {
	if err := checkPaths(page); err != nil {
		return nil, err
	}
	v := &view{Page: page, texts: catalogues["en"]}
	if v.Lang == "" {
		v.Lang = "en"
	}
	if v.Dir != "rtl" {
		v.Dir = "ltr"
	}
	if v.Theme != ThemeLight && v.Theme != ThemeDark {
		v.Theme = ThemeAuto
	}
	v.AppName = clean(page.AppName, nameLimit)
	v.AppDomain = clean(page.AppDomain, domainLimit)
	v.ProviderName = clean(page.ProviderName, nameLimit)
	v.ProviderDomain = clean(page.ProviderDomain, domainLimit)
	v.RequestID = clean(page.RequestID, nameLimit)
	return v, nil
}

func checkPaths(page Page) error {
	paths := map[string]string{
		"asset prefix": page.AssetPrefix, "form action": page.Action, "logo path": page.LogoPath,
	}
	if content, ok := page.Content.(PreLogin); ok {
		for _, choice := range content.Providers {
			paths["logo path of "+choice.ID] = choice.LogoPath
		}
	}
	for what, path := range paths {
		if err := local(what, path); err != nil {
			return err
		}
	}
	return nil
}

// ColorScheme is what the browser may paint before the stylesheet is here.
func (v *view) ColorScheme() string {
	if v.Theme == ThemeAuto {
		return "light dark"
	}
	return v.Theme
}

// Silent reports whether the page must not show who asks.
func (v *view) Silent() bool {
	switch v.Content.(type) {
	case Gone, NotFound:
		return true
	}
	return false
}

// Troubled reports whether the request id is worth showing.
func (v *view) Troubled() bool {
	switch v.Content.(type) {
	case Error, Expired, Gone, NotFound:
		return true
	}
	return false
}

// Refresh returns the seconds until the page looks again, 0 for never.
func (v *view) Refresh() int {
	switch content := v.Content.(type) {
	case Wait:
		return refreshAfter(content.RetryAfter)
	case Trying:
		return refreshAfter(content.RetryAfter)
	}
	return 0
}

func refreshAfter(seconds int) int {
	if seconds <= 0 {
		return 3
	}
	return min(seconds, 60)
}

// Monogram is the letter drawn where a logo is missing.
func (v *view) Monogram(name string) string { return monogram(clean(name, nameLimit)) }

// Name cleans a foreign name.
func (v *view) Name(name string) string { return clean(name, nameLimit) }

// Domain cleans a foreign domain.
func (v *view) Domain(domain string) string { return clean(domain, domainLimit) }

// Sentence cleans a foreign sentence.
func (v *view) Sentence(text string) string { return clean(text, sentenceLimit) }

// Has reports whether the catalogue knows the key.
func (v *view) Has(key string) bool { _, ok := v.texts[key]; return ok }

// Title returns the document's title.
func (v *view) Title() (string, error) {
	key := v.Content.name() + ".title"
	switch content := v.Content.(type) {
	case PreLogin:
		if len(content.Providers) > 1 {
			key += ".many"
		}
	case Error:
		heading, err := v.Tell(failureKey(content.Code))
		if err != nil {
			return "", err
		}
		if content.Title != "" {
			heading = v.Sentence(content.Title)
		}
		return v.Tell(key, heading)
	}
	return v.Tell(key)
}

// FailureKey returns the key of a failure's title; with ".explanation" it is
// the key of its explanation.
func (v *view) FailureKey(code latchkey.FailureCode) string { return failureKey(code) }

func failureKey(code latchkey.FailureCode) string {
	if _, ok := english["failure."+string(code)]; ok {
		return "failure." + string(code)
	}
	return "failure"
}

// Tell returns a text with its names as plain text, for titles and labels.
func (v *view) Tell(key string, args ...any) (string, error) {
	return v.fill(key, args, func(s string) string { return s }, func(s string) string { return s })
}

// Say returns a text as HTML, each name in it isolated from its surroundings
// (HTML, element bdi), so that none can turn the direction of the sentence.
func (v *view) Say(key string, args ...any) (template.HTML, error) {
	text, err := v.fill(key, args, template.HTMLEscapeString, func(s string) string {
		return `<bdi class="name">` + template.HTMLEscapeString(s) + `</bdi>`
	})
	return template.HTML(text), err
}

// fill looks the text up and puts the words in, with plain applied to what is
// ours and name to what is foreign.
func (v *view) fill(key string, args []any, plain, name func(string) string) (string, error) {
	var argument any
	if len(args) > 0 {
		argument = args[0]
	}
	text, ok := v.texts[key]
	if one, isOne := v.texts[key+".one"]; isOne && argument == 1 {
		text, ok = one, true
	}
	if !ok {
		return "", fmt.Errorf("no text %q", key)
	}
	var b strings.Builder
	for text != "" {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(plain(before))
		if !found {
			break
		}
		word, after, _ := strings.Cut(rest, "}")
		foreign, err := v.word(word, argument)
		if err != nil {
			return "", fmt.Errorf("text %q: %w", key, err)
		}
		if word == "n" {
			b.WriteString(plain(foreign))
		} else {
			b.WriteString(name(foreign))
		}
		text = after
	}
	return b.String(), nil
}

// word returns what stands for a word in braces.
func (v *view) word(word string, argument any) (string, error) {
	switch word {
	case "app":
		return orElse(v.AppName, v.texts["nobody.app"]), nil
	case "domain":
		return v.AppDomain, nil
	case "provider":
		return orElse(v.ProviderName, v.texts["nobody.provider"]), nil
	case "site":
		return orElse(v.ProviderDomain, v.texts["nobody.provider"]), nil
	case "n":
		if n, ok := argument.(int); ok {
			return strconv.Itoa(n), nil
		}
	case "x":
		if x, ok := argument.(string); ok {
			return clean(x, sentenceLimit), nil
		}
	}
	return "", fmt.Errorf("nothing stands for {%s}", word)
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
