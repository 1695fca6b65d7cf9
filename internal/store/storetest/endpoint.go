package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
)

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
