package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// approve records the consent and asks the provider for its first step.
func (l *Links) approve(ctx context.Context, session *latchkey.LinkSession, submission Submission,
) (*latchkey.LinkSession, error) {
	if err := checkConsent(session, submission); err != nil {
		return nil, err
	}
	record, err := l.consentRecord(ctx, session, submission)
	if err != nil {
		return nil, err
	}
	claimed := l.claim(session)
	claimed.Progress.ConsentedAt = claimed.UpdatedAt
	l.locate(claimed, submission.Seen)
	claimed.Flow = nil
	return l.begin(ctx, session, tried{LinkSession: claimed},
		latchkey.Consequences{Records: []latchkey.AuditRecord{record}}, connector.Input{})
}

// try claims the session, so that nobody else submits the same, hands the
// input to the provider and writes down what came of it. The two are written
// apart, unless nobody is asked: a crash between them costs an attempt, and
// never doubles one.
func (l *Links) try(ctx context.Context, session *latchkey.LinkSession, submission Submission,
) (*latchkey.LinkSession, error) {
	if err := checkFields(session.Progress.Prompt, submission); err != nil {
		return nil, err
	}
	tidyCodes(session.Progress.Prompt, submission.Fields)
	claimed := l.claim(session)
	if submission.Action == latchkey.ActionContinue {
		claimed.Progress.AttemptsLeft--
	}
	trial := tried{LinkSession: claimed, taken: l.takeFor(claimed, session.Progress.Prompt, submission)}
	next, err := l.begin(ctx, session, trial, latchkey.Consequences{Take: trial.taken}, connector.Input{
		Action: submission.Action, Method: submission.Method, Fields: submission.Fields, Query: submission.Query,
	})
	if latchkey.CodeOf(err) == latchkey.RateLimited {
		return l.tooMany(ctx, session, claimed)
	}
	return next, err
}

// tooMany refuses a try that is over the budget of its account or address. The
// provider does not see it, and it costs the session an attempt all the same.
func (l *Links) tooMany(ctx context.Context, session, claimed *latchkey.LinkSession) (*latchkey.LinkSession, error) {
	if _, err := l.write(ctx, session, claimed, latchkey.Consequences{}); err != nil {
		return nil, err
	}
	trial := tried{LinkSession: claimed}
	if claimed.Progress.AttemptsLeft <= 0 {
		return l.fail(ctx, trial, &connector.Failure{
			Code: latchkey.FailureTooManyAttempts, Reason: "the tries of the account or the address are used up",
		})
	}
	next := l.settled(claimed, claimed.Progress.Step)
	next.Progress.Refused = latchkey.FailureTooManyAttempts
	return l.write(ctx, claimed, next, latchkey.Consequences{})
}

// checkFields refuses a form that lacks what the prompt requires.
func checkFields(prompt latchkey.Prompt, submission Submission) error {
	if submission.Action != latchkey.ActionContinue {
		return nil
	}
	for _, field := range prompt.Fields {
		value, ok := submission.Fields[field.Name]
		if field.Required && (!ok || value.Empty()) {
			return latchkey.InvalidField("fields."+field.Name, "is required")
		}
		if len(value.Reveal()) > maxField {
			return latchkey.InvalidField("fields."+field.Name, "is too long")
		}
	}
	return nil
}

// tidyCodes takes the spaces and hyphens out of codes, which people copy with
// them.
func tidyCodes(prompt latchkey.Prompt, fields map[string]latchkey.Secret) {
	for _, field := range prompt.Fields {
		if value, ok := fields[field.Name]; ok && field.Type == latchkey.FieldCode {
			fields[field.Name] = latchkey.NewSecret(slices.DeleteFunc(value.Reveal(), func(c byte) bool {
				return c == ' ' || c == '-'
			}))
		}
	}
}

// maxField bounds a submitted field, in bytes.
const maxField = 4096

// claim returns the session as it stands while its input is being tried.
func (l *Links) claim(session *latchkey.LinkSession) *latchkey.LinkSession {
	claimed := l.next(session)
	claimed.Progress.Step = session.State
	claimed.State, claimed.LeaseUntil = latchkey.StateTrying, claimed.UpdatedAt.Add(tryLease)
	return claimed
}

// advance calls the connector and writes what came of it. It goes on when the
// caller goes away: what the provider has seen must be written down.
func (l *Links) advance(ctx context.Context, trial tried, input connector.Input) (*latchkey.LinkSession, error) {
	ctx = context.WithoutCancel(ctx)
	step, err := l.call(ctx, trial.LinkSession, input)
	failure, failed := errors.AsType[*connector.Failure](err)
	if wasWrong(step, failure) {
		trial.taken = nil // it stays counted
	}
	if failed {
		return l.fail(ctx, trial, failure)
	}
	if err != nil {
		return l.unavailable(ctx, trial, err)
	}
	switch step := step.(type) {
	case connector.Prompt:
		return l.show(ctx, trial, step)
	case connector.Redirect:
		return l.redirected(ctx, trial, step)
	case connector.Wait:
		next := l.settled(trial.LinkSession, latchkey.StateWait)
		next.Progress.Prompt = step.Prompt
		next.Progress.RetryAfter = max(1, int((step.After+time.Second-1)/time.Second))
		return l.remember(ctx, trial, next, step.State)
	case connector.Done:
		return l.done(ctx, trial, step)
	}
	return l.unavailable(ctx, trial, fmt.Errorf("provider %s answered with %T", trial.Progress.Provider, step))
}

// call opens the flow and lets the provider's connector do its step.
func (l *Links) call(ctx context.Context, claimed *latchkey.LinkSession, input connector.Input) (connector.Step, error) {
	provider, ok := l.config.Connector(claimed.Progress.Provider)
	if !ok {
		return nil, fmt.Errorf("provider %s is not served here", claimed.Progress.Provider)
	}
	var state []byte
	if claimed.Flow != nil {
		var err error
		if state, err = l.config.Sealer.OpenFlow(claimed.OrganisationID, claimed.ID, claimed.Flow); err != nil {
			return nil, err
		}
		defer clear(state)
	}
	if err := l.leave(claimed); err != nil {
		return nil, err
	}
	names := make([]string, len(claimed.Request.Permissions))
	for i, permission := range claimed.Request.Permissions {
		names[i] = permission.Name
	}
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	return l.ask(ctx, provider, connector.Flow{
		SessionID: claimed.ID, Environment: claimed.Environment, Permissions: names, State: state,
		CallbackURL: l.callbackURL(claimed), RedirectState: l.stateFor(claimed, input),
		HTTP: l.config.Client(claimed), Now: l.config.Now(),
	}, input)
}

// ask takes a login a step further, unless the provider is left alone.
func (l *Links) ask(ctx context.Context, provider connector.Connector, flow connector.Flow, input connector.Input,
) (connector.Step, error) {
	entered, _, ok := l.breakers.enter(provider.Describe().ID)
	if !ok {
		return nil, errStopped
	}
	step, err := provider.Advance(ctx, flow, input)
	l.breakers.leave(entered, answered(err), input.Action != "") // the first step may come without a request
	return step, err
}

// settled returns the session one version after the claim, in the state.
func (l *Links) settled(claimed *latchkey.LinkSession, state latchkey.State) *latchkey.LinkSession {
	next := l.next(claimed)
	next.State, next.LeaseUntil = state, time.Time{}
	next.Progress.Step, next.Progress.Refused, next.Progress.RetryAfter, next.Progress.RedirectURL = "", "", 0, ""
	next.Progress.RedirectVersion = 0
	return next
}

// remember seals the connector's state and writes the session.
func (l *Links) remember(ctx context.Context, trial tried, next *latchkey.LinkSession, state []byte,
) (*latchkey.LinkSession, error) {
	sealed, err := l.config.Sealer.SealFlow(trial.OrganisationID, trial.ID, state)
	clear(state)
	if err != nil {
		return nil, err
	}
	next.Flow = sealed
	return l.settle(ctx, trial, next, latchkey.Consequences{Release: trial.taken})
}

// show shows a prompt: a new question, or the old one after a refusal while
// attempts are left.
func (l *Links) show(ctx context.Context, trial tried, prompt connector.Prompt) (*latchkey.LinkSession, error) {
	if prompt.Refused != "" && trial.Progress.AttemptsLeft <= 0 {
		code := latchkey.FailureTooManyAttempts
		if trial.Progress.Step == latchkey.StateTwoFactor {
			code = latchkey.FailureTwoFactor
		}
		return l.fail(ctx, trial, &connector.Failure{Code: code, Reason: "the attempts are used up"})
	}
	next := l.settled(trial.LinkSession, prompt.At)
	next.Progress.Prompt, next.Progress.Refused = prompt.Prompt, prompt.Refused
	if prompt.Refused == "" && prompt.At == latchkey.StateTwoFactor && trial.Progress.Step != latchkey.StateTwoFactor {
		next.Progress.AttemptsLeft = attempts
	}
	return l.remember(ctx, trial, next, prompt.State)
}

// unavailable goes back to the step that was being tried, with a calm word for
// the person and the cause for the operator. Without attempts left it ends.
func (l *Links) unavailable(ctx context.Context, trial tried, cause error) (*latchkey.LinkSession, error) {
	l.config.Log.LogAttrs(ctx, slog.LevelWarn, "provider unavailable", slog.String("session", trial.ID),
		slog.String("provider", trial.Progress.Provider), slog.String("cause", cause.Error()))
	if trial.Progress.AttemptsLeft <= 0 || trial.Progress.Step == latchkey.StateRedirect {
		return l.fail(ctx, trial, &connector.Failure{Code: latchkey.FailureProviderUnavailable, Reason: cause.Error()})
	}
	next := l.settled(trial.LinkSession, trial.Progress.Step)
	next.Progress.Refused = latchkey.FailureProviderUnavailable
	return l.settle(ctx, trial, next, latchkey.Consequences{Release: trial.taken})
}

// fail ends the session without a connection.
func (l *Links) fail(ctx context.Context, trial tried, failure *connector.Failure) (*latchkey.LinkSession, error) {
	return l.failWith(ctx, trial, failure, nil)
}

// failWith ends the session without a connection, though a login that must be
// revoked came of it.
func (l *Links) failWith(ctx context.Context, trial tried, failure *connector.Failure, revocations []latchkey.Revocation,
) (*latchkey.LinkSession, error) {
	next := l.settled(trial.LinkSession, latchkey.StateFailed)
	if failure.Code == latchkey.FailureAccessDenied {
		next.State = latchkey.StateDenied
	}
	next.Progress.Step = trial.Progress.Step
	next.Progress.Failure, next.Progress.Reason = failure.Code, failure.Reason
	follows := latchkey.Consequences{Release: trial.taken, Revocations: revocations}
	if err := l.conclude(trial.LinkSession, next, &follows); err != nil {
		return nil, err
	}
	return l.settle(ctx, trial, next, follows)
}
