package latchkey

// FieldType is how a field is drawn.
type FieldType string

// The types of fields.
const (
	FieldText     FieldType = "text"
	FieldPassword FieldType = "password"
	FieldCode     FieldType = "code"     // digits, typed once
	FieldCheckbox FieldType = "checkbox" // a box to tick: `true` when it is, else not sent
)

// Field is one input of a step, for our pages and for whitelabel apps alike.
type Field struct {
	Name         string    `json:"name"`
	Type         FieldType `json:"type"`
	Label        string    `json:"label"`
	Autocomplete string    `json:"autocomplete,omitzero"` // an HTML autocomplete token
	Required     bool      `json:"required"`
}

// Prompt is what a step asks for. It holds no secret and is stored as it is.
type Prompt struct {
	Fields    []Field         `json:"fields"`
	Methods   []string        `json:"methods,omitzero"`   // second factors to choose from
	Message   string          `json:"message,omitzero"`   // a plain sentence above the fields
	CanResend bool            `json:"canResend,omitzero"` // another code can be asked for
	URL       string          `json:"url,omitzero"`       // of the provider's page where a wait is ended, as a face check; http or https
	TwoFactor *TwoFactorState `json:"twoFactor,omitzero"` // for the second factor
}

// TwoFactorState is the published shape of a wanted second factor.
type TwoFactorState struct {
	Options    []string    `json:"options"` // phone, app, email, face, forceFace, push
	PhoneCode  *CodeBudget `json:"phoneCode,omitzero"`
	FaceCode   *FaceBudget `json:"faceCode,omitzero"`
	PhoneLast4 string      `json:"phoneLast4,omitzero"`
}

// CodeBudget counts what is left of a code sent by phone or e-mail.
type CodeBudget struct {
	RequestAttemptsLimit int    `json:"requestAttemptsLimit"`
	RequestAttemptsLeft  int    `json:"requestAttemptsLeft"`
	CheckAttemptsLimit   int    `json:"checkAttemptsLimit,omitzero"`
	CheckAttemptsLeft    int    `json:"checkAttemptsLeft,omitzero"`
	ExpirationDate       string `json:"expirationDate,omitzero"` // RFC 3339, UTC, milliseconds
	ExpirationSeconds    int    `json:"expirationSeconds,omitzero"`
	LastSentDate         string `json:"lastSentDate,omitzero"` // RFC 3339, UTC, milliseconds
}

// FaceBudget counts what is left of face checks.
type FaceBudget struct {
	RequestAttemptsLimit int `json:"requestAttemptsLimit"`
	RequestAttemptsLeft  int `json:"requestAttemptsLeft"`
}
