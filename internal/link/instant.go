package link

import (
	"context"
	"slices"

	"latchkey"
	"latchkey/internal/connector"
)

// A try is written down twice, when it is begun and when its outcome is known,
// since the provider's answer may take long and may never come. Where nobody is
// asked, both are written as one fact: either all of it has happened, or
// nothing. The versions are the same as if they had been written apart.
//
//	session v ──claim──▶ trying v+1 ──outcome──▶ v+2      two facts
//	session v ─────────────claim and outcome────▶ v+2      one, of an Instant step

// claim is the beginning of a try that will be written with its outcome.
type claim struct {
	from    *latchkey.LinkSession
	follows latchkey.Consequences
}

// begin takes a try from the claim to its outcome.
func (l *Links) begin(ctx context.Context, from *latchkey.LinkSession, trial tried, follows latchkey.Consequences,
	input connector.Input,
) (*latchkey.LinkSession, error) {
	if l.asksNobody(trial, input) {
		trial.claim = &claim{from, follows}
		return l.advance(ctx, trial, input)
	}
	if _, err := l.write(ctx, from, trial.LinkSession, follows); err != nil {
		return nil, err
	}
	return l.advance(ctx, trial, input)
}

// asksNobody reports whether the provider's answer is worked out here and now.
func (l *Links) asksNobody(trial tried, input connector.Input) bool {
	found, _ := l.config.Connector(trial.Progress.Provider)
	instant, ok := found.(connector.Instant)
	return ok && instant.Instant(trial.Progress.Step, input)
}

// since returns the version that the outcome of a try follows, and what is
// committed with it.
func (t tried) since(follows latchkey.Consequences) (version int64, all latchkey.Consequences) {
	if t.claim == nil {
		return t.Version, follows
	}
	begun := t.claim.follows
	return t.claim.from.Version, latchkey.Consequences{
		Events: slices.Concat(begun.Events, follows.Events), Records: slices.Concat(begun.Records, follows.Records),
		Take: slices.Concat(begun.Take, follows.Take), Release: slices.Concat(begun.Release, follows.Release),
		Revocations: slices.Concat(begun.Revocations, follows.Revocations),
	}
}

// settle writes the outcome of a try, if the table of transitions allows it.
func (l *Links) settle(ctx context.Context, trial tried, next *latchkey.LinkSession, follows latchkey.Consequences,
) (*latchkey.LinkSession, error) {
	if trial.claim == nil {
		return l.write(ctx, trial.LinkSession, next, follows)
	}
	from := trial.claim.from
	if !from.State.CanBecome(trial.State) || !trial.State.CanBecome(next.State) {
		return nil, latchkey.Errorf(latchkey.Internal, "session %s can't go from %s to %s", from.ID, from.State, next.State)
	}
	version, all := trial.since(follows)
	if err := l.config.Sessions.AdvanceLinkSession(ctx, next, version, all); err != nil {
		return nil, err
	}
	return next, nil
}
