package connectortest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// walker goes through one login.
type walker struct {
	c       Case
	ctx     context.Context
	now     time.Time
	step    connector.Step // the last answer; nil before the first
	secrets []secret       // everything secret that was handed in
}

// secret is something that was handed in and must turn up nowhere.
type secret struct {
	field string // "": no field's
	value []byte
}

// redirectState is the state that redirects must carry, and bring back.
const redirectState = "connectortest-redirect-state"

// newWalker begins a login.
func newWalker(ctx context.Context, c Case) *walker {
	return &walker{c: c, ctx: ctx, now: c.start()}
}

// checkWalk goes the whole walk and returns its end.
func checkWalk(ctx context.Context, c Case) (connector.Done, []error) {
	w := newWalker(ctx, c)
	if err := w.follow(len(c.Walk)); err != nil {
		return connector.Done{}, []error{err}
	}
	done, ok := w.step.(connector.Done)
	if !ok {
		return connector.Done{}, []error{fmt.Errorf("the walk ends at a %T, want Done", w.step)}
	}
	return done, nil
}

// checkWrong goes to the place of a wrong input and demands its refusal.
func checkWrong(ctx context.Context, c Case, wrong Wrong) []error {
	w := newWalker(ctx, c)
	if err := w.follow(wrong.At); err != nil {
		return []error{err}
	}
	err := w.submit(wrong.Submission)
	if failure, ok := errors.AsType[*connector.Failure](err); ok {
		if failure.Code != wrong.Code {
			return []error{fmt.Errorf("failed with %q, want %q", failure.Code, wrong.Code)}
		}
		return nil
	}
	if err != nil {
		return []error{fmt.Errorf("want a refusal: %w", err)}
	}
	if prompt, ok := w.step.(connector.Prompt); !ok || prompt.Refused != wrong.Code {
		return []error{fmt.Errorf("answered with a %T, want one refused with %q", w.step, wrong.Code)}
	}
	return nil
}

// checkRefusals demands a wrong input of every login that begins with a
// password.
func checkRefusals(ctx context.Context, c Case) []error {
	w := newWalker(ctx, c)
	if err := w.follow(0); err != nil {
		return []error{err}
	}
	prompt, _ := w.step.(connector.Prompt)
	for _, field := range prompt.Prompt.Fields {
		if field.Type == latchkey.FieldPassword && len(c.Wrong) == 0 {
			return []error{errors.New("the case has no wrong input")}
		}
	}
	return nil
}

// checkCancellation tries every step of the walk with a context that is over:
// the answer comes at once, and no login ends by it.
func checkCancellation(ctx context.Context, c Case) []error {
	const promptly = 5 * time.Second
	var errs []error
	for at := range len(c.Walk) + 1 {
		w := newWalker(ctx, c)
		if at > 0 {
			if err := w.follow(at - 1); err != nil {
				return append(errs, err)
			}
		}
		over, cancel := context.WithCancel(ctx)
		cancel()
		w.ctx = over
		answered := make(chan error, 1)
		go func() {
			if at == 0 {
				answered <- w.advance(connector.Input{})
				return
			}
			answered <- w.submit(c.Walk[at-1])
		}()
		timer := time.NewTimer(promptly)
		select {
		case err := <-answered:
			if failure, ok := errors.AsType[*connector.Failure](err); ok {
				errs = append(errs, fmt.Errorf("step %d: a cancelled call ended the login: %s", at, failure.Code))
			}
		case <-timer.C:
			errs = append(errs, fmt.Errorf("step %d: a cancelled call did not return within %s", at, promptly))
		}
		timer.Stop()
	}
	return errs
}

// follow makes the first step and hands in the first n submissions.
func (w *walker) follow(n int) error {
	if err := w.advance(connector.Input{}); err != nil {
		return fmt.Errorf("first step: %w", err)
	}
	switch w.step.(type) {
	case connector.Prompt, connector.Redirect:
	default:
		return fmt.Errorf("first step is a %T, want a Prompt or Redirect", w.step)
	}
	if n > len(w.c.Walk) {
		return fmt.Errorf("the walk has %d submissions, not %d", len(w.c.Walk), n)
	}
	for i, submission := range w.c.Walk[:n] {
		if err := w.submit(submission); err != nil {
			return fmt.Errorf("submission %d: %w", i, err)
		}
		if prompt, ok := w.step.(connector.Prompt); ok && prompt.Refused != "" {
			return fmt.Errorf("submission %d: refused with %q", i, prompt.Refused)
		}
	}
	return nil
}

// submit hands one submission in.
func (w *walker) submit(submission Submission) error {
	w.now = w.now.Add(submission.After)
	input := connector.Input{Action: submission.Action, Method: submission.Method}
	switch step := w.step.(type) {
	case connector.Done:
		return errors.New("the login is already done")
	case connector.Redirect:
		if submission.Callback == nil {
			return errors.New("the case does not follow the redirect")
		}
		query, err := submission.Callback(context.WithoutCancel(w.ctx), step.URL)
		if err != nil {
			return fmt.Errorf("follow the redirect: %w", err)
		}
		input.Query = query
		input.Action = latchkey.ActionCallback
		for _, name := range []string{"code", "loginToken"} {
			w.secrets = append(w.secrets, secret{value: []byte(query.Get(name))})
		}
	case connector.Prompt:
		input.Action = orElse(input.Action, latchkey.ActionContinue)
		for _, field := range step.Prompt.Fields {
			if field.Type != latchkey.FieldText || field.Autocomplete == "one-time-code" {
				w.secrets = append(w.secrets, secret{field.Name, []byte(submission.Fields[field.Name])})
			}
		}
	case connector.Wait:
		input.Action = orElse(input.Action, latchkey.ActionPoll)
	}
	input.Fields = make(map[string]latchkey.Secret, len(submission.Fields))
	for name, value := range submission.Fields {
		input.Fields[name] = latchkey.NewSecret([]byte(value))
	}
	return w.advance(input)
}

// advance makes one step with an instance of its own and checks what came of
// it. It zeroes the fields afterwards, as the caller of a connector does: a
// step that still points at them shows noise.
func (w *walker) advance(input connector.Input) error {
	now := w.now
	c := w.c.New(func() time.Time { return now })
	flow := connector.Flow{
		SessionID:     "ls_connectortest",
		Environment:   latchkey.Sandbox,
		Permissions:   slices.Clone(w.c.Permissions),
		State:         bytes.Clone(stateOf(w.step)),
		CallbackURL:   orElse(w.c.CallbackURL, "https://link.latchkey.example/callback/test"),
		RedirectState: redirectState,
		HTTP:          w.c.client(),
		Now:           now,
	}
	if environments := c.Describe().Environments; !slices.Contains(environments, latchkey.Sandbox) {
		flow.Environment = latchkey.Live
	}
	step, err := c.Advance(w.ctx, flow, input)
	latchkey.ZeroAll(input.Fields)
	if err != nil {
		if w.leaks(err.Error()) {
			return errors.New("the error shows what was submitted (withheld here)")
		}
		if failure, ok := errors.AsType[*connector.Failure](err); ok && failure.Code == "" {
			return errors.New("a failure without a code")
		}
		return err
	}
	errs := checkStep(step)
	if w.leaks(shown(step)...) || w.leaksInState(step) {
		errs = append(errs, errors.New("the step's state or text holds what was submitted"))
	}
	w.step = step
	return errors.Join(errs...)
}

// leaks reports whether a text holds a secret that was submitted, as it is or
// in a usual encoding.
func (w *walker) leaks(texts ...string) bool {
	return slices.ContainsFunc(w.secrets, func(s secret) bool { return s.isIn(texts...) })
}

// leaksInState reports whether the state holds a secret that was submitted. That
// of a second factor may hold what must be sent again with it.
func (w *walker) leaksInState(step connector.Step) bool {
	prompt, ok := step.(connector.Prompt)
	secondFactor := ok && prompt.At == latchkey.StateTwoFactor
	return slices.ContainsFunc(w.secrets, func(s secret) bool {
		return s.isIn(string(stateOf(step))) && !(secondFactor && slices.Contains(w.c.Resent, s.field))
	})
}

// isIn reports whether one of the texts holds the secret.
func (s secret) isIn(texts ...string) bool {
	return slices.ContainsFunc(texts, func(text string) bool { return holds(text, s.value) })
}

// shown returns what a step shows or tells of a person. A credential
// is not in it: it goes to the vault, and may well be what was submitted.
func shown(step connector.Step) []string {
	var texts []string
	switch step := step.(type) {
	case connector.Prompt:
		texts = append(texts, promptTexts(step.Prompt)...)
	case connector.Wait:
		texts = append(texts, promptTexts(step.Prompt)...)
	case connector.Redirect:
		texts = append(texts, step.URL)
	case connector.Done:
		texts = append(texts, step.User.ID, step.User.Name, step.User.Username, step.User.Avatar)
	}
	return texts
}

// promptTexts returns what a prompt shows.
func promptTexts(prompt latchkey.Prompt) []string {
	texts := []string{prompt.Message, strings.Join(prompt.Methods, " ")}
	for _, field := range prompt.Fields {
		texts = append(texts, field.Name, field.Label)
	}
	return texts
}

// orElse returns the value, or the other where it is empty.
func orElse[T ~string](value, other T) T {
	if value == "" {
		return other
	}
	return value
}
