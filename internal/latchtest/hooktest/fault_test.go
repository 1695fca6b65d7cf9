package hooktest

import (
	"fmt"
	"testing"
	"time"

	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/scaletest"
	"latchkey/internal/latchtest/sinktest"
)

const (
	failing   = 0.3 // of all requests
	linkedAny = 3   // events of each connection
)

// A third of the failures each is a 500, an answer that breaks off at any byte,
// and none at all.
func TestNothingIsLostOrReorderedWhileTheReceiverFails(t *testing.T) {
	accounts := scaletest.Of(1000, 10_000)
	h := newHouse(t, latchtest.Options{HookTimeout: 300 * time.Millisecond})
	h.listen("/", 1000)
	h.sink.Answer(sinktest.Failing(failing))
	h.linkMany(0, accounts, linkedAny)
	events := accounts * linkedAny
	h.until("everything is delivered", scaletest.Of(4*time.Minute, time.Hour), func() bool { return h.sink.Taken("/") == events })
	log := h.events()
	if len(log) != events {
		t.Fatalf("%d events happened, want %d", len(log), events)
	}
	report := h.sink.Check("/", log)
	fmt.Printf("RESULT W-1 %d 0\n", report.Lost+report.Reordered+report.Foreign)
	fmt.Printf("RESULT W-1.n %d %d\n", report.Delivered, events)
	fmt.Printf("RESULT W-1.duplicates-percent %.2f 2\n", 100*float64(report.Repeated)/float64(events))
	if report.Delivered != events || report.Lost+report.Reordered+report.Foreign > 0 || report.Repeated > events/50 {
		t.Errorf("of %d events: %+v", events, report)
	}
	if attempts := len(h.sink.Arrivals()); attempts < events*5/4 {
		t.Errorf("only %d attempts: the receiver did not fail as it should", attempts)
	}
}
