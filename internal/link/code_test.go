package link_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
)

// How many codes may reach the provider, and how many are tried at once.
const (
	perChallenge   = 5
	perAccountHour = 10
	codesAtOnce    = 64
)

// coded is a provider that counts the codes that reach it.
type coded struct {
	*latchtest.Provider
	now      func() time.Time
	mu       sync.Mutex
	arrivals []time.Time
	tried    map[string]int // by session
	accepted map[string]int
}

func (c *coded) Describe() connector.Description {
	facts := c.Provider.Describe()
	facts.ID = "coded"
	return facts
}

func (c *coded) Advance(ctx context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
	step, err := c.Provider.Advance(ctx, flow, input)
	if strings.HasPrefix(string(flow.State), "2fa:") {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.arrivals = append(c.arrivals, c.now())
		c.tried[flow.SessionID]++
		if _, done := step.(connector.Done); done {
			c.accepted[flow.SessionID]++
		}
	}
	return step, err
}

// forget forgets what has arrived, and returns it.
func (c *coded) forget() []time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	arrived := c.arrivals
	c.arrivals = nil
	return arrived
}

// codedHouse is a house whose whitelabel app uses the counting provider.
type codedHouse struct {
	house
	*coded
	tries int // codes that were submitted
}

func newCodedHouse(t *testing.T) *codedHouse {
	provider := &coded{Provider: latchtest.NewProvider(t), tried: map[string]int{}, accepted: map[string]int{}}
	h := newHouse(t, latchtest.Options{
		Idle: true, Limits: latchtest.Limits{AttemptsPerAccount: 1}, Connectors: []connector.Connector{provider},
	})
	provider.now = h.Clock.Now
	h.ChangeApp(latchkey.AppWhitelabel, func(app *latchkey.ClientApp) { app.Providers = []string{"coded"} })
	return &codedHouse{house: h, coded: provider}
}

// asked returns that many sessions that ask for the account's code.
func (h *codedHouse) asked(username string, count int) []begun {
	h.Helper()
	sessions := make([]begun, count)
	var all sync.WaitGroup
	for i := range sessions {
		sessions[i] = h.begin()
		all.Go(func() {
			h.submit(sessions[i], submission{Version: 1, Fields: agreed})
			h.submit(sessions[i], submission{Version: 3, Fields: credentials(username)})
		})
	}
	all.Wait()
	return sessions
}

// submit sends a submission and returns the status of the answer.
func (h *codedHouse) submit(b begun, what submission) int {
	return (&guesser{house: h.house, key: h.Trial.APIKey}).call("POST", "/v2/link/"+b.Secret()+"/submit", what).Code
}

// storm submits a code to every session at once; the n-th of them is code(n).
func (h *codedHouse) storm(sessions []begun, version int64, code func(n int) string) (taken int) {
	var all sync.WaitGroup
	var mu sync.Mutex
	for n, b := range sessions {
		all.Go(func() {
			if h.submit(b, submission{Version: version, Fields: map[string]string{"code": code(n)}}) == http.StatusAccepted {
				mu.Lock()
				defer mu.Unlock()
				taken++
			}
		})
	}
	all.Wait()
	h.tries += len(sessions)
	return taken
}

// often is one session many times.
func often(b begun) []begun {
	many := make([]begun, codesAtOnce)
	for i := range many {
		many[i] = b
	}
	return many
}

func wrongCode(n int) string { return fmt.Sprintf("%06d", n) }

func TestCodesAreGuessedAtFewTimesAndAcceptedOnce(t *testing.T) {
	t.Parallel()
	h := newCodedHouse(t)
	over := 0
	t.Run("of one challenge", func(t *testing.T) {
		for i := range 3 {
			b := h.asked(fmt.Sprint("otp-one", i), 1)[0]
			for round := 0; !b.stored().State.Final(); round++ {
				h.storm(often(b), b.stored().Version, func(n int) string { return wrongCode(round*codesAtOnce + n) })
			}
			h.storm(often(b), b.stored().Version, func(int) string { return latchtest.Code })
			if tried := h.tried[b.SessionID]; tried != perChallenge || h.accepted[b.SessionID] != 0 {
				over += max(1, tried-perChallenge)
				t.Errorf("%d codes of one challenge reached the provider, want %d", tried, perChallenge)
			}
		}
	})
	t.Run("of one account, with a new session for each", func(t *testing.T) {
		h.forget()
		var arrivals []time.Time
		for _, pause := range []time.Duration{29 * time.Minute, 32 * time.Minute, 0} {
			sessions := h.asked("otp-many", codesAtOnce)
			var imports sync.WaitGroup
			for n := range 8 {
				imports.Go(func() {
					h.bring("provider", "coded", "credentials", map[string]string{
						"username": "OTP-MANY", "password": latchtest.Password, "code": wrongCode(n),
					})
				})
			}
			h.storm(sessions, 5, wrongCode)
			imports.Wait()
			h.tries += 8
			arrivals = append(arrivals, h.forget()...)
			h.Clock.Move(pause)
		}
		hour := most(arrivals, time.Hour)
		if over += max(0, hour-perAccountHour); hour != perAccountHour || len(arrivals) != 2*perAccountHour {
			t.Errorf("%d codes reached the provider in an hour, %d in all, want %d and %d", hour, len(arrivals), perAccountHour, 2*perAccountHour)
		}
	})
	t.Run("and a right one is accepted once", func(t *testing.T) {
		b := h.asked("otp-twice", 1)[0]
		if taken := h.storm(often(b), 5, func(int) string { return latchtest.Code }); taken != 1 {
			t.Errorf("%d of %d submissions of one code were taken", taken, codesAtOnce)
		}
		for _, version := range []int64{5, b.stored().Version} {
			if taken := h.storm(often(b), version, func(int) string { return latchtest.Code }); taken != 0 {
				t.Errorf("%d submissions of a used code were taken at version %d", taken, version)
			}
		}
		if b.stored().State != latchkey.StateCompleted {
			t.Errorf("the session is %s", b.stored().State)
		}
		for session, times := range h.accepted {
			if times > 1 {
				over++
				t.Errorf("the provider accepted a code of %s %d times", session, times)
			}
		}
	})
	fmt.Printf("RESULT A-3 %d 0\nRESULT A-3.n %d 1000\n", over, h.tries)
	if h.tries < 1000 {
		t.Errorf("only %d codes were tried", h.tries)
	}
}
