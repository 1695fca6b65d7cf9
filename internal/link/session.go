package link

import (
	"context"

	"latchkey"
)

// Find returns the session that a client secret opens, as it stands now: past
// its time it is expired, and a try whose lease has ended is back at its step.
// It writes nothing. A deleted session is not found.
func (l *Links) Find(ctx context.Context, secret string) (*latchkey.LinkSession, error) {
	if !latchkey.ValidID(secret, latchkey.PrefixClientSecret) {
		return nil, latchkey.Errorf(latchkey.NotFound, "no such session")
	}
	session, err := l.config.Sessions.LinkSessionBySecret(ctx, latchkey.HashClientSecret(secret))
	if err != nil {
		return nil, err
	}
	return l.asOfNow(session)
}

// FindByID is Find for the caller's own session, by its ls_ id.
func (l *Links) FindByID(ctx context.Context, caller latchkey.Caller, id string) (*latchkey.LinkSession, error) {
	if !latchkey.ValidID(id, latchkey.PrefixSession) {
		return nil, latchkey.Errorf(latchkey.NotFound, "no such session")
	}
	session, err := l.config.Sessions.LinkSession(ctx, caller.OrganisationID, caller.Environment, id)
	if err != nil {
		return nil, err
	}
	return l.asOfNow(session)
}

// asOfNow lets time pass over a stored session.
func (l *Links) asOfNow(session *latchkey.LinkSession) (*latchkey.LinkSession, error) {
	if session.Progress.Deleted {
		return nil, latchkey.Errorf(latchkey.NotFound, "no such session")
	}
	now := l.config.Now()
	if session.State == latchkey.StateTrying && !now.Before(session.LeaseUntil) {
		session.State = session.Progress.Step
	}
	if !session.State.Final() && session.State != latchkey.StateTrying && !now.Before(session.ExpiresAt) {
		session.Progress.Step = stepName(session)
		session.Progress.Failure = latchkey.FailureSessionExpired
		session.State = latchkey.StateExpired
	}
	return session, nil
}

// stepName returns the step of the published names at which a session is.
func stepName(session *latchkey.LinkSession) latchkey.State {
	switch session.State {
	case latchkey.StateTrying:
		return session.Progress.Step
	case latchkey.StateRedirect:
		return latchkey.StateLogin
	case latchkey.StateWait:
		if session.Progress.Prompt.TwoFactor != nil {
			return latchkey.StateTwoFactor
		}
		return latchkey.StateLogin
	}
	return session.State
}

// StepOf returns the step at which a session is or ended, by the published
// names; "" when it is completed.
func StepOf(session *latchkey.LinkSession) latchkey.State {
	switch {
	case session.State == latchkey.StateCompleted:
		return ""
	case session.State.Final(), session.State == latchkey.StateTrying:
		return session.Progress.Step
	}
	return session.State
}

// Delete ends a session for its app and shreds what it held. Again, or
// unknown: nothing happens.
func (l *Links) Delete(ctx context.Context, secret string) error {
	for {
		session, err := l.Find(ctx, secret)
		if latchkey.CodeOf(err) == latchkey.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		next := l.next(session)
		var follows latchkey.Consequences
		ends := !session.State.Final()
		if ends {
			next.Progress.Step = stepName(session)
			next.State, next.Progress.Failure = latchkey.StateDenied, latchkey.FailureCancelled
		} else if session.State == latchkey.StateExpired {
			if ends, err = l.unwritten(ctx, session); err != nil {
				return err
			}
		}
		if ends {
			if follows.Events, err = l.sessionEvents(next); err != nil {
				return err
			}
		}
		if err := l.shred(session, next, &follows); err != nil {
			return err
		}
		next.Progress.Deleted, next.Progress.UserData = true, nil
		err = l.config.Sessions.AdvanceLinkSession(ctx, next, session.Version, follows)
		if latchkey.CodeOf(err) != latchkey.Conflict {
			return err
		}
	}
}

// next returns a copy of the session that is one version on.
func (l *Links) next(session *latchkey.LinkSession) *latchkey.LinkSession {
	next := *session
	next.Version, next.UpdatedAt = session.Version+1, l.config.Now()
	return &next
}

// Sweep ends up to limit sessions that are past their time, and returns how
// many it ended. One that moves on meanwhile is left to its own.
func (l *Links) Sweep(ctx context.Context, limit int) (int, error) {
	overdue, err := l.config.Sessions.OverdueLinkSessions(ctx, l.config.Now(), limit)
	if err != nil {
		return 0, err
	}
	ended := 0
	for _, session := range overdue {
		session, err = l.asOfNow(session)
		if err != nil || session.State != latchkey.StateExpired {
			continue
		}
		err = l.expire(ctx, session)
		if err != nil && latchkey.CodeOf(err) != latchkey.Conflict {
			return ended, err
		}
		if err == nil {
			ended++
		}
	}
	return ended, nil
}

// unwritten reports whether a session is expired by the clock alone: nobody has
// written it down, and its event has not been told.
func (l *Links) unwritten(ctx context.Context, session *latchkey.LinkSession) (bool, error) {
	stored, err := l.config.Sessions.LinkSessionBySecret(ctx, session.SecretHash)
	if err != nil {
		return false, err
	}
	return stored.State != latchkey.StateExpired, nil
}

// expire writes what asOfNow has found out.
func (l *Links) expire(ctx context.Context, session *latchkey.LinkSession) error {
	next := l.next(session)
	var follows latchkey.Consequences
	if err := l.shred(session, next, &follows); err != nil {
		return err
	}
	events, err := l.sessionEvents(next)
	if err != nil {
		return err
	}
	follows.Events = events
	return l.config.Sessions.AdvanceLinkSession(ctx, next, session.Version, follows)
}

// Sessions lists the caller's sessions that fit the filter, newest first, and
// whether there are more.
func (l *Links) Sessions(ctx context.Context, caller latchkey.Caller, filter latchkey.SessionFilter,
) ([]*latchkey.LinkSession, bool, error) {
	filter.OrganisationID, filter.Environment = caller.OrganisationID, caller.Environment
	return l.config.Sessions.LinkSessions(ctx, filter)
}

// App returns the client app that a session belongs to.
func (l *Links) App(ctx context.Context, session *latchkey.LinkSession) (latchkey.ClientApp, error) {
	return l.apps.ClientApp(ctx, session.OrganisationID, session.Environment, session.ClientAppID)
}
