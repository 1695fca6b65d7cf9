package hosted

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"latchkey"
)

// input is one field of a prompt, ready to be drawn.
type input struct {
	ID           string
	Name         string
	Type         string // HTML input type
	Label        string
	Autocomplete string
	Required     bool
	Code         bool   // digits, typed once
	Box          bool   // to tick
	Secret       bool   // not to be corrected or shown
	Invalid      bool   // the last value was refused
	DescribedBy  string // ids of what explains it
	ShowsError   bool   // the refusal is written under this one
}

// errorID and receiverID are the ids of the refusal and of the sentence that
// says who receives the password.
const (
	errorID    = "refusal"
	receiverID = "receiver"
)

// Inputs returns the inputs of the content's prompt. A provider does not say
// which of several values was wrong, so all are marked and the reason stands
// under the last.
func (v *view) Inputs() []input {
	prompt, refused := v.prompt()
	inputs := make([]input, len(prompt.Fields))
	for i, field := range prompt.Fields {
		in := newInput(field, i)
		in.Label = orElse(v.Known(field.Label, nameLimit), clean(field.Name, nameLimit))
		in.Invalid = refused != "" && refused != latchkey.FailureProviderUnavailable && !in.Box
		in.ShowsError = in.Invalid && i == lastTyped(prompt.Fields)
		var described []string
		if in.Invalid {
			described = append(described, errorID)
		}
		if in.Secret && !in.Code {
			described = append(described, receiverID)
		}
		in.DescribedBy = strings.Join(described, " ")
		inputs[i] = in
	}
	return inputs
}

// lastTyped returns the index of the last field that is typed into, -1 when
// there is none.
func lastTyped(fields []latchkey.Field) int {
	for i := len(fields) - 1; i >= 0; i-- {
		if fields[i].Type != latchkey.FieldCheckbox {
			return i
		}
	}
	return -1
}

func newInput(field latchkey.Field, index int) input {
	in := input{
		ID: "field-" + strconv.Itoa(index+1), Name: field.Name, Type: "text",
		Required: field.Required, Autocomplete: autocompleteToken(field.Autocomplete),
	}
	switch field.Type {
	case latchkey.FieldPassword:
		in.Type, in.Secret = "password", true
		in.Autocomplete = orElse(in.Autocomplete, "current-password")
	case latchkey.FieldCheckbox:
		in.Type, in.Box = "checkbox", true
	case latchkey.FieldCode:
		in.Code, in.Secret = true, true
		in.Autocomplete = orElse(in.Autocomplete, "one-time-code")
	default:
		if field.Name == "username" {
			in.Autocomplete = orElse(in.Autocomplete, "username")
		}
		in.Autocomplete = orElse(in.Autocomplete, "off")
	}
	return in
}

// autocompleteToken returns the token, or "" for what can't be one.
func autocompleteToken(token string) string {
	for _, r := range token {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != ' ' {
			return ""
		}
	}
	return token
}

// prompt returns the prompt of the content and why the last input was refused.
func (v *view) prompt() (latchkey.Prompt, latchkey.FailureCode) {
	switch content := v.Content.(type) {
	case Login:
		return content.Prompt, content.Refused
	case TwoFactor:
		return content.Prompt, content.Refused
	case Wait:
		return latchkey.Prompt{}, content.Refused
	case Authorization:
		return latchkey.Prompt{}, content.Refused
	}
	return latchkey.Prompt{}, ""
}

// AsksPassword reports whether a password is asked for: then the page says who
// receives it, whatever the step.
func (v *view) AsksPassword() bool {
	prompt, _ := v.prompt()
	return slices.ContainsFunc(prompt.Fields, func(field latchkey.Field) bool { return field.Type == latchkey.FieldPassword })
}

// RefusedKey returns the key of the sentence for the last refusal, "" when
// there was none.
func (v *view) RefusedKey() string {
	prompt, refused := v.prompt()
	if refused == "" {
		return ""
	}
	if len(prompt.Fields) == 0 && refused == latchkey.FailureProviderUnavailable {
		return "refused.unreached" // nothing had been typed
	}
	if refused == latchkey.FailureTwoFactor && !v.CanResend() {
		return "refused.code" // nobody can be asked for another one
	}
	if key := "refused." + string(refused); v.Has(key) {
		return key
	}
	return "refused"
}

// AttemptsLeft returns how often the person may still try, 0 when it is not
// counted: the session's own count or the provider's, whichever is less.
func (v *view) AttemptsLeft() int {
	switch content := v.Content.(type) {
	case Login:
		return content.AttemptsLeft
	case TwoFactor:
		left := content.AttemptsLeft
		if code := phoneCode(content.Prompt); code != nil && code.CheckAttemptsLimit > 0 {
			if left == 0 || code.CheckAttemptsLeft < left {
				left = code.CheckAttemptsLeft
			}
		}
		return left
	}
	return 0
}

// CanResend reports whether another code may be asked for.
func (v *view) CanResend() bool {
	prompt, _ := v.prompt()
	code := phoneCode(prompt)
	return prompt.CanResend && (code == nil || code.RequestAttemptsLeft > 0)
}

// ResendsLeft returns how many codes may still be asked for, 0 when it is not
// counted.
func (v *view) ResendsLeft() int {
	prompt, _ := v.prompt()
	if code := phoneCode(prompt); code != nil {
		return code.RequestAttemptsLeft
	}
	return 0
}

// PhoneLast4 returns the last digits of the phone a code was sent to.
func (v *view) PhoneLast4() string {
	prompt, _ := v.prompt()
	if prompt.TwoFactor == nil {
		return ""
	}
	return clean(prompt.TwoFactor.PhoneLast4, 4)
}

// Methods returns the second factors to choose from, nil when there is no
// choice.
func (v *view) Methods() []string {
	prompt, _ := v.prompt()
	if len(prompt.Methods) < 2 {
		return nil
	}
	return prompt.Methods
}

func phoneCode(prompt latchkey.Prompt) *latchkey.CodeBudget {
	if prompt.TwoFactor == nil {
		return nil
	}
	return prompt.TwoFactor.PhoneCode
}

// ResendClock is the time until another code may be asked for, as a clock
// shows it; "" when that is now.
func (v *view) ResendClock() string {
	content, ok := v.Content.(TwoFactor)
	if !ok || content.ResendIn == 0 {
		return ""
	}
	return fmt.Sprintf("%d:%02d", content.ResendIn/60, content.ResendIn%60)
}
