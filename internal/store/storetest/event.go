package storetest

import (
	"github.com/google/go-cmp/cmp"

	"latchkey"
)

// eventsAfter reads a page of the event log.
func (w *world) eventsAfter(cursor int64, limit int) latchkey.EventPage {
	w.Helper()
	page, err := w.store.EventsAfter(w.Context(), w.organisation.ID, latchkey.Sandbox, cursor, limit)
	w.must(err)
	return page
}

func eventFacts() map[string]func(*world) {
	return map[string]func(*world){
		"the event log is read in pages, each going on where the one before ended": func(w *world) {
			connection := w.happen(w.linked(w.connection("u1", "")), 4)
			var sequences []int64
			page := latchkey.EventPage{More: true}
			for page.More {
				page = w.eventsAfter(page.Cursor, 2)
				for _, event := range page.Events {
					sequences = append(sequences, event.Sequence)
				}
			}
			if diff := cmp.Diff([]int64{1, 2, 3, 4, 5}, sequences); diff != "" {
				w.Error(diff)
			}
			end := w.eventsAfter(page.Cursor, 2)
			if len(end.Events) != 0 || end.More || end.Cursor != page.Cursor {
				w.Errorf("after the end: %+v", end)
			}
			w.happen(connection, 1)
			if next := w.eventsAfter(page.Cursor, 2); len(next.Events) != 1 || next.Events[0].Sequence != 6 {
				w.Errorf("after one more: %+v", next)
			}
		},
		"an event is read just as it was appended": func(w *world) {
			connection := w.connection("u1", "")
			event := w.event(connection, latchkey.EventConnectionCreated)
			event.Body = []byte(`{"name":"<é \u2028>"}`)
			session := w.storedSession()
			w.must(w.store.CompleteLink(w.Context(), advanced(session, latchkey.StateCompleted), 1, connection,
				sealed("c"), latchkey.Consequences{Events: []latchkey.Event{event}}))
			if diff := cmp.Diff([]latchkey.Event{event}, w.eventsAfter(0, 10).Events); diff != "" {
				w.Error(diff)
			}
		},
		"another organisation's events are not shown and its cursors mean nothing": func(w *world) {
			w.linked(w.connection("u1", ""))
			other := newWorld(w.T, w.store)
			if page := other.eventsAfter(0, 10); len(page.Events) != 0 || page.Cursor != 0 {
				w.Errorf("the other organisation sees %+v", page)
			}
			page, err := w.store.EventsAfter(w.Context(), w.organisation.ID, latchkey.Live, 0, 10)
			w.must(err)
			if len(page.Events) != 0 {
				w.Errorf("the other environment sees %+v", page)
			}
			other.linked(other.connection("u1", ""))
			if page := other.eventsAfter(w.eventsAfter(0, 10).Cursor, 10); len(page.Events) != 1 {
				w.Errorf("with a foreign cursor it sees %+v", page)
			}
		},
		"a cursor whose event is gone is before the oldest": func(w *world) {
			w.happen(w.linked(w.connection("u1", "")), 2)
			if page := w.eventsAfter(1<<62, 10); len(page.Events) != 3 {
				w.Errorf("%d events, want all 3", len(page.Events))
			}
		},
	}
}
