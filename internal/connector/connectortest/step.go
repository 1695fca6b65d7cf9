package connectortest

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// maxState bounds the state of a login: it is sealed and stored at every step.
const maxState = 16 << 10

// checkStep checks what a step shows and keeps.
func checkStep(step connector.Step) []error {
	var errs []error
	switch step := step.(type) {
	case connector.Prompt:
		errs = checkPrompt(step)
	case connector.Redirect:
		if target, err := url.Parse(step.URL); err != nil || !safeTarget(target) {
			errs = append(errs, errors.New("a redirect leads to no absolute https URL"))
		}
	case connector.Wait:
		if step.After <= 0 || step.After > time.Minute {
			errs = append(errs, fmt.Errorf("a wait of %s: want more than nothing and at most a minute", step.After))
		}
		errs = append(errs, checkTwoFactor(step.Prompt)...)
	case connector.Done:
		return checkDone(step)
	default:
		return []error{fmt.Errorf("a step of type %T: want a Prompt, Redirect, Wait or Done value", step)}
	}
	if state := stateOf(step); len(state) == 0 || len(state) > maxState {
		errs = append(errs, fmt.Errorf("a state of %d bytes: want 1 to %d", len(state), maxState))
	}
	return errs
}

// checkPrompt checks a question.
func checkPrompt(step connector.Prompt) []error {
	var errs []error
	if step.At != latchkey.StateLogin && step.At != latchkey.StateTwoFactor {
		errs = append(errs, fmt.Errorf("a prompt at %q: want login or 2fa", step.At))
	}
	if len(step.Prompt.Fields) == 0 && len(step.Prompt.Methods) == 0 {
		errs = append(errs, errors.New("a prompt asks for nothing"))
	}
	if (step.At == latchkey.StateTwoFactor) != (step.Prompt.TwoFactor != nil) {
		errs = append(errs, errors.New("a prompt tells the second factor's state at 2fa, and only there"))
	}
	var names []string
	for _, field := range step.Prompt.Fields {
		if slices.Contains(names, field.Name) {
			errs = append(errs, fmt.Errorf("two fields are called %q", field.Name))
		}
		names = append(names, field.Name)
		errs = append(errs, checkField(field)...)
	}
	return append(errs, checkTwoFactor(step.Prompt)...)
}

// checkField checks that a field can be drawn, filled in by a password manager
// and posted by our pages, which keep some names for themselves.
func checkField(field latchkey.Field) []error {
	var errs []error
	if !idPattern.MatchString(strings.ToLower(field.Name)) {
		errs = append(errs, fmt.Errorf("field name %q", field.Name))
	}
	if slices.Contains([]string{"action", "version", "method", "provider"}, field.Name) {
		errs = append(errs, fmt.Errorf("field name %q belongs to the form", field.Name))
	}
	if strings.TrimSpace(field.Label) == "" {
		errs = append(errs, fmt.Errorf("field %q has no label", field.Name))
	}
	want := ""
	switch field.Type {
	case latchkey.FieldText:
		return errs
	case latchkey.FieldCheckbox:
		if field.Required {
			errs = append(errs, fmt.Errorf("box %q must be ticked: want a free choice", field.Name))
		}
	case latchkey.FieldPassword:
		want = "current-password"
	case latchkey.FieldCode:
		want = "one-time-code"
	default:
		return append(errs, fmt.Errorf("field %q has the unknown type %q", field.Name, field.Type))
	}
	if field.Autocomplete != want {
		errs = append(errs, fmt.Errorf("field %q of type %s has autocomplete %q, want %q", field.Name, field.Type, field.Autocomplete, want))
	}
	return errs
}

// checkTwoFactor checks what is told of a second factor, if it is wanted.
func checkTwoFactor(prompt latchkey.Prompt) []error {
	second := prompt.TwoFactor
	if second == nil {
		return nil
	}
	var errs []error
	if len(second.Options) == 0 {
		errs = append(errs, errors.New("a second factor without options"))
	}
	for _, method := range prompt.Methods {
		if !slices.Contains(second.Options, method) {
			errs = append(errs, fmt.Errorf("method %q is not among the options", method))
		}
	}
	if code := second.PhoneCode; code != nil && (code.RequestAttemptsLeft < 0 || code.RequestAttemptsLeft > code.RequestAttemptsLimit ||
		code.CheckAttemptsLeft < 0 || code.CheckAttemptsLeft > code.CheckAttemptsLimit) {
		errs = append(errs, errors.New("what is left of the phone code is not within its limits"))
	}
	if face := second.FaceCode; face != nil && (face.RequestAttemptsLeft < 0 || face.RequestAttemptsLeft > face.RequestAttemptsLimit) {
		errs = append(errs, errors.New("what is left of the face check is not within its limit"))
	}
	return errs
}

// checkDone checks the end of a login.
func checkDone(done connector.Done) []error {
	var errs []error
	if done.User.ID == "" || done.User.Username == "" {
		errs = append(errs, errors.New("a linked account needs an id and a username"))
	}
	if len(done.Credential.Secret) == 0 {
		errs = append(errs, errors.New("a linked account needs a credential"))
	}
	if done.User.Avatar != "" {
		if avatar, err := url.Parse(done.User.Avatar); err != nil || !safeTarget(avatar) {
			errs = append(errs, errors.New("the avatar is no absolute https URL"))
		}
	}
	return errs
}

// safeTarget reports whether a browser may be sent there: https, or http to
// this machine, where a test's peer lives; never with a user's name in it.
func safeTarget(target *url.URL) bool {
	host := target.Hostname()
	local := host == "127.0.0.1" || host == "localhost" || host == "::1"
	return host != "" && target.User == nil && (target.Scheme == "https" || target.Scheme == "http" && local)
}

// stateOf returns what a step wants to remember.
func stateOf(step connector.Step) []byte {
	switch step := step.(type) {
	case connector.Prompt:
		return step.State
	case connector.Redirect:
		return step.State
	case connector.Wait:
		return step.State
	}
	return nil
}
