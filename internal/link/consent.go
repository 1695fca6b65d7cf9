package link

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// consentDetail is what a record of consent keeps: who asked, as it was shown,
// for what, in which words, and where it was seen. Address and user agent are
// keyed hashes.
type consentDetail struct {
	ClientAppID string                `json:"clientAppId"`
	AppName     string                `json:"appName"`
	AppDomain   string                `json:"appDomain"`
	LogoURL     string                `json:"logoUrl,omitzero"`
	Provider    string                `json:"provider"`
	Permissions []latchkey.Permission `json:"permissions"`
	TextVersion string                `json:"textVersion"`
	TextHash    string                `json:"textHash"` // SHA-256, in hexadecimal
	Locale      string                `json:"locale"`
	Mode        latchkey.Mode         `json:"mode"`
	EmbedOrigin string                `json:"embedOrigin,omitzero"`
	AttestedBy  string                `json:"attestedBy,omitzero"` // the key of the whitelabel app that showed the text
	Address     string                `json:"address,omitzero"`
	UserAgent   string                `json:"userAgent,omitzero"`
}

// consentRecord makes the audit record of a person's consent. It is written
// with the step that it allows, so that no credential is asked for without it.
func (l *Links) consentRecord(ctx context.Context, session *latchkey.LinkSession, submission Submission,
) (latchkey.AuditRecord, error) {
	app, err := l.App(ctx, session)
	if err != nil {
		return latchkey.AuditRecord{}, err
	}
	seen := submission.Seen
	if !slices.Contains(app.AllowedOrigins, seen.EmbedOrigin) {
		seen.EmbedOrigin = "" // no browser shows our page there
	}
	locale := seen.Locale
	if session.Request.Mode != latchkey.ModeHosted {
		locale = consentLocale(session.Request.Locale) // what the step told its app to show
	}
	if _, ok := consentWords[locale]; !ok {
		locale = consentLanguage
	}
	detail, err := json.Marshal(consentDetail{
		ClientAppID: session.ClientAppID, AppName: app.Name, AppDomain: app.Domain, LogoURL: app.LogoURL,
		Provider: session.Progress.Provider, Permissions: session.Request.Permissions,
		TextVersion: ConsentTextVersion, TextHash: ConsentIn(locale).Hash(), Locale: locale, Mode: session.Request.Mode,
		EmbedOrigin: seen.EmbedOrigin, AttestedBy: seen.Attestor,
		Address: l.hashed("address", seen.Address), UserAgent: l.hashed("user agent", seen.UserAgent),
	})
	if err != nil {
		return latchkey.AuditRecord{}, fmt.Errorf("encode consent of %s: %w", session.ID, err)
	}
	return latchkey.AuditRecord{
		OrganisationID: session.OrganisationID, Environment: session.Environment, Actor: session.ID,
		Action: latchkey.AuditConsent, Subject: session.ID, Detail: string(detail), CreatedAt: l.config.Now(),
	}, nil
}

func (l *Links) hashed(kind, text string) string {
	if text == "" {
		return ""
	}
	return l.config.Sealer.Fingerprint(kind, text)
}

// consentField is the field by which a whitelabel app attests which text its
// user agreed to.
const consentField = "textVersion"

// ConsentField describes the attestation of a whitelabel app.
func ConsentField() latchkey.Field {
	return latchkey.Field{
		Name: consentField, Type: latchkey.FieldText, Required: true,
		Label: "Version of the consent text that the user agreed to",
	}
}

// checkConsent takes a click on our own page, or the attestation of an app
// that showed the text itself.
func checkConsent(session *latchkey.LinkSession, submission Submission) error {
	if session.Request.Mode == latchkey.ModeHosted {
		if submission.Action != latchkey.ActionApprove {
			return latchkey.InvalidField("action", "is not possible at this step")
		}
		return nil
	}
	if string(submission.Fields[consentField].Reveal()) != ConsentTextVersion {
		return latchkey.InvalidField("fields."+consentField, "must be the version of the consent text that was shown")
	}
	return nil
}
