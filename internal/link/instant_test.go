package link_test

import (
	"net/http"
	"strconv"
	"sync"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
)

// atSandbox begins a whitelabel session at the provider that asks nobody.
func (h house) atSandbox() begun {
	h.ChangeApp(latchkey.AppWhitelabel, func(app *latchkey.ClientApp) { app.Providers = []string{"sandbox"} })
	return h.begin("provider", "sandbox")
}

// sandboxLogin is a login that the sandbox takes, or refuses.
func sandboxLogin(name, password string) map[string]string {
	return map[string]string{"username": name + "@creator.sandbox.com", "password": password}
}

const rightPassword = "good-password" //nolint:gosec // of the sandbox, public

func TestAStepThatAsksNobodyIsOneFact(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle, options.Limits.AttemptsPerAccount = true, 1 // the usual budget
		h := newHouse(t, options)
		h.atSandbox().take(agreed) // makes the organisation's key
		b := h.atSandbox()
		for _, step := range []struct {
			fields  map[string]string
			version int64
			left    int
			state   latchkey.State
		}{
			{agreed, 3, 5, latchkey.StateLogin},
			{sandboxLogin("ada", "wrong"), 5, 4, latchkey.StateLogin},
			{sandboxLogin("ada", rightPassword), 7, 3, latchkey.StateCompleted},
		} {
			if _, facts := b.Calls(func() { b.take(step.fields) }); facts != 1 {
				t.Errorf("to %s in %d facts", step.state, facts)
			}
			stored := b.stored()
			if stored.State != step.state || stored.Version != step.version || stored.Progress.AttemptsLeft != step.left ||
				!stored.LeaseUntil.IsZero() {
				t.Errorf("%s at version %d with %d attempts left, want %+v", stored.State, stored.Version, stored.Progress.AttemptsLeft, step)
			}
		}
		if b.consents() != 1 || len(b.Connections()) != 1 {
			t.Errorf("%d consents and %d connections, want one of each", b.consents(), len(b.Connections()))
		}
	})
}

func TestOfManyAtOnceOneStepIsTaken(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		b := newHouse(t, options).atSandbox()
		for _, fields := range []map[string]string{agreed, sandboxLogin("ada", rightPassword)} {
			version, statuses := b.stored().Version, make([]int, 8)
			var all sync.WaitGroup
			for i := range statuses {
				all.Go(func() { statuses[i], _ = b.send(submission{Version: version, Fields: fields}) })
			}
			all.Wait()
			count := map[int]int{}
			for _, status := range statuses {
				count[status]++
			}
			if count[http.StatusAccepted] != 1 || count[http.StatusConflict] != len(statuses)-1 {
				t.Errorf("answers %v, want one that is taken", statuses)
			}
			if got := b.stored().Version; got != version+2 {
				t.Errorf("from version %d to %d", version, got)
			}
		}
		if b.consents() != 1 || len(b.Connections()) != 1 {
			t.Errorf("%d consents and %d connections, want one of each", b.consents(), len(b.Connections()))
		}
	})
}

func TestTriesAreCountedThoughNobodyIsAsked(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle, options.Limits.AttemptsPerAccount = true, 1 // the usual budget: 5 in 15 minutes
		h := newHouse(t, options)
		for i := range 8 { // what is right does not count
			b := h.atSandbox()
			b.take(agreed)
			if got := b.take(sandboxLogin("right", rightPassword)); got.Status != "completed" {
				t.Fatalf("login %d: %+v", i, got)
			}
		}
		for i := range 5 {
			b := h.atSandbox()
			b.take(agreed)
			b.take(sandboxLogin("guessed", "wrong-"+strconv.Itoa(i)))
		}
		b := h.atSandbox()
		b.take(agreed)
		got := b.take(sandboxLogin("guessed", rightPassword))
		if got.Data.Step.Refused != string(latchkey.FailureTooManyAttempts) || b.stored().Progress.AttemptsLeft != 4 {
			t.Errorf("the sixth try is answered %+v, with %d attempts left", got, b.stored().Progress.AttemptsLeft)
		}
	})
}
