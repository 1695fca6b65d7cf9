package hooktest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/scaletest"
	"latchkey/internal/latchtest/sinktest"
)

const (
	settle        = time.Second // after a change, nothing more may come to where it went before
	editedAtOnce  = 6
	editedRetries = 20 * time.Second // that the app's time is moved by, again and again, so that retries are due
)

// left is a place that an endpoint went away from.
type left struct {
	path string
	at   time.Time
}

// edit gives an endpoint a new URL, disables and enables it, and at last deletes
// it, so many times, and returns the places that it left.
func (h *house) edit(number, edits int) (places []left) {
	path := func(edit int) string { return fmt.Sprintf("/mine/%d/%d", number, edit) }
	made := h.listen(path(0), 1000)
	change := func(body map[string]any) {
		h.Want(http.StatusOK, "PATCH", "/v2/webhook-endpoints/"+made.ID, body)
	}
	for edit := range edits {
		h.arrive(path(edit))
		switch rand.IntN(3) {
		case 0: // at once
			change(map[string]any{"url": h.sink.URL + path(edit+1)})
		case 1: // off, elsewhere, on
			change(map[string]any{"status": "disabled"})
			places = append(places, left{path(edit), time.Now()})
			change(map[string]any{"url": h.sink.URL + path(edit+1), "status": "enabled"})
		case 2: // gone for good, and another in its place
			h.Want(http.StatusNoContent, "DELETE", "/v2/webhook-endpoints/"+made.ID, nil)
			places = append(places, left{path(edit), time.Now()})
			made = h.listen(path(edit+1), 1000)
		}
		places = append(places, left{path(edit), time.Now()})
	}
	h.Want(http.StatusNoContent, "DELETE", "/v2/webhook-endpoints/"+made.ID, nil)
	return append(places, left{path(edits), time.Now()})
}

// arrive waits until something came to the path.
func (h *house) arrive(path string) {
	latchtest.Eventually(h.TB, "something comes to "+path, func() bool {
		for _, arrival := range h.sink.Arrivals() {
			if arrival.Path == path {
				return true
			}
		}
		return false
	})
}

// Endpoints are edited, disabled and deleted while events happen and retries are
// due. Beside them another organisation has one of its own.
func TestNothingGoesToWhereAnEndpointWasBefore(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.HookTimeout = 500 * time.Millisecond
		h := newHouse(t, options)
		h.sink.Answer(sinktest.Failing(0.5))
		theirs := h.stranger(t)
		ended := make(chan struct{})
		var working, editing sync.WaitGroup
		working.Go(func() { // load, and time
			for n := 0; ; n++ {
				select {
				case <-ended:
					return
				default:
				}
				if err := h.link(n % 40); err != nil {
					t.Error(err)
				}
				if n%20 == 0 {
					h.Clock.Move(editedRetries)
				}
			}
		})
		var mu sync.Mutex
		var places []left
		for number := range editedAtOnce {
			editing.Go(func() {
				gone := h.edit(number, scaletest.Of(6, 100))
				mu.Lock()
				defer mu.Unlock()
				places = append(places, gone...)
			})
		}
		editing.Wait()
		h.waitOut(settle)
		close(ended)
		working.Wait()
		late := 0
		for _, place := range places {
			for _, arrival := range h.sink.Arrivals() {
				if arrival.Path == place.path && arrival.At.Sub(place.at) > settle {
					late++
				}
			}
		}
		leaks := 0
		for _, arrival := range h.sink.Arrivals() {
			if strings.HasPrefix(arrival.Path, theirs) {
				leaks++
			}
		}
		fmt.Printf("RESULT W-10.late %d 0\n", late)
		fmt.Printf("RESULT W-10.leaks %d 0\n", leaks)
		t.Logf("%d places were left, %d requests came", len(places), len(h.sink.Arrivals()))
		if late+leaks > 0 {
			t.Errorf("%d requests went to where an endpoint was more than %v before, %d to another organisation", late, settle, leaks)
		}
	})
}

// stranger makes another organisation, which has an endpoint and is told of
// nothing, and returns the endpoint's path.
func (h *house) stranger(t *testing.T) string {
	t.Helper()
	made, err := h.App.Setup(t.Context(), latchtest.Setup{
		Organisation: "Stranger", AppName: "Theirs", Domain: "stranger.example", RedirectURIs: []string{"https://stranger.example/back"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range made {
		if one.Environment == h.caller().Environment {
			h.Want(http.StatusCreated, "POST", "/v2/webhook-endpoints", map[string]any{"url": h.sink.URL + "/theirs"}, "apikey", one.Key)
		}
	}
	return "/theirs"
}

// waitOut lets so much time pass, while the load goes on.
func (h *house) waitOut(longer time.Duration) {
	passed := time.NewTimer(2 * longer)
	<-passed.C
}
