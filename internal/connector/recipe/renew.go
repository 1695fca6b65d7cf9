package recipe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// renew tells how to make a session live on.
type renew struct {
	Requests []*request `yaml:"requests"`
	Dead     *condition `yaml:"dead"` // nil: that of the check
}

// Refresh makes the session live on: by the recipe's requests or, where those
// do not help and the person has left the password here, by a new login. A
// session that nothing can renew is returned as it is until its time is up.
// The error wraps connector.ErrDead when the person must link again, and
// connector.ErrBlocked when the provider takes us for a machine.
func (c *Connector) Refresh(ctx context.Context, access connector.Access) (connector.Credential, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	m, err := c.recipe.remember(access.Credential)
	if err != nil {
		return connector.Credential{}, fmt.Errorf("renew: %w", err)
	}
	defer m.forget()
	v := c.visit(access.HTTP, access.Now, m)
	alive, err := v.renew(ctx)
	if err == nil && !alive {
		err = v.loginAgain(ctx)
	}
	if err != nil {
		return connector.Credential{}, fmt.Errorf("renew: %w", err)
	}
	return v.credential()
}

// renew sends the recipe's requests, if there are any, and reports whether the
// session lives on.
func (v *visit) renew(ctx context.Context) (alive bool, err error) {
	renew := v.recipe.Renew
	if renew == nil {
		return len(v.kept) == 0 && v.lasts(), nil
	}
	dead := renew.Dead
	if dead == nil {
		dead = &v.recipe.Check.Dead
	}
	a, err := v.requests(ctx, renew.Requests, dead.holds)
	switch {
	case errors.Is(err, errMissing):
		return false, nil
	case err != nil:
		return false, err
	case dead.holds(a):
		return false, nil
	case a.status >= http.StatusBadRequest:
		return false, a.unexpected()
	}
	v.since = v.recipe.began(v.now)
	return v.lasts(), nil
}

// lasts reports whether the session's time is not up.
func (v *visit) lasts() bool {
	end := v.ends()
	return end.IsZero() || v.now.Before(end)
}

// loginAgain logs in with what the person has left here. Whatever asks a
// question wants the person.
func (v *visit) loginAgain(ctx context.Context) error {
	if len(v.kept) == 0 {
		return fmt.Errorf("the session has ended: %w", connector.ErrDead)
	}
	v.fields = v.kept
	defer func() { v.fields = nil }()
	next, err := v.run(ctx, v.recipe.Login.Next)
	if failure, ok := errors.AsType[*connector.Failure](err); ok {
		return fmt.Errorf("%w: %w", failure, &connector.Dead{Reason: connector.DeadBlocked})
	}
	switch {
	case err != nil:
		return err
	case next.verdict == verdictRefused && next.code() == latchkey.FailureInvalidCredentials:
		return &connector.Dead{Reason: connector.DeadPassword}
	case next.verdict != verdictDone:
		return fmt.Errorf("the login asks for more than the password: %w", connector.ErrDead)
	}
	v.since = v.recipe.began(v.now)
	return nil
}

// began returns when a session began, for its declared lifetime.
func (r *Recipe) began(now time.Time) time.Time {
	if r.Session == nil || r.Session.Lifetime == 0 {
		return time.Time{}
	}
	return now.UTC().Round(0)
}
