package link

import (
	"fmt"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// ConsentTextVersion names the wording that a person agrees to. It changes
// whenever the words of the authorization step change.
const ConsentTextVersion = "2026-11-1"

// consentDetail is what a record of consent keeps.
type consentDetail struct {
	ClientAppID string                `json:"clientAppId"`
	Provider    string                `json:"provider"`
	Permissions []latchkey.Permission `json:"permissions"`
	TextVersion string                `json:"textVersion"`
	Locale      string                `json:"locale,omitzero"`
	Mode        latchkey.Mode         `json:"mode"`
}

// consentRecord makes the audit record of a person's consent. It is written
// with the step that it allows, so that no credential is asked for without it.
func (l *Links) consentRecord(session *latchkey.LinkSession) (latchkey.AuditRecord, error) {
	detail, err := json.Marshal(consentDetail{
		ClientAppID: session.ClientAppID, Provider: session.Progress.Provider,
		Permissions: session.Request.Permissions, TextVersion: ConsentTextVersion, Locale: session.Request.Locale,
		Mode: session.Request.Mode,
	})
	if err != nil {
		return latchkey.AuditRecord{}, fmt.Errorf("encode consent of %s: %w", session.ID, err)
	}
	return latchkey.AuditRecord{
		OrganisationID: session.OrganisationID, Environment: session.Environment, Actor: session.ID,
		Action: latchkey.AuditConsent, Subject: session.ID, Detail: string(detail), CreatedAt: l.config.Now(),
	}, nil
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
