package hosted

import (
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// view is a Page ready to be drawn: names cleaned, defaults filled in. Its
// exported methods are what the templates call.
type view struct {
	Page
	spoken *tongue
}

func newView(page Page) (*view, error) {
	if err := checkPaths(page); err != nil {
		return nil, err
	}
	v := &view{Page: page, spoken: tongues[page.Lang]}
	if v.spoken == nil {
		v.spoken = tongues["en"]
	}
	v.Lang = v.spoken.tag
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
		"app logo": page.AppLogo, "events path": page.EventsPath,
	}
	if content, ok := page.Content.(Foreign); ok {
		paths["foreign path"] = content.Path
	}
	if content, ok := page.Content.(Redirect); ok {
		paths["path to the provider"] = content.Path
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
	case Gone, NotFound, Elsewhere, Lost, Trouble:
		return true
	}
	return false
}

// Troubled reports whether the request id is worth showing.
func (v *view) Troubled() bool {
	switch v.Content.(type) {
	case Error, Expired, Gone, NotFound, Lost, Trouble:
		return true
	}
	return false
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
func (v *view) Has(key string) bool { _, ok := v.spoken.texts[key]; return ok }

// Dir is the direction of the language: "ltr" or "rtl".
func (v *view) Dir() string { return v.spoken.dir }

// Known returns a connector's label or sentence in the language of the page
// when it is one that many connectors have, and else cleaned as it is.
func (v *view) Known(text string, limit int) string {
	if known, ok := v.spoken.texts["known."+text]; ok {
		return known
	}
	return clean(text, limit)
}

// Message is the provider's sentence above the step, "" for the usual one.
func (v *view) Message() string {
	if content, ok := v.Content.(Wait); ok {
		return v.Known(content.Message, sentenceLimit)
	}
	prompt, _ := v.prompt()
	return v.Known(prompt.Message, sentenceLimit)
}

// PageOfProvider is where a wait is ended, "" when that is no page.
func (v *view) PageOfProvider() string {
	content, ok := v.Content.(Wait)
	if !ok || !strings.HasPrefix(content.URL, "https://") {
		return ""
	}
	return content.URL
}

// privateUse is the scheme of an app on a phone: a reversed domain name
// (RFC 8252, section 7.1).
var privateUse = regexp.MustCompile(`^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+$`)

// ReturnLink is where the last page leads back to, "" when it is nowhere a
// browser should go. The schemes of apps must be let through by hand.
func (v *view) ReturnLink() template.URL {
	var target string
	switch content := v.Content.(type) {
	case Done:
		target = content.ReturnURL
	case Cancelled:
		target = content.ReturnURL
	}
	parsed, err := url.Parse(target)
	if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" && !privateUse.MatchString(parsed.Scheme) {
		return ""
	}
	return template.URL(parsed.String())
}

// PageName is the name of the page, for its script.
func (v *view) PageName() string { return v.Content.name() }

// TroubleKey is the key of the sentence for an answer that is no page.
func (v *view) TroubleKey() string {
	content, _ := v.Content.(Trouble)
	switch {
	case content.Status == http.StatusTooManyRequests || content.Status == http.StatusServiceUnavailable:
		return "trouble.busy"
	case content.Status == http.StatusForbidden || content.Status == http.StatusMethodNotAllowed:
		return "trouble.refused"
	case content.Status >= http.StatusInternalServerError:
		return "trouble.lead"
	}
	return "trouble.asked"
}

// naming is an account's name with the page that shows it.
type naming struct {
	Page *view
	Name string
}

// Naming hands a part of the page the name it shows.
func (v *view) Naming(name string) naming { return naming{v, name} }

// SearchHidden is what a search keeps of the page's query.
func (v *view) SearchHidden() []hiddenInput {
	target, err := url.Parse(v.Action)
	if err != nil {
		return nil
	}
	var kept []hiddenInput
	query := target.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		kept = append(kept, hiddenInput{name, query.Get(name)})
	}
	return kept
}

type hiddenInput struct{ Name, Value string }
