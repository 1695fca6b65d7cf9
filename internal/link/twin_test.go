package link_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/latchtest"
)

// twins is how many links of one account end in the same moment.
const twins = 16

func TestManyLinksOfOneAccountAtOnceAreOneConnection(t *testing.T) {
	t.Parallel()
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		h := newHouse(t, options)
		sink := latchtest.NewSink(t)
		h.Listen(sink)
		links := make([]begun, twins)
		for i := range links {
			links[i] = h.begin("clientReferenceId", "u")
			links[i].take(agreed)
		}
		release := h.Provider.Hold()
		outcomes, connections := map[string]int{}, map[string]int{}
		var mu sync.Mutex
		var all sync.WaitGroup
		for _, b := range links {
			version := b.stored().Version
			all.Go(func() {
				status, got := b.send(submission{Version: version, Fields: credentials("ada")})
				mu.Lock()
				defer mu.Unlock()
				outcomes[fmt.Sprint(status, " ", got.Status)]++
				connections[got.Data.ID]++
			})
		}
		latchtest.Eventually(t, "every login arrives", func() bool { return h.Provider.Logins() == twins })
		release()
		all.Wait()
		if diff := cmp.Diff(map[string]int{"202 completed": twins}, outcomes); diff != "" {
			t.Error(diff)
		}
		if len(connections) != 1 || len(h.Connections()) != 1 {
			t.Errorf("they became %v, of which %d are listed", connections, len(h.Connections()))
		}
		for _, b := range links {
			if state := b.stored().State; state != latchkey.StateCompleted {
				t.Errorf("a session is left %s", state)
			}
		}
		want := map[string]int{"connection.created": 1, "connection.updated": twins - 1, "link.session.completed": twins}
		latchtest.Eventually(t, "all of it is told", func() bool { return len(types(sink)) >= 2*twins })
		if diff := cmp.Diff(want, counted(types(sink))); diff != "" {
			t.Error(diff)
		}
		h.Want(http.StatusOK, "GET", "/v2/access/self", nil, "x-connection-id", h.Connections()[0].ID)
	})
}

func TestManyConfirmationsOfOneAccountAtOnceAreOneConnection(t *testing.T) {
	t.Parallel()
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newConfirmingHouse(t, options)
		links := make([]held, twins)
		for i := range links {
			links[i] = h.hold("ada", "u")
		}
		ids := map[string]int{}
		var mu sync.Mutex
		var all sync.WaitGroup
		for _, b := range links {
			all.Go(func() {
				answer := h.confirm(b.code, "u")
				if answer.Status != http.StatusOK {
					t.Errorf("answer %d: %s", answer.Status, answer.Body)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				ids[latchtest.Decode[answered](h.Server, answer).Data.ID]++
			})
		}
		all.Wait()
		if len(ids) != 1 || len(h.Connections()) != 1 {
			t.Errorf("they became %v, of which %d are listed", ids, len(h.Connections()))
		}
	})
}
