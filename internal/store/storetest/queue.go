package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
)

// removeEndpoint deletes an endpoint.
func (w *world) removeEndpoint(endpoint latchkey.WebhookEndpoint) error {
	return w.store.DeleteWebhookEndpoint(w.Context(), endpoint.OrganisationID, endpoint.Environment, endpoint.ID,
		w.recordOf(endpoint.ID, latchkey.AuditEndpointDeleted))
}

// change changes an endpoint as of start.
func (w *world) change(endpoint latchkey.WebhookEndpoint, change latchkey.EndpointChange) latchkey.WebhookEndpoint {
	w.Helper()
	change.OrganisationID, change.Environment, change.ID = endpoint.OrganisationID, endpoint.Environment, endpoint.ID
	change.At = start
	changed, err := w.store.UpdateWebhookEndpoint(w.Context(), change, w.recordOf(endpoint.ID, latchkey.AuditEndpointUpdated))
	w.must(err)
	return changed
}

// set gives an endpoint the status.
func (w *world) set(endpoint latchkey.WebhookEndpoint, status latchkey.EndpointStatus) {
	w.Helper()
	if got := w.change(endpoint, latchkey.EndpointChange{Status: status}).Status; got != status {
		w.Fatalf("the endpoint is %s, want %s", got, status)
	}
}

// status reads an endpoint's.
func (w *world) status(endpoint latchkey.WebhookEndpoint) latchkey.EndpointStatus {
	w.Helper()
	got, err := w.store.WebhookEndpoint(w.Context(), endpoint.OrganisationID, endpoint.Environment, endpoint.ID)
	w.must(err)
	return got.Status
}

// take claims up to limit deliveries that are due, of whichever endpoint.
func (w *world) take(now time.Time, limit int, lease time.Duration) ([]latchkey.Delivery, error) {
	due, err := w.store.DueEndpoints(w.Context(), now, "", 1000)
	if err != nil {
		return nil, err
	}
	var list []latchkey.Delivery
	for _, endpoint := range due {
		share := latchkey.DeliveryShare{EndpointID: endpoint.ID, Most: limit - len(list)}
		claimed, err := w.store.ClaimDeliveries(w.Context(), now, lease, []latchkey.DeliveryShare{share})
		if err != nil {
			return nil, err
		}
		if list = append(list, claimed...); len(list) == limit {
			break
		}
	}
	return list, nil
}

// claim takes what is due at start.
func (w *world) claim() []latchkey.Delivery {
	w.Helper()
	claimed, err := w.take(start, 1000, time.Minute)
	w.must(err)
	return claimed
}

// claimOne takes what is due at start, which must be one delivery.
func (w *world) claimOne() latchkey.Delivery {
	w.Helper()
	claimed := w.claim()
	if len(claimed) != 1 {
		w.Fatalf("%d deliveries are due, want 1: %+v", len(claimed), claimed)
	}
	return claimed[0]
}

// none fails the test if anything is due before long.
func (w *world) none() {
	w.Helper()
	claimed, err := w.take(start.Add(10000*time.Hour), 1000, time.Minute)
	w.must(err)
	if len(claimed) != 0 {
		w.Fatalf("%d deliveries are due, want none: %+v", len(claimed), claimed)
	}
}

// drain delivers what is due until nothing is and returns the sequences of each
// subject, in the order in which they came.
func (w *world) drain() map[string][]int64 {
	w.Helper()
	got := map[string][]int64{}
	for claimed := w.claim(); len(claimed) > 0; claimed = w.claim() {
		for _, delivery := range claimed {
			got[delivery.Subject] = append(got[delivery.Subject], delivery.Sequence)
			w.must(w.store.FinishDelivery(w.Context(), delivery, delivered()))
		}
	}
	return got
}

// came fails the test unless exactly these sequences of the subjects came.
func (w *world) came(got, want map[string][]int64) {
	w.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.Fatalf("deliveries (-want +got):\n%s", diff)
	}
}

// finish records how an attempt ended.
func (w *world) finish(delivery latchkey.Delivery, outcome latchkey.DeliveryOutcome) {
	w.Helper()
	outcome.At = start
	w.must(w.store.FinishDelivery(w.Context(), delivery, outcome))
}

// lastFailure is the outcome after which a queue is parked.
var lastFailure = latchkey.DeliveryOutcome{Status: 500}
