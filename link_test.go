package latchkey_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"latchkey"
)

func TestWhatHasEndedStaysEnded(t *testing.T) {
	for _, state := range []latchkey.State{
		latchkey.StateCompleted, latchkey.StateDenied, latchkey.StateFailed, latchkey.StateExpired,
	} {
		if !state.Final() {
			t.Errorf("%s is not final", state)
		}
		for _, next := range latchkey.States() {
			if state.CanBecome(next) {
				t.Errorf("%s can become %s", state, next)
			}
		}
	}
}

func TestEveryOpenSessionCanBeCancelledFailAndExpire(t *testing.T) {
	for _, state := range latchkey.States() {
		if state.Final() {
			continue
		}
		for _, end := range []latchkey.State{latchkey.StateDenied, latchkey.StateFailed, latchkey.StateExpired} {
			if !state.CanBecome(end) {
				t.Errorf("%s can't become %s", state, end)
			}
		}
	}
}

func TestNoCredentialIsAskedForWithoutConsent(t *testing.T) {
	// Whatever asks for a credential can only come out of a try, and the first
	// try can only come out of the authorization step.
	asks := []latchkey.State{latchkey.StateLogin, latchkey.StateTwoFactor, latchkey.StateRedirect, latchkey.StateWait}
	for _, state := range latchkey.States() {
		for _, ask := range asks {
			if state != latchkey.StateTrying && state.CanBecome(ask) {
				t.Errorf("%s becomes %s without a try", state, ask)
			}
		}
	}
	if latchkey.StatePreLogin.CanBecome(latchkey.StateTrying) {
		t.Error("a try can begin before the authorization step")
	}
}

func TestOnlyATryOrItsConfirmationCompletes(t *testing.T) {
	for _, state := range latchkey.States() {
		completes := state == latchkey.StateTrying || state == latchkey.StateConfirm
		if state.CanBecome(latchkey.StateCompleted) != completes {
			t.Errorf("%s can become completed: %v", state, state.CanBecome(latchkey.StateCompleted))
		}
	}
}

func TestTheStatusOfEachState(t *testing.T) {
	second := latchkey.Prompt{TwoFactor: &latchkey.TwoFactorState{Options: []string{"app"}}}
	for _, test := range []struct {
		state    latchkey.State
		progress latchkey.SessionProgress
		want     latchkey.SessionStatus
	}{
		{latchkey.StatePreLogin, latchkey.SessionProgress{}, latchkey.StatusInitialized},
		{latchkey.StateAuthorization, latchkey.SessionProgress{}, latchkey.StatusInitialized},
		{latchkey.StateLogin, latchkey.SessionProgress{}, latchkey.StatusInitialized},
		{
			latchkey.StateLogin, latchkey.SessionProgress{Refused: latchkey.FailureInvalidCredentials},
			latchkey.StatusInvalidCredentials,
		},
		{
			latchkey.StateLogin, latchkey.SessionProgress{Refused: latchkey.FailureProviderUnavailable},
			latchkey.StatusInitialized,
		},
		{latchkey.StateTrying, latchkey.SessionProgress{}, latchkey.StatusPending},
		{latchkey.StateRedirect, latchkey.SessionProgress{}, latchkey.StatusPending},
		{latchkey.StateTwoFactor, latchkey.SessionProgress{Prompt: second}, latchkey.StatusAwaiting2FA},
		{latchkey.StateWait, latchkey.SessionProgress{}, latchkey.StatusPending},
		{latchkey.StateWait, latchkey.SessionProgress{Prompt: second}, latchkey.StatusAwaiting2FA},
		{latchkey.StateConfirm, latchkey.SessionProgress{}, latchkey.StatusPending},
		{latchkey.StateCompleted, latchkey.SessionProgress{}, latchkey.StatusCompleted},
		{latchkey.StateDenied, latchkey.SessionProgress{}, latchkey.StatusDenied},
		{latchkey.StateFailed, latchkey.SessionProgress{}, latchkey.StatusFailed},
		{latchkey.StateExpired, latchkey.SessionProgress{}, latchkey.StatusFailed},
		{"unheard-of", latchkey.SessionProgress{}, latchkey.StatusNotFound},
	} {
		session := latchkey.LinkSession{State: test.state, Progress: test.progress}
		if got := session.Status(); got != test.want {
			t.Errorf("%s: got %s, want %s", test.state, got, test.want)
		}
	}
}

func TestAnErrorKeepsItsCodeThroughWrapping(t *testing.T) {
	cause := errors.New("disk")
	err := fmt.Errorf("load session: %w", &latchkey.Error{Code: latchkey.Conflict, Message: "moved", Err: cause})
	if latchkey.CodeOf(err) != latchkey.Conflict || !errors.Is(err, cause) {
		t.Errorf("got %s", latchkey.CodeOf(err))
	}
	if latchkey.CodeOf(cause) != latchkey.Internal || latchkey.CodeOf(nil) != "" {
		t.Error("an error without a code is internal, and nil has none")
	}
}

func TestTimesAreWrittenInUTCWithMilliseconds(t *testing.T) {
	at := time.Date(2023, 10, 27, 12, 0, 0, 123_999_999, time.FixedZone("CEST", 2*60*60))
	if got := latchkey.FormatTime(at); got != "2023-10-27T10:00:00.123Z" {
		t.Errorf("got %s", got)
	}
	if latchkey.FormatOptionalTime(time.Time{}) != nil {
		t.Error("the zero time is no time")
	}
}
