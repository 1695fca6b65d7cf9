package storetest

import (
	"fmt"
	"sync"
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

// claim takes what is due at start.
func (w *world) claim() []latchkey.Delivery {
	w.Helper()
	claimed, err := w.store.ClaimDeliveries(w.Context(), start, 1000, time.Minute)
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
	claimed, err := w.store.ClaimDeliveries(w.Context(), start.Add(10000*time.Hour), 1000, time.Minute)
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

func endpointFacts() map[string]func(*world) {
	return map[string]func(*world){
		"a change of an endpoint leaves what it does not name":            endpointChanged,
		"another organisation's endpoint is neither changed nor recorded": foreignEndpointUntouched,
		"every change of an endpoint is recorded with it": func(w *world) {
			endpoint := w.endpoint("*")
			w.set(endpoint, latchkey.EndpointDisabled)
			w.rotate(endpoint, "second")
			w.must(w.removeEndpoint(endpoint))
			records, err := w.store.AuditOf(w.Context(), w.organisation.ID, endpoint.ID)
			w.must(err)
			var got []latchkey.AuditAction
			for _, record := range records {
				got = append(got, record.Action)
			}
			if diff := cmp.Diff([]latchkey.AuditAction{
				latchkey.AuditEndpointCreated, latchkey.AuditEndpointUpdated, latchkey.AuditSecretRotated,
				latchkey.AuditEndpointDeleted,
			}, got); diff != "" {
				w.Error(diff)
			}
		},
		"a rotation keeps the secret before and none from before that": func(w *world) {
			endpoint := w.endpoint("*")
			w.rotated(w.rotate(endpoint, "second"), "second", "sealed")
			w.rotated(w.rotate(endpoint, "third"), "third", "second")
		},
		"a disabled endpoint's queue is held, and goes on in order when it is enabled": func(w *world) {
			endpoint := w.endpoint("*")
			connection := w.happen(w.linked(w.connection("u1", "")), 2)
			w.set(endpoint, latchkey.EndpointDisabled)
			w.none()
			w.happen(connection, 1) // is for no one
			w.set(endpoint, latchkey.EndpointEnabled)
			w.came(w.drain(), map[string][]int64{connection.ID: {1, 2, 3}})
		},
		"a parked endpoint goes on in order when it is enabled, with all its attempts": func(w *world) {
			endpoint := w.endpoint("*")
			connection := w.linked(w.connection("u1", ""))
			failed := w.claimOne()
			failed.Attempt = 17
			w.finish(failed, lastFailure)
			w.happen(connection, 2)
			w.linked(w.connection("u2", ""))
			w.none()
			w.set(endpoint, latchkey.EndpointEnabled)
			for _, delivery := range w.claim() {
				if delivery.Attempt != 1 {
					w.Errorf("attempt %d of %s", delivery.Attempt, delivery.Subject)
				}
				w.finish(delivery, delivered())
			}
			w.came(w.drain(), map[string][]int64{connection.ID: {2, 3}})
			if w.status(endpoint) != latchkey.EndpointEnabled {
				w.Error("it is not enabled")
			}
		},
		"an attempt that ends after its endpoint was disabled moves on what is held": func(w *world) {
			endpoint := w.endpoint("*")
			first := w.happen(w.linked(w.connection("u1", "")), 1)
			second := w.happen(w.linked(w.connection("u2", "")), 1)
			claimed := w.claim()
			w.set(endpoint, latchkey.EndpointDisabled)
			for _, delivery := range claimed {
				outcome := delivered()
				if delivery.Subject == second.ID {
					outcome = latchkey.DeliveryOutcome{Status: 500, RetryAt: start}
				}
				w.finish(delivery, outcome)
			}
			w.none()
			w.set(endpoint, latchkey.EndpointEnabled)
			w.came(w.drain(), map[string][]int64{first.ID: {2}, second.ID: {1, 2}})
		},
		"the last failure of a URL that was replaced does not park the endpoint": func(w *world) {
			endpoint := w.endpoint("*")
			connection := w.linked(w.connection("u1", ""))
			failed := w.claimOne()
			url := "https://shop.example/new"
			w.change(endpoint, latchkey.EndpointChange{URL: &url})
			w.finish(failed, lastFailure)
			again := w.claimOne()
			if again.Endpoint.URL != url || again.Subject != connection.ID || again.Attempt != 1 {
				w.Errorf("claimed %+v", again)
			}
		},
		"events that come while an endpoint is parked, enabled and disabled are all delivered": racingStatus,
		"events that come while an endpoint is deleted leave nothing behind":                   racingDeletion,
	}
}

func endpointChanged(w *world) {
	want := w.endpoint("connection.created", "connection.expired")
	url, description := "https://shop.example/new?token=1", "the new one"
	for _, step := range []struct {
		change latchkey.EndpointChange
		apply  func()
	}{
		{latchkey.EndpointChange{}, func() {}},
		{latchkey.EndpointChange{URL: &url}, func() { want.URL = url }},
		{latchkey.EndpointChange{Events: []string{"*"}}, func() { want.Events = []string{"*"} }},
		{latchkey.EndpointChange{Description: &description}, func() { want.Description = description }},
		{latchkey.EndpointChange{Status: latchkey.EndpointDisabled}, func() { want.Status = latchkey.EndpointDisabled }},
	} {
		step.apply()
		changed := w.change(want, step.change)
		read, err := w.store.WebhookEndpoint(w.Context(), want.OrganisationID, want.Environment, want.ID)
		w.must(err)
		for _, got := range []latchkey.WebhookEndpoint{changed, read} {
			if len(got.PreviousSecret) == 0 {
				got.PreviousSecret = nil
			}
			if diff := cmp.Diff(want, got); diff != "" {
				w.Errorf("%+v:\n%s", step.change, diff)
			}
		}
	}
	empty := ""
	if got := w.change(want, latchkey.EndpointChange{Description: &empty}); got.Description != "" {
		w.Errorf("the description stays %q", got.Description)
	}
}

func foreignEndpointUntouched(w *world) {
	endpoint := w.endpoint("*")
	url := "https://evil.example/"
	for _, owner := range []struct {
		organisation string
		environment  latchkey.Environment
	}{{"org_other", latchkey.Sandbox}, {w.organisation.ID, latchkey.Live}} {
		record := w.recordOf(endpoint.ID, latchkey.AuditEndpointUpdated)
		_, err := w.store.UpdateWebhookEndpoint(w.Context(), latchkey.EndpointChange{
			OrganisationID: owner.organisation, Environment: owner.environment, ID: endpoint.ID, URL: &url,
		}, record)
		w.wants(latchkey.NotFound, err)
		_, err = w.store.RotateEndpointSecret(w.Context(), latchkey.SecretRotation{
			OrganisationID: owner.organisation, Environment: owner.environment, EndpointID: endpoint.ID,
			SealedSecret: []byte("evil"), PreviousUntil: start,
		}, record)
		w.wants(latchkey.NotFound, err)
		w.wants(latchkey.NotFound,
			w.store.DeleteWebhookEndpoint(w.Context(), owner.organisation, owner.environment, endpoint.ID, record))
	}
	got, err := w.store.WebhookEndpoint(w.Context(), endpoint.OrganisationID, endpoint.Environment, endpoint.ID)
	w.must(err)
	records, err := w.store.AuditOf(w.Context(), w.organisation.ID, endpoint.ID)
	w.must(err)
	if got.URL != endpoint.URL || string(got.SealedSecret) != "sealed" || len(records) != 1 {
		w.Errorf("%+v with %d records", got, len(records))
	}
}

// rotate gives an endpoint a new secret for a day.
func (w *world) rotate(endpoint latchkey.WebhookEndpoint, secret string) latchkey.WebhookEndpoint {
	w.Helper()
	rotated, err := w.store.RotateEndpointSecret(w.Context(), latchkey.SecretRotation{
		OrganisationID: endpoint.OrganisationID, Environment: endpoint.Environment, EndpointID: endpoint.ID,
		SealedSecret: []byte(secret), PreviousUntil: start.Add(24 * time.Hour),
	}, w.recordOf(endpoint.ID, latchkey.AuditSecretRotated))
	w.must(err)
	return rotated
}

// rotated checks the secrets of an endpoint, also as a delivery brings them.
func (w *world) rotated(endpoint latchkey.WebhookEndpoint, secret, previous string) {
	w.Helper()
	w.linked(w.connection("of "+secret, ""))
	claimed := w.claimOne()
	for _, got := range []latchkey.WebhookEndpoint{endpoint, claimed.Endpoint} {
		if string(got.SealedSecret) != secret || string(got.PreviousSecret) != previous ||
			!got.PreviousUntil.Equal(start.Add(24*time.Hour)) {
			w.Errorf("secrets %q and %q until %v", got.SealedSecret, got.PreviousSecret, got.PreviousUntil)
		}
	}
}

// racingStatus appends events while the endpoint changes its status and never
// sends it anything that it was queued for twice or out of order.
func racingStatus(w *world) {
	const connections, events = 6, 20
	endpoint := w.endpoint("*")
	var appending, changing sync.WaitGroup
	appended := make(chan struct{})
	for i := range connections {
		appending.Go(func() { w.happen(w.linked(w.connection(fmt.Sprintf("u%d", i), "")), events-1) })
	}
	changing.Go(func() {
		for {
			select {
			case <-appended:
				w.set(endpoint, latchkey.EndpointEnabled)
				return
			default:
			}
			for _, delivery := range w.claim() { // and fail for the last time
				err := w.store.FinishDelivery(w.Context(), delivery, latchkey.DeliveryOutcome{Status: 500, At: start})
				if err != nil && latchkey.CodeOf(err) != latchkey.Conflict {
					w.Error(err)
				}
			}
			w.set(endpoint, latchkey.EndpointEnabled)
		}
	})
	appending.Wait()
	close(appended)
	changing.Wait()
	total := 0
	for subject, sequences := range w.drain() {
		total += len(sequences)
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

// racingDeletion deletes endpoints while events are queued for them. A head
// that was left behind would fail every claim.
func racingDeletion(w *world) {
	var appending sync.WaitGroup
	ended := make(chan struct{})
	for i := range 4 {
		appending.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-ended:
					return
				default:
					w.linked(w.connection(fmt.Sprintf("u%d.%d", i, n), ""))
				}
			}
		})
	}
	for range 20 {
		w.must(w.removeEndpoint(w.endpoint("*")))
	}
	close(ended)
	appending.Wait()
	w.none()
}
