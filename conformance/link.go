package main

import (
	"net/http"
	"strings"
)

// session is a link session that the row has asked for.
type session struct {
	s         *suite
	id        string // ls_…, an addition to the original API
	secret    string // cs_…
	url       string // of the hosted page
	reference string // that was given
	answer    value  // of init
}

// begin asks for a session of the app. The fields are those of init beside the
// app's; a reference of its own is given unless they say otherwise.
func (s *suite) begin(app clientApp, fields map[string]any) session {
	body := with(with(map[string]any{"clientReferenceId": s.reference()}, app.fields()), fields)
	answered := s.call(http.MethodPost, "/v2/link/init", body).ok()
	l := session{s: s, answer: answered}
	l.reference, _ = body["clientReferenceId"].(string)
	if answered.has("sessionId") {
		l.id = answered.at("sessionId").text()
	}
	if answered.at("mode").text() == "whitelabel" {
		l.secret = answered.at("clientSecret").text()
		return l
	}
	l.url = answered.at("url").text()
	l.secret = l.url[strings.LastIndex(l.url, "/")+1:]
	return l
}

// path returns the API's path of the session.
func (l session) path() string { return "/v2/link/" + l.secret }

// status asks how the session stands.
func (l session) status() value { return l.s.call(http.MethodGet, l.path(), nil).ok() }

// step returns the step that is wanted now.
func (l session) step() value { return l.status().at("data.step") }

// submit answers the session's present step.
func (l session) submit(fields map[string]any) answer {
	return l.send(with(map[string]any{"version": l.step().at("version").whole()}, fields))
}

// send submits a body as it is.
func (l session) send(body any) answer {
	return l.s.call(http.MethodPost, l.path()+"/submit", body)
}

// consent attests the consent of the user and returns the session as it then
// stands.
func (l session) consent() value {
	step := l.step()
	step.at("name").is("authorization")
	return l.send(map[string]any{
		"version": step.at("version").whole(), "fields": map[string]any{"textVersion": step.at("textVersion").text()},
	}).want(http.StatusAccepted).json()
}

// login gives an address and a password at the login step.
func (l session) login(address, password string) value {
	return l.submit(map[string]any{
		"fields": map[string]any{"username": address, "password": password},
	}).want(http.StatusAccepted).json()
}

// code gives a code at the second factor.
func (l session) code(code string) value {
	return l.submit(map[string]any{"fields": map[string]any{"code": code}}).want(http.StatusAccepted).json()
}

// atLogin begins a whitelabel session and consents.
func (s *suite) atLogin(fields map[string]any) session {
	l := s.begin(s.app(whitelabelApp), fields)
	l.consent()
	return l
}

// connection is what a row has linked.
type connection struct {
	id        string
	address   string
	reference string
	user      value // userData
	session   session
}

// path returns the API's path of the connection.
func (c connection) path() string { return "/v2/account/connections/" + c.id }

// link links a fresh account of a scenario that asks for nothing but the
// password.
func (s *suite) link(scenario string, fields map[string]any) connection {
	return s.linkAs(s.address(scenario), fields)
}

// linkAs links the account of an address: by whitelabel, which is the shortest
// way, or by the hosted page where there is no other. The connection is
// removed after the row.
func (s *suite) linkAs(address string, fields map[string]any) connection {
	var l session
	if s.core {
		l = s.begin(s.app(redirectApp), fields)
		s.open(l.url).finish(address, goodPassword)
	} else {
		l = s.atLogin(fields)
		l.login(address, goodPassword)
	}
	return l.linked(address)
}

// linked reads the connection of a session that is completed.
func (l session) linked(address string) connection {
	told := l.status()
	told.at("status").is("completed")
	c := connection{
		id: told.at("data.id").text(), address: address, reference: l.reference, user: told.at("data.userData"), session: l,
	}
	l.s.forget(c.id)
	return c
}

// forget removes a connection after the row.
func (s *suite) forget(id string) {
	s.later(func() { s.call(http.MethodDelete, "/v2/account/connections/"+id, nil) })
}

// get reads the connection: by its own path, or in the original API from the
// list, where it is among the newest.
func (c connection) get() value {
	s := c.session.s
	if !s.core {
		return s.call(http.MethodGet, c.path(), nil).ok()
	}
	found := s.call(http.MethodGet, "/v2/account/connections?limit=100", nil).ok().at("list").find("id", c.id)
	if len(found) != 1 {
		s.failf("the connection is in the list %d times, want once", len(found))
	}
	return found[0]
}
