package main

import (
	"net/http"
)

// reconnectRows are about linking again, section 3.
var reconnectRows = []row{
	{id: "3.reconnect.keeps-id", statement: "reconnecting keeps the id and makes it active", check: func(s *suite) {
		c := s.link("creator", nil)
		s.call("POST", c.path()+"/invalidate", nil).want(http.StatusOK)
		again := s.linkAs(c.address, map[string]any{"connectionId": c.id, "clientReferenceId": c.reference})
		again.is(c)
		told := c.get()
		told.at("status").is("active")
		told.at("expiredAt").is(nil)
		s.access("GET", c.id, "/me").want(http.StatusOK)
	}},
	{id: "3.reconnect.reference", statement: "the connection's reference stays", check: func(s *suite) {
		c := s.link("creator", nil)
		again := s.linkAs(c.address, map[string]any{"connectionId": c.id, "clientReferenceId": nil})
		again.is(c)
		c.get().at("clientReferenceId").is(c.reference)
	}},
	{id: "3.reconnect.account_mismatch", statement: "another account: account_mismatch, nothing changed", plus: true, check: func(s *suite) {
		c := s.link("creator", nil)
		s.call("POST", c.path()+"/invalidate", nil).want(http.StatusOK)
		before := c.get()
		l := s.atLogin(map[string]any{"connectionId": c.id, "clientReferenceId": c.reference})
		told := l.login(s.address("creator"), goodPassword)
		told.at("status").is("failed")
		told.at("data.errorCode").is("account_mismatch")
		c.get().is(before.data)
		if n := len(s.call("GET", "/v2/account/connections?clientReferenceId="+c.reference, nil).ok().at("list").list()); n != 1 {
			s.failf("there are %d connections with the reference, want 1", n)
		}
	}},
	{id: "3.reconnect.events", statement: "created, expired, updated are told", plus: true, check: func(s *suite) {
		cursor := s.latest()
		c := s.link("creator", nil)
		s.call("POST", c.path()+"/invalidate", nil).want(http.StatusOK)
		s.linkAs(c.address, map[string]any{"connectionId": c.id, "clientReferenceId": c.reference}).is(c)
		s.tells(cursor, c.id, "connection.created", "connection.expired", "connection.updated")
	}},
	{id: "3.reconnect.url", statement: "expiry.reconnectUrl leads to a page on which the person links anew", plus: true, check: reconnectByURL},
	{id: "3.twin.same-reference", statement: "the same account and reference: the same connection, never a twin", check: func(s *suite) {
		c := s.link("creator", nil)
		s.linkAs(c.address, map[string]any{"clientReferenceId": c.reference}).is(c)
		c.get().at("status").is("active")
	}},
	{id: "3.twin.updated", statement: "which is told as connection.updated", plus: true, check: func(s *suite) {
		cursor := s.latest()
		c := s.link("creator", nil)
		s.linkAs(c.address, map[string]any{"clientReferenceId": c.reference}).is(c)
		s.tells(cursor, c.id, "connection.created", "connection.updated")
		if n := len(s.call("GET", "/v2/account/connections?clientReferenceId="+c.reference, nil).ok().at("list").list()); n != 1 {
			s.failf("there are %d connections with the reference, want 1", n)
		}
	}},
	{id: "3.twin.race", statement: "also when it is linked four times at once", plus: true, check: twinRace},
	{id: "3.twin.other-reference", statement: "another reference: another connection of the same user", check: func(s *suite) {
		c := s.link("creator", nil)
		other := s.linkAs(c.address, nil)
		if other.id == c.id {
			s.failf("two references have one connection")
		}
		other.user.at("id").is(c.user.at("id").text())
	}},
}

// reconnectByURL links a connection of an app with pages anew, as its person
// would who was sent the URL.
func reconnectByURL(s *suite) {
	address := s.address("creator")
	l := s.begin(s.app(redirectApp), nil)
	s.open(l.url).finish(address, goodPassword)
	c := l.linked(address)
	s.call("POST", c.path()+"/invalidate", nil).want(http.StatusOK)
	begun := s.open(c.get().at("expiry.reconnectUrl").text()).press("continue").landed
	if begun == nil {
		s.failf("the button begins no session")
	}
	back := s.open(begun.String()).finish(address, goodPassword).parameters()
	if back.Get("status") != "success" || back.Get("connection_id") != c.id {
		s.failf("the person comes back with %v, want the same connection", back)
	}
	c.get().at("expiry").is(nil)
}

// is fails the row unless both are the same connection.
func (c connection) is(other connection) {
	if c.id != other.id {
		c.session.s.failf("there is another connection %s, want %s still", c.id, other.id)
	}
}

func twinRace(s *suite) {
	address, reference := s.address("creator"), s.reference()
	sessions := make([]session, 4)
	for i := range sessions {
		sessions[i] = s.atLogin(map[string]any{"clientReferenceId": reference})
	}
	s.together(len(sessions), func(i int) answer {
		return sessions[i].submit(map[string]any{"fields": map[string]any{"username": address, "password": goodPassword}})
	})
	for _, l := range sessions {
		l.linked(address)
	}
	list := s.call("GET", "/v2/account/connections?clientReferenceId="+reference, nil).ok().at("list")
	if n := len(list.list()); n != 1 {
		s.failf("there are %d connections, want 1", n)
	}
}
