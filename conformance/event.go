package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// eventShape is any event's body.
var eventShape = object(map[string]shape{
	"id": id("evt_"), "type": filled, "eventType": filled, "timestamp": moment, "live": flagged,
	"data": object(map[string]shape{"clientReferenceId": orNull(text)}),
})

// eventRows are about the list of events, section 3. All of them are
// additions.
var eventRows = []row{
	{id: "3.events.shape", statement: "{list, hasMore, cursor}; the entries are the bodies of webhooks", plus: true, check: func(s *suite) {
		s.link("creator", nil)
		told := s.call("GET", "/v2/events?limit=3", nil).ok()
		told.fits(object(map[string]shape{"list": listOf(eventShape), "hasMore": flagged, "cursor": filled}))
		if n := len(told.at("list").list()); n < 1 || n > 3 {
			s.failf("with limit=3 there are %d events", n)
		}
	}},
	{id: "3.events.oldest", statement: "without after, it begins at the oldest kept", plus: true, check: func(s *suite) {
		s.link("creator", nil)
		first := s.call("GET", "/v2/events?limit=1", nil).ok()
		again := s.call("GET", "/v2/events?limit=2", nil).ok()
		again.at("list.0.id").is(first.at("list.0.id").text())
		next := s.call("GET", "/v2/events?limit=1&after="+first.at("cursor").text(), nil).ok()
		next.at("list.0.id").is(again.at("list.1.id").text())
	}},
	{id: "3.events.complete", statement: "the cursor misses nothing and repeats nothing", plus: true, check: eventsComplete},
	{id: "3.events.durable", statement: "a cursor is good for ever: the same one gives the same", plus: true, check: func(s *suite) {
		cursor := s.latest()
		c := s.link("creator", nil)
		s.tells(cursor, c.id, "connection.created")
		one := s.call("GET", "/v2/events?limit=2&after="+cursor, nil).ok()
		s.call("GET", "/v2/events?limit=2&after="+cursor, nil).ok().at("list").is(one.at("list").data)
	}},
	{id: "3.events.empty", statement: "at the end the page is empty and the cursor comes back", plus: true, check: func(s *suite) {
		s.eventually("an empty page", 20*time.Second, func() bool {
			cursor := s.latest()
			told := s.call("GET", "/v2/events?after="+cursor, nil).ok()
			if len(told.at("list").list()) > 0 { // another row was faster
				return false
			}
			told.at("cursor").is(cursor)
			told.at("hasMore").is(false)
			return true
		})
	}},
	{id: "3.events.same-as-webhook", statement: "an event is byte for byte what the webhook told", plus: true, check: func(s *suite) {
		box, cursor := s.post(), s.latest()
		c := s.link("creator", nil)
		came := s.hear(box, "connection.created", c.id)
		s.tells(cursor, c.id, "connection.created")
		for _, event := range s.eventsSince(cursor) {
			if event.at("id").data == came.event.at("id").data {
				event.is(came.event.data)
				return
			}
		}
		s.failf("the event of the webhook is not in the list")
	}},
	{id: "3.events.bounds", statement: "limit is 1 to 100, after a cursor: else 400 naming it", plus: true, check: func(s *suite) {
		s.call("GET", "/v2/events?limit=100", nil).want(http.StatusOK)
		for _, bad := range []string{"0", "101", "x"} {
			s.call("GET", "/v2/events?limit="+bad, nil).blames("limit")
		}
		s.call("GET", "/v2/events?after=nonsense!", nil).blames("after")
	}},
}

// lastCursor is the latest end of the events that any row has seen, so that
// nobody walks the whole past twice.
type lastCursor struct {
	mu    sync.Mutex
	known string
}

// latest returns the cursor of the end of the events.
func (s *suite) latest() string {
	s.events.mu.Lock()
	from := s.events.known
	s.events.mu.Unlock()
	cursor, _ := s.walk(from)
	s.events.mu.Lock()
	s.events.known = cursor
	s.events.mu.Unlock()
	return cursor
}

// eventsSince returns the events after the cursor, to the end.
func (s *suite) eventsSince(cursor string) []value {
	_, events := s.walk(cursor)
	return events
}

// walk goes from the cursor to the end, and returns the end's cursor and what
// it has seen on the way.
func (s *suite) walk(cursor string) (string, []value) {
	var events []value
	for {
		path := "/v2/events?limit=100"
		if cursor != "" {
			path += "&after=" + cursor
		}
		told := s.call("GET", path, nil).ok()
		events = append(events, told.at("list").list()...)
		cursor = told.at("cursor").text()
		if !told.at("hasMore").flag() {
			return cursor, events
		}
	}
}

// tells waits until the events after the cursor that are about the connection
// or session are those, in this order.
func (s *suite) tells(cursor, subject string, wanted ...string) []value {
	var told []value
	var kinds []string
	s.eventually("the events "+strings.Join(wanted, ", "), soon, func() bool {
		told, kinds = nil, nil
		for _, event := range s.eventsSince(cursor) {
			if event.at("data.connection.id").data == any(subject) || event.at("data.session.id").data == any(subject) {
				told, kinds = append(told, event), append(kinds, event.at("type").text())
			}
		}
		return len(kinds) >= len(wanted)
	})
	if !slices.Equal(kinds, wanted) {
		s.failf("the events are %v, want %v", kinds, wanted)
	}
	return told
}

// eventsComplete makes events while it reads them in small pages, and compares
// with what stands there afterwards.
func eventsComplete(s *suite) {
	start := s.latest()
	missing := map[string]bool{}
	for range 4 {
		missing[s.link("fan", nil).id] = true
	}
	var read []string
	cursor := start
	s.eventually("every connection that was made", 20*time.Second, func() bool {
		if len(read) < 12 { // more happens while we read
			missing[s.link("fan", nil).id] = true
		}
		told := s.call("GET", fmt.Sprintf("/v2/events?limit=%d&after=%s", 1+len(read)%5, cursor), nil).ok()
		for _, event := range told.at("list").list() {
			read = append(read, event.at("id").text())
			if name, ok := event.at("data.connection.id").data.(string); ok {
				delete(missing, name)
			}
		}
		cursor = told.at("cursor").text()
		return len(missing) == 0
	})
	var whole []string
	for _, event := range s.eventsSince(start) {
		whole = append(whole, event.at("id").text())
	}
	if len(whole) < len(read) || !slices.Equal(whole[:len(read)], read) {
		s.failf("what was read in %d small pages is not what is there now: %v, then %v", len(read), read, whole)
	}
}
