package link_test

import (
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
)

// stopped returns what the metrics say of the provider.
func (w *watch) stopped() string {
	w.Helper()
	answer := httptest.NewRecorder()
	w.App.Metrics().ServeHTTP(answer, httptest.NewRequestWithContext(w.Context(), "GET", "/metrics", nil))
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		w.Fatal(err)
	}
	_, value, _ := strings.Cut(string(text), `latchkey_provider_stopped{provider="watched"} `)
	value, _, _ = strings.Cut(value, "\n")
	return value
}

// login tries to link an account and returns the page it ends at, "" when it
// went back to the app.
func (w *watch) login() string {
	w.Helper()
	visit := w.Visit(w.Init(map[string]any{"provider": watchedID}).URL).Consent()
	if visit.Landed == nil && strings.Contains(visit.Text(), "Username") {
		visit = visit.Submit("continue", "username", "ada", "password", latchtest.Password)
	}
	if visit.Landed != nil && visit.Landed.Query().Get("status") == "success" {
		return ""
	}
	return visit.Text()
}

func TestAProviderThatRefusesMachinesIsLeftAloneAndComesBackByOneTrial(t *testing.T) {
	w := newWatch(t, latchtest.Options{}, 1)
	w.imported("ada")
	w.imported("bob")
	w.provider.block(fmt.Errorf("a captcha: %w", connector.ErrBlocked))
	if page := w.login(); page == "" {
		t.Fatal("a blocked login succeeded")
	}
	if w.stopped() != "1" || strings.Count(w.Log.Text(), "is left alone for a while") != 1 || !strings.Contains(w.Log.Text(), `"level":"ERROR"`) {
		t.Errorf("the operator is told %q: %s", w.stopped(), w.Log.Text())
	}
	steps := w.provider.block(nil) // it works again, but nobody knows
	if page := w.login(); page == "" || w.provider.block(nil) != steps {
		t.Errorf("it was asked %d times while it was left alone: %s", w.provider.block(nil)-steps, page)
	}
	w.provider.say(fmt.Errorf("a captcha: %w", connector.ErrBlocked))
	checks := func(want int) {
		t.Helper()
		before, _ := w.provider.checks()
		for range 3 {
			w.turn(0)
		}
		if after, _ := w.provider.checks(); after-before != want {
			t.Errorf("%d checks, want %d", after-before, want)
		}
	}
	w.move(15*time.Minute - time.Second)
	checks(0)
	w.move(time.Hour)
	checks(1) // the trial, and it is refused
	w.move(30*time.Minute - time.Second)
	checks(0)
	if w.stopped() != "1" {
		t.Error("it is asked again after a trial that was refused")
	}
	w.provider.say(nil)
	w.move(time.Second)
	checks(2) // the trial is answered, and then the other is due
	if w.stopped() != "0" || w.login() != "" {
		t.Errorf("after a trial that was answered: stopped %q", w.stopped())
	}
}

func TestATrialThatTellsNothingIsFollowedByAnother(t *testing.T) {
	w := newWatch(t, latchtest.Options{}, 1)
	w.imported("ada")
	w.provider.say(connector.ErrBlocked)
	w.move(2 * time.Hour)
	w.turn(0)
	w.provider.say(io.ErrUnexpectedEOF)
	w.move(time.Hour)
	for i := range 3 {
		if w.turn(0) != 1 || w.stopped() != "1" {
			t.Fatalf("trial %d: stopped %q", i, w.stopped())
		}
		w.move(time.Hour)
	}
	w.provider.say(&connector.Dead{Reason: connector.DeadRevoked}) // is an answer
	if w.turn(0) != 1 || w.stopped() != "0" {
		t.Errorf("after an answer: stopped %q", w.stopped())
	}
}
