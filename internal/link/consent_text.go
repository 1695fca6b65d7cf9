package link

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"latchkey"
)

// ConsentTextVersion names the wording that a person agrees to. It changes
// whenever a word of ConsentWords does; a test holds the two together.
const ConsentTextVersion = "2026-11-1"

// ConsentWords are the sentences of the authorization step, with the names in
// braces: {app}, {provider}. Our pages and whitelabel apps show the same.
type ConsentWords struct {
	Heading     string
	ListHeading string
	NothingMore string // when no permission is asked for
	NoReason    string // where the app gave no purpose
	Password    string // what is never shared
	Revoke      string // how to take it back
}

// EnglishConsent returns the words in English.
func EnglishConsent() ConsentWords {
	return ConsentWords{
		Heading:     "Allow {app} to use your {provider} account?",
		ListHeading: "What {app} could do",
		NothingMore: "{app} only learns which account is yours.",
		NoReason:    "{app} gave no reason.",
		Password:    "Your password is never shown to {app}.",
		Revoke: "You can take this back at any time: disconnect the account in {app}, " +
			"or end the session in the security settings of {provider}.",
	}
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
		Locale:   "en",
		App:      ConsentApp{Name: app.Name, Domain: app.Domain, LogoURL: orNil(app.LogoURL)},
		Provider: ConsentProvider{ID: session.Progress.Provider},
	}
	if provider, ok := l.config.Connector(session.Progress.Provider); ok {
		facts := provider.Describe()
		shown.Provider.Name, shown.Provider.Domain = facts.Name, facts.Domain
	}
	words := EnglishConsent()
	fill := strings.NewReplacer("{app}", app.Name, "{provider}", shown.Provider.Name).Replace
	shown.Heading, shown.ListHeading = fill(words.Heading), fill(words.ListHeading)
	if len(session.Request.Permissions) == 0 {
		shown.Promises = append(shown.Promises, fill(words.NothingMore))
	}
	shown.Promises = append(shown.Promises, fill(words.Password), fill(words.Revoke))
	return shown, nil
}
