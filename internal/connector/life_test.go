package connector_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"latchkey/internal/connector"
)

// plain is a provider that can do nothing but link.
type plain struct{ connector.Connector }

// renewable is one whose credentials can be refreshed.
type renewable struct{ connector.Connector }

// Refresh is never called here.
func (renewable) Refresh(context.Context, connector.Access) (connector.Credential, error) {
	return connector.Credential{}, errors.ErrUnsupported
}

func TestTheEndOfACredentialIsWhenOnlyThePersonCanHelp(t *testing.T) {
	soon, late := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC), time.Date(2026, 12, 24, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		provider   connector.Connector
		expires    time.Time
		ends, want time.Time
	}{
		{plain{}, time.Time{}, time.Time{}, time.Time{}},
		{plain{}, soon, time.Time{}, soon},
		{plain{}, time.Time{}, late, late},
		{plain{}, soon, late, soon},
		{plain{}, late, soon, soon},
		{renewable{}, soon, time.Time{}, time.Time{}},
		{renewable{}, soon, late, late},
	} {
		if got := connector.EndOf(c.provider, connector.Credential{ExpiresAt: c.expires, EndsAt: c.ends}); !got.Equal(c.want) {
			t.Errorf("%T, %v, %v: ends %v, want %v", c.provider, c.expires, c.ends, got, c.want)
		}
	}
}

func TestTheWarningIsThreeDaysOrATenthOfTheLifeBefore(t *testing.T) {
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	for life, before := range map[time.Duration]time.Duration{
		365 * 24 * time.Hour: 72 * time.Hour, 30 * 24 * time.Hour: 72 * time.Hour, 10 * 24 * time.Hour: 24 * time.Hour,
		time.Hour: 6 * time.Minute, time.Hour - 1: 0, time.Minute: 0, 0: 0, -time.Hour: 0,
	} {
		end, want := now.Add(life), time.Time{}
		if before > 0 {
			want = end.Add(-before)
		}
		if got := connector.WarningAt(now, end); !got.Equal(want) {
			t.Errorf("a life of %v: warned at %v, want %v", life, got, want)
		}
	}
	if got := connector.WarningAt(now, time.Time{}); !got.IsZero() {
		t.Errorf("what never ends is warned of at %v", got)
	}
}

func TestADescriptionWithoutFiguresMeansTheUsual(t *testing.T) {
	var usual connector.Description
	if usual.CheckInterval() != 6*time.Hour || usual.RequestBudget() != 60 {
		t.Errorf("every %v, %d a minute", usual.CheckInterval(), usual.RequestBudget())
	}
	own := connector.Description{CheckEvery: time.Hour, RequestsPerMinute: 5}
	if own.CheckInterval() != time.Hour || own.RequestBudget() != 5 {
		t.Errorf("every %v, %d a minute", own.CheckInterval(), own.RequestBudget())
	}
}

func TestADeadCredentialKnowsItsReason(t *testing.T) {
	for err, want := range map[error]string{
		fmt.Errorf("check: %w", connector.ErrDead):                               connector.DeadSession,
		fmt.Errorf("check: %w", &connector.Dead{Reason: connector.DeadPassword}): connector.DeadPassword,
	} {
		if !errors.Is(err, connector.ErrDead) || connector.ReasonOf(err) != want {
			t.Errorf("%v: reason %s, want %s", err, connector.ReasonOf(err), want)
		}
	}
}
