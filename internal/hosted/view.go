package hosted

import (
	"regexp"
)

// languageTag is the shape of a BCP 47 tag (RFC 5646 §2.1), roughly.
var languageTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$`)

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
	if !languageTag.MatchString(v.Lang) {
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
