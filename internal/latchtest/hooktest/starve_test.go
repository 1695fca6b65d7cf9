package hooktest

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/sinktest"
)

const (
	endpoints   = 100
	subjects    = 5   // each tells all endpoints something
	attemptsCap = 256 // at once
)

// p99 is the longest but for a hundredth.
func p99(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)*99/100]
}

// spread links so many accounts and returns how long after each was linked its
// event was taken at the healthy endpoints.
func (h *house) spread(t *testing.T, first, accounts, healthy int) []time.Duration {
	t.Helper()
	before := len(h.sink.Arrivals())
	linked := map[string]time.Time{} // by event
	for n := range accounts {
		began := time.Now()
		if err := h.link(first + n); err != nil {
			t.Fatal(err)
		}
		for _, event := range h.events()[len(linked):] {
			linked[event.ID] = began
		}
	}
	var took []time.Duration
	latchtest.Eventually(t, "the healthy endpoints are told everything", func() bool {
		took = nil
		for _, arrival := range h.sink.Arrivals()[before:] {
			if at, ours := linked[arrival.Event]; ours && strings.HasPrefix(arrival.Path, "/healthy") && arrival.Answer == sinktest.Take {
				took = append(took, arrival.At.Sub(at))
			}
		}
		return len(took) >= healthy*accounts
	})
	return took
}

// Half of all endpoints take requests and never answer, as after an outage of
// what is behind them; the others must not notice.
func TestEndpointsThatHangHoldNobodyElseBack(t *testing.T) {
	h := newHouse(t, latchtest.Options{}) // the time limit is that of the field: 10 s
	for n := range endpoints {
		h.listen([]string{"/healthy", "/hanging"}[n%2]+fmt.Sprint(n), 1000)
	}
	calm := p99(h.spread(t, 0, subjects, endpoints/2))
	h.until("all is delivered", time.Minute, func() bool { return h.sink.Pending() == 0 && len(h.sink.Arrivals()) >= endpoints*subjects })
	h.sink.Answer(func(path string) sinktest.Answer {
		if strings.HasPrefix(path, "/hanging") {
			return sinktest.Hang
		}
		return sinktest.Take
	})
	var memory runtime.MemStats
	most := 0
	var shaken []time.Duration
	for round := range 3 { // more and more waits for those that hang
		shaken = append(shaken, h.spread(t, 1000*(round+1), subjects, endpoints/2)...)
		most = max(most, h.sink.Pending())
	}
	runtime.ReadMemStats(&memory)
	slow := p99(shaken)
	fmt.Printf("RESULT W-6.p99-ms %d 5000\n", slow.Milliseconds())
	fmt.Printf("RESULT W-6.p99-ratio %.2f 2\n", float64(slow)/float64(max(calm, 100*time.Millisecond)))
	fmt.Printf("RESULT W-6.hanging-attempts %d %d\n", most, attemptsCap/2)
	t.Logf("p99 %v without and %v with them; %d goroutines, %d MB", calm, slow, runtime.NumGoroutine(), memory.HeapAlloc>>20)
	tooBusy := calm > time.Second // for a limit in seconds: then the ratio says it
	if slow > 5*time.Second && !tooBusy || slow > 2*max(calm, 100*time.Millisecond) {
		t.Errorf("the healthy endpoints were told after %v, and after %v while others hang", calm, slow)
	}
	if most == 0 || most > attemptsCap/2 {
		t.Errorf("%d attempts hang", most)
	}
}
