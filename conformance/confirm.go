package main

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// confirmRows are about client apps that require confirmation, section 2. All
// of them are additions.
var confirmRows = []row{
	{id: "2.confirm.reference-required", statement: "init then needs a clientReferenceId: else 400", plus: true, check: func(s *suite) {
		s.call("POST", "/v2/link/init", s.confirmingApp().fields()).blames("clientReferenceId")
	}},
	{id: "2.confirm.code", statement: "the redirect carries a code and no connection_id", plus: true, check: func(s *suite) {
		l, back, _ := s.toConfirm()
		if back.Get("status") != "success" || back.Has("connection_id") || back.Get("client_reference_id") != l.reference ||
			back.Get("session_id") != l.id {
			s.failf("the redirect carries %v", names(back))
		}
		if len(back.Get("code")) < 22 {
			s.failf("the code has only %d characters", len(back.Get("code")))
		}
	}},
	{id: "2.confirm.pending", statement: "until then the session is pending at the step confirm", plus: true, check: func(s *suite) {
		l, _, _ := s.toConfirm()
		told := l.status()
		told.at("status").is("pending")
		told.at("data.step.name").is("confirm")
		if told.has("data.id") || told.has("data.userData") {
			s.failf("the status tells of the account before it is confirmed")
		}
	}},
	{id: "2.confirm.nothing-before", statement: "no connection, no event and no webhook before it is confirmed", plus: true, check: nothingBefore},
	{id: "2.confirm.once", statement: "confirmed once, it is completed, with access", plus: true, check: func(s *suite) {
		l, back, _ := s.toConfirm()
		told := l.confirm(back.Get("code"), l.reference).ok()
		told.at("status").is("completed")
		told.at("data.userData").fits(userShape)
		id := told.at("data.id").fits(id("conn_")).text()
		s.forget(id)
		l.status().is(told.data)
		s.access("GET", id, "/me").want(http.StatusOK)
		s.call("GET", "/v2/account/connections/"+id, nil).ok().at("clientReferenceId").is(l.reference)
	}},
	{id: "2.confirm.webhook", statement: "then connection.created is told", plus: true, check: func(s *suite) {
		box := s.post()
		l, back, _ := s.toConfirm()
		id := l.confirm(back.Get("code"), l.reference).ok().at("data.id").text()
		s.forget(id)
		s.hear(box, "connection.created", id)
		s.hear(box, "link.session.completed", l.id)
	}},
	{id: "2.confirm.twice", statement: "a second time: 400 naming the code", plus: true, check: func(s *suite) {
		l, back, _ := s.toConfirm()
		s.forget(l.confirm(back.Get("code"), l.reference).ok().at("data.id").text())
		l.confirm(back.Get("code"), l.reference).blames("code")
	}},
	{id: "2.confirm.race", statement: "eight times at once: once", plus: true, check: func(s *suite) {
		l, back, _ := s.toConfirm()
		good := 0
		for _, got := range s.together(8, func(int) answer { return l.confirm(back.Get("code"), l.reference) }) {
			if got.status == http.StatusOK {
				good++
				s.forget(got.json().at("data.id").text())
			}
		}
		if good != 1 {
			s.failf("%d were confirmed, want 1", good)
		}
	}},
	{id: "2.confirm.wrong-reference", statement: "another reference: 400 naming it, and the link is dead", plus: true, check: func(s *suite) {
		l, back, _ := s.toConfirm()
		l.confirm(back.Get("code"), s.reference()).blames("clientReferenceId")
		l.confirm(back.Get("code"), l.reference).blames("code")
		l.status().at("status").fits(oneOf("denied", "failed"))
		s.call("GET", "/v2/account/connections?clientReferenceId="+l.reference, nil).ok().at("list").is([]any{})
	}},
	{id: "2.confirm.unknown", statement: "an unknown code: 400 naming it", plus: true, check: func(s *suite) {
		l := session{s: s}
		l.confirm("unknown"+s.unique(), s.reference()).blames("code")
		s.call("POST", "/v2/link/confirm", map[string]any{"clientReferenceId": s.reference()}).blames("code")
		s.call("POST", "/v2/link/confirm", map[string]any{"code": "unknown"}).blames("clientReferenceId")
	}},
	{id: "2.confirm.cancelled", statement: "a cancelled link has nothing to confirm", plus: true, check: func(s *suite) {
		l := s.begin(s.confirmingApp(), nil)
		l.carries(s.open(l.url).press("cancel").parameters(), "status", "cancelled", "step", "pre-login", "client_reference_id", l.reference)
	}},
	{
		id: "2.confirm.late", statement: "the code is good for 60 seconds", plus: true, long: true, takes: 62 * time.Second,
		check: func(s *suite) {
			l, back, _ := s.toConfirm()
			s.pause(61 * time.Second)
			l.confirm(back.Get("code"), l.reference).blames("code")
		},
	},
}

// confirmingApp makes a client app that requires confirmation.
func (s *suite) confirmingApp() clientApp {
	return s.newApp(redirectApp, map[string]any{"requireConfirmation": true})
}

// toConfirm signs an account in, up to the code that comes with the redirect.
func (s *suite) toConfirm() (l session, back url.Values, address string) {
	l = s.begin(s.confirmingApp(), nil)
	address = s.address("creator")
	return l, s.open(l.url).finish(address, goodPassword).parameters(), address
}

// confirm hands a code in, as the app's backend does.
func (l session) confirm(code, reference string) answer {
	return l.s.call("POST", "/v2/link/confirm", map[string]any{"code": code, "clientReferenceId": reference})
}

// nothingBefore looks everywhere for a link that is not confirmed.
func nothingBefore(s *suite) {
	box := s.post()
	cursor := s.latest()
	l, back, _ := s.toConfirm()
	s.call("GET", "/v2/account/connections?clientReferenceId="+l.reference, nil).ok().at("list").is([]any{})
	// What is told is told in order: when a later event has come, an earlier
	// one would have.
	later := s.link("fan", nil)
	s.hear(box, "connection.created", later.id)
	early, _ := box.all(func(h hook) bool { return h.event.at("data.clientReferenceId").data == any(l.reference) })
	for _, event := range s.eventsSince(cursor) {
		if event.at("data.clientReferenceId").data == any(l.reference) {
			s.failf("there is already the event %s", event.at("type"))
		}
	}
	if len(early) > 0 {
		s.failf("%v came before it was confirmed", kinds(early))
	}
	s.forget(l.confirm(back.Get("code"), l.reference).ok().at("data.id").text())
}

// names returns the names of parameters, without values that could be secret.
func names(given url.Values) []string {
	return slices.Sorted(maps.Keys(given))
}
