package hooktest

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/sinktest"
	"latchkey/internal/link"
)

// house is a running app whose organisation is told of its connections.
type house struct {
	*latchtest.Server
	sink *sinktest.Sink
}

func newHouse(t *testing.T, options latchtest.Options) *house {
	t.Helper()
	sink := sinktest.New(t)
	h := &house{latchtest.Start(t, options), sink}
	t.Cleanup(sink.Release) // before the app stops, which waits for its attempts
	return h
}

// endpoint is what the API tells of one.
type endpoint struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

// listen registers a path of the sink for all events of connections.
func (h *house) listen(path string, rate int) endpoint {
	h.Helper()
	return latchtest.Decode[endpoint](h.Server, h.Want(http.StatusCreated, "POST", "/v2/webhook-endpoints", map[string]any{
		"url": h.sink.URL + path, "rateLimit": rate,
		"events": []string{"connection.created", "connection.updated", "connection.expired", "connection.disconnected"},
	}))
}

// caller is the organisation's own key.
func (h *house) caller() latchkey.Caller {
	return latchkey.Caller{
		OrganisationID: h.Trial.OrganisationID, Environment: latchkey.Sandbox, KeyID: "key_test", Scopes: latchkey.AllScopes(),
	}
}

// link links the n-th account, or links it anew: one event each time.
func (h *house) link(n int) error {
	_, err := h.App.Links().Import(h.Context(), h.caller(), link.ImportRequest{
		Provider: "sandbox", ClientReferenceID: fmt.Sprintf("user_%d", n),
		Credentials: map[string]latchkey.Secret{
			"username": latchkey.NewSecret(fmt.Appendf(nil, "u%d@creator.sandbox.com", n)),
			"password": latchkey.NewSecret([]byte("good-password")),
		},
	})
	return err
}

// linkMany links the accounts from first on, each so many times.
func (h *house) linkMany(first, accounts, each int) {
	h.Helper()
	numbers := make(chan int)
	var working sync.WaitGroup
	for range 8 {
		working.Go(func() {
			for n := range numbers {
				for range each {
					if err := h.link(n); err != nil {
						h.Errorf("link account %d: %v", n, err)
					}
				}
			}
		})
	}
	for n := range accounts {
		numbers <- first + n
	}
	close(numbers)
	working.Wait()
}

// events reads the event log, as far as it is about connections.
func (h *house) events() []sinktest.Event {
	h.Helper()
	var log []sinktest.Event
	for cursor := int64(0); ; {
		page, err := h.App.Store().EventsAfter(h.Context(), h.Trial.OrganisationID, latchkey.Sandbox, cursor, 1000)
		if err != nil {
			h.Fatal(err)
		}
		for _, event := range page.Events {
			log = append(log, sinktest.Event{ID: event.ID, Subject: event.Subject})
		}
		if cursor = page.Cursor; !page.More {
			return log
		}
	}
}

// until waits until check is true, and lets the app's time pass whenever nothing
// is on its way: by less than a lease, so that nothing is claimed twice.
func (h *house) until(what string, patience time.Duration, check func() bool) {
	h.Helper()
	deadline := time.Now().Add(patience)
	ticks := time.NewTicker(50 * time.Millisecond)
	defer ticks.Stop()
	seen, quiet := 0, 0
	for !check() {
		if time.Now().After(deadline) {
			h.Fatalf("it never happened that %s", what)
		}
		<-ticks.C
		if now := len(h.sink.Arrivals()); now != seen || h.sink.Pending() > 0 {
			seen, quiet = now, 0
			continue
		}
		if quiet++; quiet >= 4 {
			h.Clock.Move(20 * time.Second)
			quiet = 0
		}
	}
}
