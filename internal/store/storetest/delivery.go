package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
)

// deliveries lists an endpoint's deliveries.
func (w *world) deliveries(endpoint latchkey.WebhookEndpoint, state latchkey.DeliveryState, limit, offset int,
) ([]latchkey.DeliveryRecord, bool) {
	w.Helper()
	list, more, err := w.store.Deliveries(w.Context(), latchkey.DeliveryFilter{
		OrganisationID: endpoint.OrganisationID, Environment: endpoint.Environment, EndpointID: endpoint.ID,
		State: state, Limit: limit, Offset: offset,
	})
	w.must(err)
	return list, more
}

func deliveryFacts() map[string]func(*world) {
	return map[string]func(*world){
		"deliveries tell how far they have come, the last queued first": func(w *world) {
			endpoint := w.endpoint("*")
			connection := w.happen(w.linked(w.connection("u1", "")), 2)
			w.finish(w.claimOne(), latchkey.DeliveryOutcome{Delivered: true, Status: 201, Excerpt: "thanks"})
			w.finish(w.claimOne(), latchkey.DeliveryOutcome{Status: 500, Excerpt: "oops", RetryAt: start.Add(time.Hour)})
			ids := w.eventIDs()
			record := latchkey.DeliveryRecord{Subject: connection.ID, UpdatedAt: start}
			created, failed, waiting := record, record, record
			created.EventID, created.EventType, created.State = ids[0], latchkey.EventConnectionCreated, latchkey.DeliveryDelivered
			created.Attempts, created.LastStatus, created.Excerpt = 1, 201, "thanks"
			failed.EventID, failed.EventType, failed.State = ids[1], latchkey.EventConnectionUpdated, latchkey.DeliveryPending
			failed.Attempts, failed.LastStatus, failed.Excerpt, failed.NextAttemptAt = 1, 500, "oops", start.Add(time.Hour)
			waiting.EventID, waiting.EventType, waiting.State = ids[2], latchkey.EventConnectionUpdated, latchkey.DeliveryPending
			for state, want := range map[latchkey.DeliveryState][]latchkey.DeliveryRecord{
				"": {waiting, failed, created}, latchkey.DeliveryPending: {waiting, failed}, latchkey.DeliveryDelivered: {created},
			} {
				got, more := w.deliveries(endpoint, state, 10, 0)
				if diff := cmp.Diff(want, got); diff != "" || more {
					w.Errorf("%q, more %v:\n%s", state, more, diff)
				}
			}
			page, more := w.deliveries(endpoint, "", 1, 1)
			if len(page) != 1 || page[0].EventID != failed.EventID || !more {
				w.Errorf("the second page is %+v, more %v", page, more)
			}
			w.set(endpoint, latchkey.EndpointDisabled)
			held, _ := w.deliveries(endpoint, latchkey.DeliveryPending, 10, 0)
			if !held[1].NextAttemptAt.IsZero() {
				w.Errorf("an attempt is planned at %v though the endpoint is disabled", held[1].NextAttemptAt)
			}
		},
		"a delivery that is replayed is queued anew": func(w *world) {
			endpoint := w.endpoint("*")
			w.linked(w.connection("u1", ""))
			second := w.linked(w.connection("u2", ""))
			w.drain()
			queued, err := w.store.ReplayDeliveries(w.Context(), latchkey.Replay{
				OrganisationID: endpoint.OrganisationID, Environment: endpoint.Environment, EndpointID: endpoint.ID,
				EventIDs: w.eventIDs()[:1], At: start.Add(time.Minute),
			}, latchkey.AuditRecord{})
			w.must(err)
			list, _ := w.deliveries(endpoint, "", 10, 0)
			if queued != 1 || len(list) != 2 || list[1].Subject != second.ID || list[0].State != latchkey.DeliveryPending ||
				list[0].Attempts != 0 || list[0].LastStatus != 0 || !list[0].UpdatedAt.Equal(start.Add(time.Minute)) ||
				!list[0].NextAttemptAt.Equal(start.Add(time.Minute)) {
				w.Errorf("%d were queued; deliveries %+v", queued, list)
			}
		},
		"another organisation's deliveries are not shown": func(w *world) {
			endpoint := w.endpoint("*")
			w.linked(w.connection("u1", ""))
			for _, foreign := range []latchkey.WebhookEndpoint{
				{ID: endpoint.ID, OrganisationID: "org_other", Environment: latchkey.Sandbox},
				{ID: endpoint.ID, OrganisationID: w.organisation.ID, Environment: latchkey.Live},
				{ID: "we_unknown", OrganisationID: w.organisation.ID, Environment: latchkey.Sandbox},
			} {
				if list, _ := w.deliveries(foreign, "", 10, 0); len(list) != 0 {
					w.Errorf("%d are shown", len(list))
				}
			}
		},
	}
}
