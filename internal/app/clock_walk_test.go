package app_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
)

// shift is how the machines' clocks are when replicas start, and by how much
// they are set then.
type shift struct {
	name        string
	off, setOff time.Duration // of the first replica; the second's is the opposite
}

var shifts = []shift{
	{"an hour on", 0, time.Hour},
	{"an hour back", 0, -time.Hour},
	{"thirty days on", 0, 30 * 24 * time.Hour},
	{"thirty days back", 0, -30 * 24 * time.Hour},
	{"a leap second", 0, -time.Second},
	{"past the end of 32 bits", 0, 12 * 365 * 24 * time.Hour},
	{"replicas ten minutes apart", 5 * time.Minute, 0},
}

// clockwork is one run of a shift.
type clockwork struct {
	*testing.T
	shift
	replicas   []*latchtest.Server
	clocks     []*latchtest.Clock
	connection string
	hooks      *latchtest.Sink
	provider   *latchtest.Rotator

	late                     time.Duration // how long past its life a session was accepted
	attempts, refreshes, bad int           // the most, of an event and of the connection; panics
}

func TestClocksThatAreSetDoNoHarm(t *testing.T) {
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		t.Run(engine, func(t *testing.T) {
			var late time.Duration
			attempts, refreshes, panics := 0, 0, 0
			for _, each := range shifts {
				t.Run(each.name, func(t *testing.T) {
					c := newClockwork(t, each, engine == "PostgreSQL")
					c.walk()
					late, attempts, refreshes = max(late, c.late), max(attempts, c.attempts), max(refreshes, c.refreshes)
					panics += c.bad
				})
			}
			fmt.Printf("RESULT D-7.%s.accepted_past_life_ms %d 5000\n", engine, late.Milliseconds())
			fmt.Printf("RESULT D-7.%s.extra_attempts %d 1\n", engine, attempts-1)
			fmt.Printf("RESULT D-7.%s.refreshes_per_connection %d 1\n", engine, refreshes)
			fmt.Printf("RESULT D-7.%s.panics %d 0\n", engine, panics)
			if engine == "SQLite" && refreshes == 0 {
				t.Error("no credential was stale")
			}
			if late > 5*time.Second || attempts > 2 || refreshes > 1 || panics > 0 {
				t.Errorf("accepted %v past its life, %d attempts, %d refreshes, %d panics", late, attempts, refreshes, panics)
			}
		})
	}
}

// newClockwork starts one replica, or two that share a PostgreSQL and are as
// far off in opposite directions.
func newClockwork(t *testing.T, s shift, shared bool) *clockwork {
	c := &clockwork{T: t, shift: s}
	c.provider = latchtest.NewRotator(t)
	options := latchtest.Options{
		Data:       filepath.Join(t.TempDir(), "data"),
		Connectors: []connector.Connector{latchtest.Rotating{At: c.provider.URL, Life: 4 * time.Minute}},
	}
	signs := []time.Duration{1}
	if shared {
		options.DatabaseURL = latchtest.NewPostgres(t)
		signs = append(signs, -1)
	}
	for _, sign := range signs {
		options.Machine = &latchtest.Clock{}
		options.Machine.Move(sign * s.off)
		c.clocks, c.replicas = append(c.clocks, options.Machine), append(c.replicas, latchtest.Start(t, options))
	}
	c.hooks = latchtest.NewSink(t)
	c.replicas[0].Listen(c.hooks, "connection.created")
	return c
}

// set sets the clocks.
func (c *clockwork) set() {
	sign := time.Duration(1)
	for _, clock := range c.clocks {
		clock.Move(sign * c.setOff)
		sign = -sign
	}
}

// walk links, sets the clocks, and links and uses again, at every replica.
func (c *clockwork) walk() {
	first := c.replicas[0]
	c.link(first, "ada")
	c.connection = first.Connections()[0].ID
	pending := first.Init(map[string]any{"provider": latchtest.RotatingID})
	ends := time.Now().Add(1500 * time.Millisecond)
	c.endAt(pending.SessionID, 1500*time.Millisecond)
	c.set()
	c.useEverywhere()
	c.link(c.replicas[len(c.replicas)-1], "bob")
	c.awaitEnd(pending, ends)
	latchtest.Eventually(c, "both events were delivered", func() bool { return len(c.events()) == 2 })
	for _, attempts := range c.events() {
		c.attempts = max(c.attempts, attempts)
	}
	for _, replica := range c.replicas {
		c.bad += strings.Count(replica.Log.Text(), "panicked")
	}
}

func (c *clockwork) link(at *latchtest.Server, who string) {
	page := at.Init(map[string]any{"provider": latchtest.RotatingID})
	visit := at.Visit(at.URL + "/" + page.Secret())
	visit.Consent().Submit("continue", "username", who)
	if visit.Landed == nil && !strings.Contains(visit.Text(), "linked") {
		c.Fatalf("the link ended at %q: %s", visit.Title(), visit.Text())
	}
}

// endAt lets the session end so much later by the time that the store tells.
func (c *clockwork) endAt(id string, after time.Duration) {
	c.Helper()
	first := c.replicas[0]
	session, err := first.App.Store().LinkSession(c.Context(), first.Trial.OrganisationID, latchkey.Sandbox, id)
	if err != nil {
		c.Fatal(err)
	}
	now, err := first.App.Store().Now(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	if first.DatabaseURL == "" {
		now = c.clocks[0].Now() // the machine's, before it is set
	}
	session.ExpiresAt, session.Version = now.Add(after), session.Version+1
	if err := first.App.Store().AdvanceLinkSession(c.Context(), session, session.Version-1, latchkey.Consequences{}); err != nil {
		c.Fatal(err)
	}
}

// useEverywhere uses the connection many times at once. Its credential, which
// lives four minutes, is renewed at most once.
func (c *clockwork) useEverywhere() {
	var using sync.WaitGroup
	for i := range 12 {
		using.Go(func() {
			replica := c.replicas[i%len(c.replicas)]
			answer := replica.Call("GET", "/v2/access/self", nil, "x-connection-id", c.connection)
			if answer.Status != http.StatusOK && answer.Status != http.StatusServiceUnavailable {
				c.Errorf("use: %d %s", answer.Status, answer.Body)
			}
		})
	}
	using.Wait()
	c.refreshes = c.provider.Refreshes()
}

// awaitEnd asks every replica for the session's page until none gives it any
// more.
func (c *clockwork) awaitEnd(session latchtest.Link, ends time.Time) {
	for _, replica := range c.replicas {
		latchtest.Eventually(c, "the session ended", func() bool {
			asked := time.Now()
			answer := replica.Call("GET", "/"+session.Secret(), nil)
			if answer.Status == http.StatusOK && asked.After(ends) {
				c.late = max(c.late, asked.Sub(ends))
			}
			return answer.Status == http.StatusGone
		})
	}
}

// events counts the attempts of each event.
func (c *clockwork) events() map[string]int {
	attempts := map[string]int{}
	for _, hook := range c.hooks.Hooks() {
		attempts[hook.Header.Get("webhook-id")]++
	}
	return attempts
}
