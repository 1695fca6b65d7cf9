package storetest

import (
	"fmt"
	"sync"
	"time"

	"latchkey"
)

// happen appends n further events to a linked connection and returns it.
func (w *world) happen(connection latchkey.Connection, n int) latchkey.Connection {
	w.Helper()
	for range n {
		session := w.storedSession()
		connection.Version++
		connection.EventSequence++
		w.must(w.store.CompleteLink(w.Context(), advanced(session, latchkey.StateCompleted), 1, connection,
			sealed("c"), latchkey.Consequences{Events: []latchkey.Event{w.event(connection, latchkey.EventConnectionUpdated)}}))
	}
	return connection
}

func delivered() latchkey.DeliveryOutcome {
	return latchkey.DeliveryOutcome{Delivered: true, Status: 204, At: start}
}

func outboxFacts() map[string]func(*world) {
	return map[string]func(*world){
		"an endpoint is sent what it asked for and nothing else": func(w *world) {
			all, created := w.endpoint("*"), w.endpoint("connection.created", "connection.expired")
			w.endpoint("connection.updated")
			w.linked(w.connection("u1", ""))
			claimed, err := w.take(start, 10, time.Minute)
			w.must(err)
			got := map[string]bool{}
			for _, delivery := range claimed {
				got[delivery.Endpoint.ID] = true
				if string(delivery.Body) != `{"n":1}` || delivery.Attempt != 1 ||
					delivery.EventType != latchkey.EventConnectionCreated || delivery.Endpoint.URL == "" {
					w.Errorf("claimed %+v", delivery)
				}
			}
			if len(claimed) != 2 || !got[all.ID] || !got[created.ID] {
				w.Errorf("claimed for %v", got)
			}
		},
		"an endpoint that is deleted while it is told of something holds nobody up": func(w *world) {
			for round := range 20 {
				leaving := w.endpoint("*")
				var sessions []*latchkey.LinkSession
				for range 8 {
					sessions = append(sessions, w.storedSession())
				}
				w.race(len(sessions), func(i int) error {
					if i == len(sessions)/2 {
						return w.store.DeleteWebhookEndpoint(background(), leaving.OrganisationID, leaving.Environment, leaving.ID,
							w.recordOf(leaving.ID, latchkey.AuditEndpointDeleted))
					}
					connection := w.connection(fmt.Sprint("u", round, ".", i), "")
					return w.store.CompleteLink(w.Context(), advanced(sessions[i], latchkey.StateCompleted), 1, connection,
						sealed("c"), latchkey.Consequences{Events: []latchkey.Event{w.event(connection, latchkey.EventConnectionCreated)}})
				})
			}
			staying := w.endpoint("*")
			last := w.linked(w.connection("last", ""))
			claimed, err := w.take(start.Add(time.Hour), 1000, time.Minute)
			w.must(err)
			if len(claimed) != 1 || claimed[0].Endpoint.ID != staying.ID || claimed[0].Subject != last.ID {
				w.Errorf("claimed %d deliveries, want the last alone: %+v", len(claimed), claimed)
			}
		},
		"events of one connection are claimed one after the other": func(w *world) {
			w.endpoint("*")
			w.happen(w.linked(w.connection("u1", "")), 4)
			for want := range int64(5) {
				claimed, err := w.take(start, 10, time.Minute)
				w.must(err)
				if len(claimed) != 1 || claimed[0].Sequence != want+1 {
					w.Fatalf("claimed %d, first %+v, want sequence %d", len(claimed), claimed, want+1)
				}
				w.must(w.store.FinishDelivery(w.Context(), claimed[0], delivered()))
			}
			claimed, err := w.take(start.Add(time.Hour), 10, time.Minute)
			w.must(err)
			if len(claimed) != 0 {
				w.Error("something is left after the last")
			}
		},
		"a failing delivery holds back its own connection only": func(w *world) {
			w.endpoint("*")
			stuck := w.happen(w.linked(w.connection("u1", "")), 1)
			claimed, err := w.take(start, 10, time.Minute)
			w.must(err)
			w.must(w.store.FinishDelivery(w.Context(), claimed[0], latchkey.DeliveryOutcome{
				Status: 500, RetryAt: start.Add(5 * time.Second), At: start,
			}))
			free := w.linked(w.connection("u2", ""))
			claimed, err = w.take(start.Add(time.Second), 10, time.Minute)
			w.must(err)
			if len(claimed) != 1 || claimed[0].Subject != free.ID {
				w.Fatalf("claimed %+v", claimed)
			}
			claimed, err = w.take(start.Add(6*time.Second), 10, time.Minute)
			w.must(err)
			if len(claimed) != 1 || claimed[0].Subject != stuck.ID || claimed[0].Sequence != 1 || claimed[0].Attempt != 2 {
				w.Errorf("claimed %+v", claimed)
			}
		},
		"who lost the lease finishes nothing": func(w *world) {
			w.endpoint("*")
			w.happen(w.linked(w.connection("u1", "")), 1)
			first, err := w.take(start, 1, time.Minute)
			w.must(err)
			second, err := w.take(start.Add(2*time.Minute), 1, time.Minute)
			w.must(err)
			if len(second) != 1 || second[0].EventID != first[0].EventID {
				w.Fatalf("the lease did not end: %+v", second)
			}
			w.wants(latchkey.Conflict, w.store.FinishDelivery(w.Context(), first[0], delivered()))
			w.must(w.store.FinishDelivery(w.Context(), second[0], delivered()))
			w.wants(latchkey.Conflict, w.store.FinishDelivery(w.Context(), second[0], delivered()))
		},
		"what a dead worker had claimed is claimed again when its lease is over, and at once after the clock was set back": func(w *world) {
			w.endpoint("*")
			w.linked(w.connection("u1", ""))
			lost, err := w.take(start, 1, time.Minute)
			w.must(err)
			for at, want := range map[time.Time]int{
				start.Add(59 * time.Second): 0, start.Add(-2 * time.Minute): 0, start.Add(time.Minute): 1,
			} {
				due, err := w.store.DueEndpoints(w.Context(), at, "", 10)
				w.must(err)
				if len(due) != want {
					w.Errorf("%v after the claim %d endpoints have something due, want %d", at.Sub(start), len(due), want)
				}
			}
			w.finish(lost[0], latchkey.DeliveryOutcome{Status: 500, RetryAt: start.Add(-2 * time.Hour)})
			ahead, err := w.take(start, 1, time.Minute) // by a clock that is set back now
			w.must(err)
			again, err := w.take(start.Add(-time.Hour), 1, time.Minute)
			w.must(err)
			if len(again) != 1 || again[0].EventID != ahead[0].EventID {
				w.Fatalf("claimed %+v after the clock was set back", again)
			}
			w.wants(latchkey.Conflict, w.store.FinishDelivery(w.Context(), ahead[0], delivered()))
			w.must(w.store.FinishDelivery(w.Context(), again[0], delivered()))
		},
		"an endpoint's pace is used up once, however many claim": func(w *world) {
			endpoint := w.endpoint("*")
			for n := range 8 {
				w.linked(w.connection(fmt.Sprint("u", n), ""))
			}
			share := latchkey.DeliveryShare{EndpointID: endpoint.ID, Most: 2, From: start, Interval: time.Second}
			var mu sync.Mutex
			claimed := 0
			w.race(4, func(int) error { // all have read the same
				got, err := w.store.ClaimDeliveries(background(), start, time.Minute, []latchkey.DeliveryShare{share})
				mu.Lock()
				defer mu.Unlock()
				claimed += len(got)
				return err
			})
			due, err := w.store.DueEndpoints(w.Context(), start, "", 10)
			w.must(err)
			if claimed != 2 || len(due) != 1 || !due[0].PacedUntil.Equal(start.Add(2*time.Second)) {
				w.Errorf("%d were claimed at once, and the pace is %+v", claimed, due)
			}
			w.change(endpoint, latchkey.EndpointChange{RateLimit: new(7)})
			if due, err = w.store.DueEndpoints(w.Context(), start, "", 10); err != nil || due[0].RateLimit != 7 {
				w.Errorf("%+v, %v", due, err)
			}
		},
		"after the last attempt the queue is parked and keeps everything": func(w *world) {
			w.endpoint("*")
			connection := w.linked(w.connection("u1", ""))
			claimed, err := w.take(start, 1, time.Minute)
			w.must(err)
			w.must(w.store.FinishDelivery(w.Context(), claimed[0], latchkey.DeliveryOutcome{Status: 500, At: start}))
			w.happen(connection, 1)
			w.linked(w.connection("u2", ""))
			later, err := w.take(start.Add(1000*time.Hour), 10, time.Minute)
			w.must(err)
			list, _, err := w.store.WebhookEndpoints(w.Context(), w.organisation.ID, latchkey.Sandbox, 10, 0)
			w.must(err)
			if len(later) != 0 || list[0].Status != latchkey.EndpointParked {
				w.Errorf("%d deliveries are due, the endpoint is %s", len(later), list[0].Status)
			}
		},
		"an endpoint that says gone is never called again": func(w *world) {
			w.endpoint("*")
			connection := w.happen(w.linked(w.connection("u1", "")), 1)
			claimed, err := w.take(start, 1, time.Minute)
			w.must(err)
			w.must(w.store.FinishDelivery(w.Context(), claimed[0],
				latchkey.DeliveryOutcome{Status: 410, Disable: true, At: start}))
			w.happen(connection, 1)
			later, err := w.take(start.Add(1000*time.Hour), 10, time.Minute)
			w.must(err)
			if len(later) != 0 {
				w.Errorf("%d deliveries are due", len(later))
			}
		},
		"a deleted endpoint is forgotten with its queue": func(w *world) {
			endpoint := w.endpoint("*")
			w.linked(w.connection("u1", ""))
			w.must(w.removeEndpoint(endpoint))
			w.wants(latchkey.NotFound, w.removeEndpoint(endpoint))
			claimed, err := w.take(start, 10, time.Minute)
			w.must(err)
			_, err = w.store.WebhookEndpoint(w.Context(), w.organisation.ID, latchkey.Sandbox, endpoint.ID)
			w.wants(latchkey.NotFound, err)
			if len(claimed) != 0 {
				w.Error("its queue is still claimed")
			}
		},
		"workers racing appenders deliver everything once and in order": racingWorkers,
	}
}

// racingWorkers appends events to several connections while several workers
// claim and finish: what is finished must be each connection's events in
// order, without gap or repetition.
func racingWorkers(w *world) {
	const connections, events, workers = 8, 30, 8
	w.endpoint("*")
	var mu sync.Mutex
	got := map[string][]int64{}
	total := 0
	var appending, working sync.WaitGroup
	for i := range connections {
		connection := w.linked(w.connection(fmt.Sprintf("u%d", i), ""))
		appending.Go(func() { w.happen(connection, events-1) })
	}
	deadline := time.Now().Add(30 * time.Second)
	for range workers {
		working.Go(func() {
			for time.Now().Before(deadline) {
				claimed, err := w.take(start, 3, time.Minute)
				if err != nil {
					w.Error(err)
					return
				}
				for _, delivery := range claimed {
					mu.Lock()
					got[delivery.Subject] = append(got[delivery.Subject], delivery.Sequence)
					total++
					mu.Unlock()
					if err := w.store.FinishDelivery(w.Context(), delivery, delivered()); err != nil {
						w.Error(err)
					}
				}
				mu.Lock()
				finished := total >= connections*events
				mu.Unlock()
				if finished {
					return
				}
			}
		})
	}
	appending.Wait()
	working.Wait()
	for subject, sequences := range got {
		for i, sequence := range sequences {
			if sequence != int64(i+1) {
				w.Errorf("%s was delivered as %v", subject, sequences)
				break
			}
		}
	}
	if total != connections*events {
		w.Errorf("%d of %d were delivered", total, connections*events)
	}
}
