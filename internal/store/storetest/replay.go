package storetest

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"latchkey"
)

// cursors returns the cursor before each of the organisation's events and the
// one after the last.
func (w *world) cursors() []int64 {
	w.Helper()
	list := []int64{0}
	for {
		page, err := w.store.EventsAfter(w.Context(), w.organisation.ID, latchkey.Sandbox, list[len(list)-1], 1)
		w.must(err)
		if len(page.Events) == 0 {
			return list
		}
		list = append(list, page.Cursor)
	}
}

// replay replays to an endpoint, as of start.
func (w *world) replay(endpoint latchkey.WebhookEndpoint, after int64, eventIDs ...string) (int64, error) {
	return w.store.ReplayDeliveries(w.Context(), latchkey.Replay{
		OrganisationID: endpoint.OrganisationID, Environment: endpoint.Environment, EndpointID: endpoint.ID,
		After: after, EventIDs: eventIDs, At: start,
	}, w.recordOf(endpoint.ID, latchkey.AuditEndpointUpdated))
}

// replays replays and fails the test unless so many were queued.
func (w *world) replays(want int64, endpoint latchkey.WebhookEndpoint, after int64, eventIDs ...string) {
	w.Helper()
	queued, err := w.replay(endpoint, after, eventIDs...)
	w.must(err)
	if queued != want {
		w.Fatalf("%d were queued, want %d", queued, want)
	}
}

// eventIDs returns the ids of all events in the order of the log.
func (w *world) eventIDs() []string {
	w.Helper()
	page, err := w.store.EventsAfter(w.Context(), w.organisation.ID, latchkey.Sandbox, 0, 1000)
	w.must(err)
	var ids []string
	for _, event := range page.Events {
		ids = append(ids, event.ID)
	}
	return ids
}

func replayFacts() map[string]func(*world) {
	return map[string]func(*world){
		"what was delivered comes again from the cursor on, in order": func(w *world) {
			endpoint := w.endpoint("*")
			connection := w.happen(w.linked(w.connection("u1", "")), 4)
			w.came(w.drain(), map[string][]int64{connection.ID: {1, 2, 3, 4, 5}})
			w.replays(3, endpoint, w.cursors()[2])
			w.came(w.drain(), map[string][]int64{connection.ID: {3, 4, 5}})
			w.replays(5, endpoint, 0)
			w.came(w.drain(), map[string][]int64{connection.ID: {1, 2, 3, 4, 5}})
			w.replays(0, endpoint, w.cursors()[5])
			w.none()
		},
		"old and new events come in order, the old ones first": func(w *world) {
			endpoint := w.endpoint("*")
			connection := w.happen(w.linked(w.connection("u1", "")), 2)
			w.drain()
			connection = w.happen(connection, 2) // wait
			w.replays(4, endpoint, w.cursors()[1])
			w.happen(connection, 1)
			w.came(w.drain(), map[string][]int64{connection.ID: {2, 3, 4, 5, 6}})
		},
		"an attempt under way is fenced off and its event comes after the older ones": func(w *world) {
			endpoint := w.endpoint("*")
			connection := w.linked(w.connection("u1", ""))
			w.drain()
			w.happen(connection, 1)
			underWay := w.claimOne()
			w.replays(1, endpoint, 0, w.eventIDs()[0])
			w.wants(latchkey.Conflict, w.store.FinishDelivery(w.Context(), underWay, delivered()))
			w.came(w.drain(), map[string][]int64{connection.ID: {1, 2}})
		},
		"an event that waits already is not overtaken by a newer one": func(w *world) {
			endpoint := w.endpoint("*")
			connection := w.happen(w.linked(w.connection("u1", "")), 1)
			w.finish(w.claimOne(), latchkey.DeliveryOutcome{Status: 500, RetryAt: start.Add(1 << 40)})
			w.replays(1, endpoint, 0, w.eventIDs()[1])
			w.came(w.drain(), map[string][]int64{connection.ID: {1, 2}})
		},
		"an endpoint is sent what happened before it was made, as far as it wants it": func(w *world) {
			first := w.happen(w.linked(w.connection("u1", "")), 2)
			second := w.linked(w.connection("u2", ""))
			all, created := w.endpoint("*"), w.endpoint("connection.created")
			w.replays(4, all, 0)
			w.came(w.drain(), map[string][]int64{first.ID: {1, 2, 3}, second.ID: {1}})
			w.replays(2, created, 0)
			w.came(w.drain(), map[string][]int64{first.ID: {1}, second.ID: {1}})
			w.replays(1, created, 0, w.eventIDs()[:2]...)
			w.came(w.drain(), map[string][]int64{first.ID: {1}})
		},
		"only the endpoint that asked is sent anything again": func(w *world) {
			endpoint := w.endpoint("*")
			w.endpoint("*")
			w.linked(w.connection("u1", ""))
			w.drain()
			w.replays(1, endpoint, 0)
			if claimed := w.claimOne(); claimed.Endpoint.ID != endpoint.ID || claimed.Attempt != 1 {
				w.Errorf("claimed %+v", claimed)
			}
		},
		"an unknown or foreign event or endpoint is not found and nothing is queued": func(w *world) {
			endpoint := w.endpoint("*")
			w.linked(w.connection("u1", ""))
			w.drain()
			mine := w.eventIDs()[0]
			other := newWorld(w.T, w.store)
			other.linked(other.connection("u1", ""))
			for _, ids := range [][]string{
				{latchkey.NewID(rand.Reader, latchkey.PrefixEvent)}, {other.eventIDs()[0]},
				{mine, other.eventIDs()[0]}, {mine, "evt_"},
			} {
				_, err := w.replay(endpoint, 0, ids...)
				w.wants(latchkey.NotFound, err)
			}
			foreign := endpoint
			for _, foreign.OrganisationID = range []string{other.organisation.ID, "org_unknown"} {
				_, err := w.replay(foreign, 0)
				w.wants(latchkey.NotFound, err)
			}
			foreign.OrganisationID, foreign.Environment = w.organisation.ID, latchkey.Live
			_, err := w.replay(foreign, 0)
			w.wants(latchkey.NotFound, err)
			w.none()
		},
		"a cursor that is not the organisation's is before the oldest": func(w *world) {
			endpoint := w.endpoint("*")
			w.linked(w.connection("u1", ""))
			other := newWorld(w.T, w.store)
			other.linked(other.connection("u1", ""))
			w.drain()
			w.replays(1, endpoint, other.cursors()[1])
			w.replays(1, endpoint, 1<<62)
		},
		"a parked endpoint is enabled by a replay, its whole queue is due, and that is recorded": func(w *world) {
			endpoint := w.endpoint("*")
			first, second := w.linked(w.connection("u1", "")), w.linked(w.connection("u2", ""))
			for _, delivery := range w.claim() {
				if delivery.Subject == first.ID {
					w.finish(delivery, delivered())
				} else {
					w.finish(delivery, lastFailure)
				}
			}
			w.none()
			w.replays(1, endpoint, 0, w.eventIDs()[0])
			w.came(w.drain(), map[string][]int64{first.ID: {1}, second.ID: {1}})
			records, err := w.store.AuditOf(w.Context(), w.organisation.ID, endpoint.ID)
			w.must(err)
			if w.status(endpoint) != latchkey.EndpointEnabled || len(records) != 2 {
				w.Errorf("the endpoint is %s, with %d records", w.status(endpoint), len(records))
			}
		},
		"what is replayed to a disabled endpoint waits until it is enabled": func(w *world) {
			endpoint := w.endpoint("*")
			connection := w.linked(w.connection("u1", ""))
			w.drain()
			w.set(endpoint, latchkey.EndpointDisabled)
			w.happen(connection, 1) // is for no one, until it is replayed
			w.replays(2, endpoint, 0)
			w.none()
			w.set(endpoint, latchkey.EndpointEnabled)
			w.came(w.drain(), map[string][]int64{connection.ID: {1, 2}})
		},
		"replays racing appenders and workers leave nothing behind and skip nothing": racingReplays,
	}
}

// racingReplays replays from anywhere while events are appended and delivered.
// Of each connection what is claimed next follows what was claimed before, or
// comes again; in the end everything has been delivered.
func racingReplays(w *world) {
	const connections, events, replays, workers = 4, 15, 12, 3
	endpoint := w.endpoint("*")
	var claiming sync.Mutex
	last := map[string]int64{}
	work := func() int {
		claiming.Lock()
		claimed, err := w.take(start, 3, time.Minute)
		for _, delivery := range claimed {
			if delivery.Sequence > last[delivery.Subject]+1 {
				w.Errorf("%s: %d is claimed after %d", delivery.Subject, delivery.Sequence, last[delivery.Subject])
			}
			last[delivery.Subject] = delivery.Sequence
		}
		claiming.Unlock()
		if err != nil {
			w.Error(err)
		}
		for _, delivery := range claimed {
			err := w.store.FinishDelivery(w.Context(), delivery, delivered())
			if err != nil && latchkey.CodeOf(err) != latchkey.Conflict {
				w.Error(err)
			}
		}
		return len(claimed)
	}
	var appending, working sync.WaitGroup
	appended := make(chan struct{})
	for i := range connections {
		appending.Go(func() { w.happen(w.linked(w.connection(fmt.Sprintf("u%d", i), "")), events-1) })
	}
	for range workers {
		working.Go(func() {
			for {
				select {
				case <-appended:
					return
				default:
					work()
				}
			}
		})
	}
	for i := range replays {
		known := w.cursors()
		_, err := w.replay(endpoint, known[i*len(known)/replays])
		w.must(err)
	}
	appending.Wait()
	close(appended)
	working.Wait()
	for work() > 0 {
		continue
	}
	if pending, _ := w.deliveries(endpoint, latchkey.DeliveryPending, 100, 0); len(pending) != 0 {
		w.Errorf("%d deliveries are left", len(pending))
	}
	if done, _ := w.deliveries(endpoint, latchkey.DeliveryDelivered, 100, 0); len(done) != connections*events {
		w.Errorf("%d of %d are delivered", len(done), connections*events)
	}
}
