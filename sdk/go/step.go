package latchkey

import (
	"fmt"
	"time"
)

// StepName names a step of a session.
type StepName string

// The steps.
const (
	StepPreLogin      StepName = "pre-login"     // which provider
	StepAuthorization StepName = "authorization" // consent
	StepLogin         StepName = "login"
	StepTwoFactor     StepName = "2fa"
	StepRedirect      StepName = "redirect" // send the person to the URL
	StepWait          StepName = "wait"     // look again after RetryAfter
	StepConfirm       StepName = "confirm"  // the backend confirms
)

// Step is what a session wants next. A whitelabel app draws it and answers
// with Submit.
type Step struct {
	Name         StepName     `json:"name"`
	Version      int64        `json:"version"` // goes into the Submission
	Fields       []Field      `json:"fields,omitempty"`
	Methods      []string     `json:"methods,omitempty"` // second factors to choose from
	Message      string       `json:"message,omitempty"`
	CanResend    bool         `json:"canResend,omitempty"`    // another code can be asked for
	AttemptsLeft *int         `json:"attemptsLeft,omitempty"` // nil: not counted at this step
	Refused      FailureCode  `json:"refused,omitempty"`      // why the last input did not do
	Permissions  []Permission `json:"permissions,omitempty"`
	TextVersion  string       `json:"textVersion,omitempty"` // of the consent, to be submitted with it
	Consent      *Consent     `json:"consent,omitempty"`     // StepAuthorization
	URL          string       `json:"url,omitempty"`         // StepRedirect
	RetryAfter   int          `json:"retryAfter,omitempty"`  // seconds
}

// FieldType is how a field is drawn.
type FieldType string

// The types of fields.
const (
	FieldText     FieldType = "text"
	FieldPassword FieldType = "password"
	FieldCode     FieldType = "code"     // digits, typed once
	FieldCheckbox FieldType = "checkbox" // a box to tick: `true` when it is, else not sent
)

// Field is one input of a step.
type Field struct {
	Name         string    `json:"name"`
	Type         FieldType `json:"type"`
	Label        string    `json:"label"`
	Autocomplete string    `json:"autocomplete,omitempty"` // an HTML autocomplete token
	Required     bool      `json:"required"`
}

// Permission is something a connection lets the app do, and why the app wants
// it, in words for the person who is asked.
type Permission struct {
	Name    string `json:"name"` // for example profile:read
	Purpose string `json:"purpose"`
}

// Consent is what the person agrees to, in plain words already filled in.
type Consent struct {
	Locale      string          `json:"locale"`
	App         ConsentApp      `json:"app"`
	Provider    ConsentProvider `json:"provider"`
	Heading     string          `json:"heading"`
	ListHeading string          `json:"listHeading"` // above the permissions
	Promises    []string        `json:"promises"`
}

// ConsentApp is who asks.
type ConsentApp struct {
	Name    string  `json:"name"`
	Domain  string  `json:"domain"`
	LogoURL *string `json:"logoUrl"`
}

// ConsentProvider is whose account is linked.
type ConsentProvider struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Domain string `json:"domain"`
}

// TwoFactorState tells of a wanted second factor.
type TwoFactorState struct {
	Options    []string   `json:"options"` // phone, app, email, face, forceFace, push
	PhoneCode  *PhoneCode `json:"phoneCode,omitempty"`
	FaceCode   *FaceCode  `json:"faceCode,omitempty"`
	PhoneLast4 string     `json:"phoneLast4,omitempty"`
}

// PhoneCode counts what is left of a code sent by phone or e-mail.
type PhoneCode struct {
	RequestAttemptsLimit int        `json:"requestAttemptsLimit"`
	RequestAttemptsLeft  int        `json:"requestAttemptsLeft"`
	CheckAttemptsLimit   int        `json:"checkAttemptsLimit,omitempty"`
	CheckAttemptsLeft    int        `json:"checkAttemptsLeft,omitempty"`
	ExpirationDate       *time.Time `json:"expirationDate,omitempty"`
	ExpirationSeconds    int        `json:"expirationSeconds,omitempty"`
	LastSentDate         *time.Time `json:"lastSentDate,omitempty"`
}

// FaceCode counts what is left of face checks.
type FaceCode struct {
	RequestAttemptsLimit int `json:"requestAttemptsLimit"`
	RequestAttemptsLeft  int `json:"requestAttemptsLeft"`
}

// Action is what a submission asks for.
type Action string

// The actions. Empty is ActionContinue.
const (
	ActionContinue Action = "continue" // go on, with the fields
	ActionApprove  Action = "approve"  // consent
	ActionDeny     Action = "deny"     // refuse consent
	ActionResend   Action = "resend"   // send another code
	ActionBack     Action = "back"     // one step back
	ActionCancel   Action = "cancel"   // give up
	ActionPoll     Action = "poll"     // see whether what is waited for has happened
)

// Submission answers a step.
type Submission struct {
	Version int64             `json:"version"` // of the step that was shown
	Fields  map[string]string `json:"fields,omitempty"`
	Action  Action            `json:"action,omitempty"`
	Method  string            `json:"method,omitempty"` // of a step with Methods
}

// Format keeps what a person typed out of logs, for every verb of fmt.
func (s Submission) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "latchkey.Submission{%d %s}", s.Version, s.Action)
}
