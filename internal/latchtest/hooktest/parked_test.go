package hooktest

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/scaletest"
	"latchkey/internal/latchtest/sinktest"
)

const retention = 7 * 24 * time.Hour // at least

// An endpoint fails until its attempts are used up, and for another week, in
// which more happens. Then everything is replayed.
func TestWhatAParkedEndpointMissedIsReplayedInOrder(t *testing.T) {
	accounts := scaletest.Of(200, 2000)
	const each = 5
	h := newHouse(t, latchtest.Options{})
	dead := h.listen("/", 1000)
	h.sink.Answer(func(string) sinktest.Answer { return sinktest.Fail })
	h.linkMany(0, accounts, 1)
	status := func() string {
		return latchtest.Decode[endpoint](h.Server, h.Want(http.StatusOK, "GET", "/v2/webhook-endpoints/"+dead.ID, nil)).Status
	}
	began := h.Clock.Now()
	h.pass("the endpoint is parked", 8*time.Hour, func() bool { return status() == "parked" })
	if days := h.Clock.Now().Sub(began); days < 72*time.Hour {
		t.Errorf("it is parked after %v", days)
	}
	attempts := len(h.sink.Arrivals())
	for range each - 1 {
		h.Clock.Move(retention / (each - 1))
		h.linkMany(0, accounts, 1)
	}
	if now := len(h.sink.Arrivals()); now != attempts {
		t.Errorf("a parked endpoint was sent %d requests", now-attempts)
	}
	events := accounts * each
	log := h.events()
	h.sink.Answer(func(string) sinktest.Answer { return sinktest.Take })
	type queued struct {
		Queued int `json:"queued"`
	}
	replay := latchtest.Decode[queued](h.Server, h.Want(http.StatusAccepted, "POST",
		"/v2/webhook-endpoints/"+dead.ID+"/replay", map[string]any{"after": "0"}))
	h.until("everything is delivered", scaletest.Of(4*time.Minute, time.Hour), func() bool { return h.sink.Taken("/") == events })
	report := h.sink.Check("/", log)
	fmt.Printf("RESULT W-9.dropped %d 0\n", report.Lost)
	fmt.Printf("RESULT W-9.replayed-in-order %d %d\n", report.Delivered, events)
	if replay.Queued != events || len(log) != events || report.Lost+report.Reordered+report.Foreign+report.Repeated > 0 {
		t.Errorf("of %d events %d are in the log and %d were queued: %+v", events, len(log), replay.Queued, report)
	}
}

// pass lets the app's time pass in steps, each when nothing is on its way any
// more, until check is true.
func (h *house) pass(what string, step time.Duration, check func() bool) {
	h.Helper()
	deadline := time.Now().Add(4 * time.Minute)
	ticks := time.NewTicker(50 * time.Millisecond)
	defer ticks.Stop()
	for seen, quiet := 0, 0; !check(); {
		if time.Now().After(deadline) {
			h.Fatalf("it never happened that %s", what)
		}
		<-ticks.C
		due, err := h.App.Store().DueEndpoints(h.Context(), h.Clock.Now(), "", 1)
		if err != nil {
			h.Fatal(err)
		}
		if now := len(h.sink.Arrivals()); now != seen || h.sink.Pending() > 0 || len(due) > 0 {
			seen, quiet = now, 0
			continue
		}
		if quiet++; quiet >= 2 {
			h.Clock.Move(step)
			quiet = 0
		}
	}
}
