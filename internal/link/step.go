package link

import (
	"context"
	"net/url"
	"slices"
	"time"

	"latchkey"
)

// Submission is what came in for a step. Its fields are zeroed by the caller.
type Submission struct {
	Version  int64 // the version of the session that the person saw
	Action   latchkey.Action
	Method   string // the second factor chosen
	Provider string // the provider chosen
	Fields   map[string]latchkey.Secret
	Query    url.Values // of a callback
	Seen     Witness

	returned bool // by Return, which has seen that the callback belongs to the session
}

// Witness is where a submission came from: what a record of consent keeps, as
// keyed hashes, and what tries are counted by.
type Witness struct {
	Address     string // of the person, "" when the app's backend speaks for them
	UserAgent   string
	EmbedOrigin string // of the page that embeds ours; "" for none
	Locale      string // of the words on our own page, a BCP 47 tag
	Attestor    string // id of the key that attests what the person did; "" for a click on our own page
}

// Step takes a session one step on and returns it as it then stands. With a
// conflict the session is returned too, as it stands: the submission was for
// an older version, or another is being tried, and nothing has happened.
func (l *Links) Step(ctx context.Context, secret string, submission Submission) (*latchkey.LinkSession, error) {
	session, err := l.Find(ctx, secret)
	if err != nil {
		return nil, err
	}
	return l.StepFrom(ctx, secret, session, submission)
}

// StepFrom is Step for a caller that has just read the session.
func (l *Links) StepFrom(ctx context.Context, secret string, session *latchkey.LinkSession, submission Submission,
) (*latchkey.LinkSession, error) {
	if session.State == latchkey.StateExpired {
		return l.stepExpired(ctx, secret, session)
	}
	if session.State.Final() || session.State == latchkey.StateTrying || submission.Version != session.Version {
		return session, moved()
	}
	if session.AppSuspended {
		return nil, suspended()
	}
	next, err := l.decide(ctx, session, submission)
	if latchkey.CodeOf(err) == latchkey.Conflict {
		// Somebody was faster: show what they made of it.
		if current, findErr := l.Find(ctx, secret); findErr == nil {
			return current, moved()
		}
	}
	if err != nil {
		return session, err
	}
	return next, nil
}

func moved() error {
	return latchkey.Errorf(latchkey.Conflict, "the session has moved on; look at the current step")
}

// stepExpired writes the expiry down, unless that has been done.
func (l *Links) stepExpired(ctx context.Context, secret string, session *latchkey.LinkSession,
) (*latchkey.LinkSession, error) {
	unwritten, err := l.unwritten(ctx, session)
	if err == nil && unwritten {
		err = l.expire(ctx, session)
	}
	if err != nil && latchkey.CodeOf(err) != latchkey.Conflict {
		return nil, err
	}
	session, err = l.Find(ctx, secret)
	if err != nil {
		return nil, err
	}
	return session, moved()
}

// decide is the table of what each action does at each state. What the table
// does not name is refused, and nothing happens.
func (l *Links) decide(ctx context.Context, session *latchkey.LinkSession, submission Submission,
) (*latchkey.LinkSession, error) {
	action := submission.Action
	if action == latchkey.ActionCancel {
		return l.cancel(ctx, session)
	}
	switch session.State {
	case latchkey.StatePreLogin:
		if action == latchkey.ActionContinue {
			return l.chooseProvider(ctx, session, submission.Provider)
		}
	case latchkey.StateAuthorization:
		switch action {
		case latchkey.ActionApprove, latchkey.ActionContinue:
			return l.approve(ctx, session, submission)
		case latchkey.ActionDeny:
			return l.cancel(ctx, session)
		case latchkey.ActionBack:
			if session.Request.Mode == latchkey.ModeHosted {
				return l.move(ctx, session, latchkey.StatePreLogin)
			}
		}
	case latchkey.StateLogin:
		if action == latchkey.ActionBack {
			return l.move(ctx, session, latchkey.StateAuthorization)
		}
		if action == latchkey.ActionContinue {
			return l.try(ctx, session, submission)
		}
	case latchkey.StateTwoFactor:
		if action == latchkey.ActionContinue || action == latchkey.ActionResend {
			return l.try(ctx, session, submission)
		}
	case latchkey.StateWait:
		if action == latchkey.ActionPoll || action == latchkey.ActionContinue {
			submission.Action = latchkey.ActionPoll
			return l.try(ctx, session, submission)
		}
	case latchkey.StateRedirect:
		if action == latchkey.ActionCallback && submission.returned {
			return l.try(ctx, session, submission)
		}
	}
	return nil, latchkey.InvalidField("action", "is not possible at this step")
}

// chooseProvider leaves the first page, with a provider.
func (l *Links) chooseProvider(ctx context.Context, session *latchkey.LinkSession, chosen string,
) (*latchkey.LinkSession, error) {
	if chosen == "" {
		chosen = session.Progress.Provider
	}
	if !slices.Contains(session.Request.Providers, chosen) {
		return nil, latchkey.InvalidField("provider", "must be chosen from the list")
	}
	next := l.next(session)
	next.State, next.Progress.Provider = latchkey.StateAuthorization, chosen
	return l.write(ctx, session, next, latchkey.Consequences{})
}

// move goes to a neighbouring step, forgetting what the provider has asked.
func (l *Links) move(ctx context.Context, session *latchkey.LinkSession, state latchkey.State,
) (*latchkey.LinkSession, error) {
	next := l.next(session)
	next.State, next.Flow = state, nil
	next.Progress.Prompt, next.Progress.Refused = latchkey.Prompt{}, ""
	return l.write(ctx, session, next, latchkey.Consequences{})
}

// cancel ends the session by the person's will.
func (l *Links) cancel(ctx context.Context, session *latchkey.LinkSession) (*latchkey.LinkSession, error) {
	next := l.next(session)
	next.Progress.Step = stepName(session)
	next.State, next.Progress.Failure = latchkey.StateDenied, latchkey.FailureCancelled
	return l.end(ctx, session, next, latchkey.Consequences{})
}

// end writes a session that has ended without a connection, with its event,
// shreds what it held, and promises to end a login that was never confirmed.
func (l *Links) end(ctx context.Context, from, next *latchkey.LinkSession, follows latchkey.Consequences,
) (*latchkey.LinkSession, error) {
	if err := l.conclude(from, next, &follows); err != nil {
		return nil, err
	}
	return l.write(ctx, from, next, follows)
}

// conclude shreds what a session held that ends, and adds its event.
func (l *Links) conclude(from, next *latchkey.LinkSession, follows *latchkey.Consequences) error {
	if err := l.shred(from, next, follows); err != nil {
		return err
	}
	events, err := l.sessionEvents(next)
	follows.Events = events
	return err
}

// shred empties what an ended session held.
func (l *Links) shred(from, next *latchkey.LinkSession, follows *latchkey.Consequences) error {
	revocations, err := l.abandoned(from)
	if err != nil {
		return err
	}
	follows.Revocations = append(follows.Revocations, revocations...)
	next.Flow, next.Progress.Prompt, next.Progress.RedirectURL = nil, latchkey.Prompt{}, ""
	next.Progress.Account, next.Progress.CodeHash, next.Progress.CodeEndsAt = "", "", time.Time{}
	return nil
}

// write stores a change, if the table of transitions allows it.
func (l *Links) write(ctx context.Context, from, next *latchkey.LinkSession, follows latchkey.Consequences,
) (*latchkey.LinkSession, error) {
	if !from.State.CanBecome(next.State) {
		return nil, latchkey.Errorf(latchkey.Internal, "session %s can't go from %s to %s", from.ID, from.State, next.State)
	}
	if err := l.config.Sessions.AdvanceLinkSession(ctx, next, from.Version, follows); err != nil {
		return nil, err
	}
	return next, nil
}
