package storetest

import (
	"fmt"
	"time"

	"latchkey"
)

// housekeepingFacts are about what is removed, and what is not.
func housekeepingFacts() map[string]func(*world) {
	return map[string]func(*world){
		"sessions that ended long ago are removed in steps, open ones never": func(w *world) {
			for n := range 7 {
				session := w.session()
				session.CreatedAt = start.Add(time.Duration(n) * time.Second)
				session.UpdatedAt = session.CreatedAt
				if n != 3 {
					session.State = latchkey.StateFailed
				}
				w.must(w.store.CreateLinkSession(w.Context(), session))
			}
			removed, steps, from := int64(0), 0, int64(0)
			for {
				step, err := w.store.RemoveSessions(w.Context(), w.organisation.ID, latchkey.Sandbox, start.Add(5*time.Second), from, 2)
				w.must(err)
				if step.Removed > 3 {
					w.Errorf("a step removed %d", step.Removed)
				}
				removed, steps, from = removed+step.Removed, steps+1, step.Next
				if step.Done {
					break
				}
			}
			left, _, err := w.store.LinkSessions(w.Context(), latchkey.SessionFilter{
				OrganisationID: w.organisation.ID, Environment: latchkey.Sandbox, Limit: 100,
			})
			w.must(err)
			if removed != 4 || len(left) != 3 || steps < 2 {
				w.Errorf("%d were removed in %d steps, %d are left", removed, steps, len(left))
			}
		},
		"an event is removed when it is old and nobody waits for it": func(w *world) {
			w.endpoint("*")
			waits, arrived := w.linked(w.connection("u1", "")), w.linked(w.connection("u2", ""))
			for _, delivery := range w.claim() {
				if delivery.Subject == arrived.ID {
					w.finish(delivery, delivered())
				}
			}
			w.tidyEvents(start) // nothing is that old
			w.wantEvents(2)
			w.tidyEvents(start.Add(time.Hour))
			if left := w.wantEvents(1); left[0].Subject != waits.ID {
				w.Errorf("what is left is of %s", left[0].Subject)
			}
		},
		"what has arrived is removed, what waits is not": func(w *world) {
			endpoint := w.endpoint("*")
			w.linked(w.connection("u1", ""))
			arrived := w.linked(w.connection("u2", ""))
			for _, delivery := range w.claim() {
				if delivery.Subject == arrived.ID {
					w.finish(delivery, delivered())
				}
			}
			step, err := w.store.RemoveDelivered(w.Context(), endpoint.ID, start.Add(time.Hour), 0, 100)
			w.must(err)
			ids, err := w.store.EndpointIDs(w.Context(), "", 10)
			w.must(err)
			if step.Removed != 1 || !step.Done || len(ids) != 1 {
				w.Errorf("%d were removed, done=%v, of %d endpoints", step.Removed, step.Done, len(ids))
			}
			list, _, err := w.store.Deliveries(w.Context(), latchkey.DeliveryFilter{
				OrganisationID: w.organisation.ID, Environment: latchkey.Sandbox, EndpointID: endpoint.ID, Limit: 10,
			})
			w.must(err)
			if len(list) != 1 || list[0].State != latchkey.DeliveryPending {
				w.Errorf("left are %v", list)
			}
		},
		"old records are removed from the beginning of their chains, and the rest is still verified": func(w *world) {
			for n := range 60 {
				w.must(w.store.RecordAudit(w.Context(), latchkey.AuditRecord{
					OrganisationID: w.organisation.ID, Environment: latchkey.Sandbox, Action: latchkey.AuditConsent,
					Subject: fmt.Sprintf("subject_%d", n%20), CreatedAt: start.Add(time.Duration(n) * time.Second),
				}))
			}
			removed := int64(0)
			for lane := range 16 {
				for {
					step, err := w.store.RemoveAudit(w.Context(), w.organisation.ID, lane, start.Add(30*time.Second), 2)
					w.must(err)
					removed += step.Removed
					if step.Done {
						break
					}
				}
			}
			covered, err := w.store.VerifyAudit(w.Context(), w.organisation.ID)
			w.must(err)
			if removed != 30 || covered != 30 {
				w.Errorf("%d were removed, %d are verified", removed, covered)
			}
		},
		"what is revoked is in the journal, once and with its version": func(w *world) {
			connection := w.linked(w.connection("u1", ""))
			w.must(w.store.RevokeAPIKey(w.Context(), w.organisation.ID, latchkey.Sandbox, w.key.ID, start.Add(time.Second),
				latchkey.AuditRecord{OrganisationID: w.organisation.ID, Subject: w.key.ID, CreatedAt: start}))
			ended := connection
			ended.Version++
			ended.EventSequence++
			ended.UpdatedAt = start.Add(2 * time.Second)
			w.must(w.store.RemoveConnection(w.Context(), ended, w.event(ended, latchkey.EventConnectionDisconnected), latchkey.AuditRecord{
				OrganisationID: w.organisation.ID, Subject: ended.ID, CreatedAt: start,
			}))
			var list []latchkey.JournalEntry
			w.must(w.store.Journal(w.Context(), start, func(entry latchkey.JournalEntry) error {
				list = append(list, entry)
				return nil
			}))
			if len(list) != 2 || list[0].Subject != w.key.ID || list[1].Subject != connection.ID || list[1].Version != latchkey.RemovedVersion {
				w.Errorf("the journal has %v", list)
			}
		},
	}
}

// tidyEvents removes events to the last step.
func (w *world) tidyEvents(before time.Time) {
	w.Helper()
	from := int64(0)
	for {
		step, err := w.store.RemoveEvents(w.Context(), before, from, 1)
		w.must(err)
		if from = step.Next; step.Done {
			return
		}
	}
}

// wantEvents wants so many events to be there.
func (w *world) wantEvents(want int) []latchkey.Event {
	w.Helper()
	page, err := w.store.EventsAfter(w.Context(), w.organisation.ID, latchkey.Sandbox, 0, 100)
	w.must(err)
	if len(page.Events) != want {
		w.Fatalf("%d events are left, want %d", len(page.Events), want)
	}
	return page.Events
}
