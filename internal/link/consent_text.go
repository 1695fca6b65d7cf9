package link

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"golang.org/x/text/language"

	"latchkey"
)

// ConsentTextVersion names the wording that a person agrees to. It changes
// whenever a word of ConsentWords does; a test holds the two together.
const ConsentTextVersion = "2026-11-1"

// ConsentWords are the sentences of the authorization step in one language,
// with the names in braces: {app}, {provider}. Our pages and whitelabel apps
// show the same.
type ConsentWords struct {
	Heading     string `json:"heading"`
	ListHeading string `json:"listHeading"`
	NothingMore string `json:"nothingMore"` // when no permission is asked for
	NoReason    string `json:"noReason"`    // where the app gave no purpose
	Password    string `json:"password"`    // what is never shared
	Revoke      string `json:"revoke"`      // how to take it back
}

//go:embed consent/words.json
var consentFile []byte

// consentWords are the words by language, a BCP 47 tag.
var consentWords = readConsent()

func readConsent() map[string]ConsentWords {
	var words map[string]ConsentWords
	if err := json.Unmarshal(consentFile, &words, json.RejectUnknownMembers(true)); err != nil {
		panic(fmt.Sprintf("read the words of the consent: %v", err))
	}
	return words
}

// ConsentLanguages lists the languages that there are words in, English first.
func ConsentLanguages() []string {
	tags := slices.Sorted(maps.Keys(consentWords))
	tags = slices.DeleteFunc(tags, func(tag string) bool { return tag == consentLanguage })
	return slices.Insert(tags, 0, consentLanguage)
}

// consentLanguage stands in for every language without words of its own.
const consentLanguage = "en"

// ConsentIn returns the words in the language, or in English.
func ConsentIn(tag string) ConsentWords {
	if words, ok := consentWords[tag]; ok {
		return words
	}
	return consentWords[consentLanguage]
}

// consentMatcher finds the best language for what an app asks for.
var consentMatcher = newConsentMatcher()

func newConsentMatcher() language.Matcher {
	var tags []language.Tag
	for _, tag := range ConsentLanguages() {
		tags = append(tags, language.MustParse(tag))
	}
	return language.NewMatcher(tags)
}

// consentLocale returns the language of the words for a locale.
func consentLocale(locale string) string {
	tag, err := language.Parse(locale)
	if err != nil {
		return consentLanguage
	}
	if _, index, confidence := consentMatcher.Match(tag); confidence != language.No {
		return ConsentLanguages()[index]
	}
	return consentLanguage
}

// Hash returns the SHA-256 of the words, in hexadecimal: what a record of
// consent keeps beside the version.
func (w ConsentWords) Hash() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		w.Heading, w.ListHeading, w.NothingMore, w.NoReason, w.Password, w.Revoke,
	}, "\n")))
	return hex.EncodeToString(sum[:])
}

// Consent is what an app that has pages of its own must show at the
// authorization step, filled in, beside the permissions with their purposes.
type Consent struct {
	Locale      string          `json:"locale"` // of the words, BCP 47
	App         ConsentApp      `json:"app"`
	Provider    ConsentProvider `json:"provider"`
	Heading     string          `json:"heading"`
	ListHeading string          `json:"listHeading"`
	Promises    []string        `json:"promises"`
}

// ConsentApp is who asks, as its operator registered it.
type ConsentApp struct {
	Name    string  `json:"name"`
	Domain  string  `json:"domain"`
	LogoURL *string `json:"logoUrl"`
}

// ConsentProvider is whose account is asked for.
type ConsentProvider struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Domain string `json:"domain"`
}

// Consent returns what a session at its authorization step must show.
func (l *Links) Consent(ctx context.Context, session *latchkey.LinkSession) (Consent, error) {
	app, err := l.App(ctx, session)
	if err != nil {
		return Consent{}, err
	}
	shown := Consent{
		Locale:   consentLocale(session.Request.Locale),
		App:      ConsentApp{Name: app.Name, Domain: app.Domain, LogoURL: orNil(app.LogoURL)},
		Provider: ConsentProvider{ID: session.Progress.Provider},
	}
	if provider, ok := l.config.Connector(session.Progress.Provider); ok {
		facts := provider.Describe()
		shown.Provider.Name, shown.Provider.Domain = facts.Name, facts.Domain
	}
	words := ConsentIn(shown.Locale)
	fill := strings.NewReplacer("{app}", app.Name, "{provider}", shown.Provider.Name).Replace
	shown.Heading, shown.ListHeading = fill(words.Heading), fill(words.ListHeading)
	if len(session.Request.Permissions) == 0 {
		shown.Promises = append(shown.Promises, fill(words.NothingMore))
	}
	shown.Promises = append(shown.Promises, fill(words.Password), fill(words.Revoke))
	return shown, nil
}
