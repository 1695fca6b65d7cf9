package main

import (
	"net/http"
	"time"
)

// replayRows are about events that are delivered again, section 5. All of them
// are additions.
var replayRows = []row{
	{id: "5.replay.events", statement: "replay by ids: delivered again, signed anew", plus: true, takes: 2 * time.Second, check: func(s *suite) {
		box := s.listen([]string{"link.session.cancelled"}, nil)
		first := s.cancelled(box)
		s.pause(1100 * time.Millisecond) // so that the second has another second
		s.replay(box, map[string]any{"eventIds": []string{first.header.Get("webhook-id")}}, first)
	}},
	{id: "5.replay.cursor", statement: "replay by cursor: everything after it, in order", plus: true, takes: 2 * time.Second, check: func(s *suite) {
		cursor := s.latest()
		box := s.listen([]string{"link.session.cancelled"}, nil)
		first := s.cancelled(box)
		s.pause(1100 * time.Millisecond)
		s.replay(box, map[string]any{"after": cursor}, first)
	}},
	{id: "5.replay.unknown", statement: "an unknown event is not replayed", plus: true, check: func(s *suite) {
		box := s.listen([]string{"link.session.cancelled"}, nil)
		got := s.call("POST", "/v2/webhook-endpoints/"+box.id+"/replay", map[string]any{"eventIds": []string{"evt_" + s.unique()}})
		if got.status == http.StatusAccepted {
			got.json().at("queued").is(0)
		} else if got.status != http.StatusNotFound {
			got.blames("eventIds")
		}
	}},
}

// replay has events delivered again and waits for the one that has come before.
func (s *suite) replay(box *mailbox, body map[string]any, first hook) {
	told := s.call("POST", "/v2/webhook-endpoints/"+box.id+"/replay", body).want(http.StatusAccepted).json()
	if told.at("queued").whole() < 1 {
		s.failf("%s are queued, want at least 1", told.at("queued"))
	}
	name := first.header.Get("webhook-id")
	again := s.await(box, "the event again", 2, soon, func(h hook) bool { return h.header.Get("webhook-id") == name })[1]
	if string(again.body) != string(first.body) {
		s.failf("the event has other bytes than before")
	}
	if !s.sentAt(again).After(s.sentAt(first)) {
		s.failf("it has the first delivery's timestamp")
	}
	s.signed(again, box.secret)
}
