package main

import (
	"net/http"
	"strings"
	"time"
)

// The bodies of events: a superset of both published envelopes.
var (
	linkedEvent = object(map[string]shape{
		"id": id("evt_"), "type": filled, "eventType": filled, "timestamp": moment, "live": exactly(false),
		"data": object(map[string]shape{
			"clientReferenceId": orNull(filled),
			"connection": object(map[string]shape{
				"id": id("conn_"), "platformUserId": filled, "status": exactly("active"), "permissions": listOf(filled),
				"userData": object(map[string]shape{
					"id": filled, "userId": filled, "name": text, "username": text, "avatar": orNull(text),
				}),
			}),
		}),
	})
	endedEvent = object(map[string]shape{
		"id": id("evt_"), "type": filled, "eventType": filled, "timestamp": moment, "live": exactly(false),
		"data": object(map[string]shape{
			"clientReferenceId": orNull(filled),
			"connection": object(map[string]shape{
				"id": id("conn_"), "platformUserId": filled, "status": filled,
				"expiry?": object(map[string]shape{"reason": filled, "canReauth": flagged, "reconnectUrl?": filled}),
			}),
		}),
	})
	sessionEvent = object(map[string]shape{
		"id": id("evt_"), "type": filled, "eventType": filled, "timestamp": moment, "live": exactly(false),
		"data": object(map[string]shape{
			"clientReferenceId": orNull(filled),
			"session": object(map[string]shape{
				"id": id("ls_"), "status": filled, "errorCode?": filled, "step?": filled, "connectionId?": id("conn_"),
			}),
		}),
	})
)

// webhookRows are about what webhooks tell, section 5.
var webhookRows = []row{
	{id: "5.event.connection.created", statement: "connection.created: both envelopes, the connection, its user", check: func(s *suite) {
		box := s.post()
		c := s.link("creator", nil)
		told := s.hear(box, "connection.created", c.id).event.fits(linkedEvent)
		told.at("eventType").is("connection.created")
		told.at("data.clientReferenceId").is(c.reference)
		about := told.at("data.connection")
		about.at("platformUserId").is(c.user.at("id").text())
		about.at("userData.id").is(c.user.at("id").text())
		about.at("userData.userId").is(c.user.at("id").text())
		about.at("userData.name").is(c.user.at("name").text())
		about.at("permissions").is(c.get().at("permissions").data)
	}},
	{id: "5.event.connection.updated", statement: "connection.updated has the same body", check: func(s *suite) {
		box := s.post()
		c := s.link("creator", nil)
		s.linkAs(c.address, map[string]any{"clientReferenceId": c.reference}).is(c)
		s.hear(box, "connection.updated", c.id).event.fits(linkedEvent).at("eventType").is("connection.updated")
	}},
	{id: "5.event.connection.expired", statement: "connection.expired: id, platformUserId, status", check: func(s *suite) {
		box := s.post()
		c := s.link("creator", nil)
		s.call("POST", c.path()+"/invalidate", nil).want(http.StatusOK)
		told := s.hear(box, "connection.expired", c.id).event.fits(endedEvent)
		told.at("data.connection.platformUserId").is(c.user.at("id").text())
		told.at("data.connection.status").is("expired")
	}},
	{id: "5.event.connection.disconnected", statement: "connection.disconnected: id, platformUserId, status", check: func(s *suite) {
		box := s.post()
		c := s.link("creator", nil)
		s.call("DELETE", c.path(), nil).want(http.StatusOK)
		told := s.hear(box, "connection.disconnected", c.id).event.fits(endedEvent)
		told.at("data.connection.platformUserId").is(c.user.at("id").text())
		told.at("data.clientReferenceId").is(c.reference)
	}},
	{id: "5.event.no-reference", statement: "clientReferenceId is null when there is none", check: func(s *suite) {
		box := s.post()
		c := s.link("creator", map[string]any{"clientReferenceId": nil})
		s.hear(box, "connection.created", c.id).event.at("data.clientReferenceId").is(nil)
	}},
	{id: "5.event.session.completed", statement: "link.session.completed names session and connection", plus: true, check: func(s *suite) {
		box := s.post()
		c := s.link("creator", nil)
		told := s.hear(box, "link.session.completed", c.session.id).event.fits(sessionEvent)
		told.at("data.session.status").is("completed")
		told.at("data.session.connectionId").is(c.id)
		told.at("data.clientReferenceId").is(c.reference)
	}},
	{id: "5.event.session.cancelled", statement: "link.session.cancelled names the step", plus: true, check: func(s *suite) {
		box := s.post()
		l := s.begin(s.app(redirectApp), nil)
		s.open(l.url).atLogin().press("cancel")
		told := s.hear(box, "link.session.cancelled", l.id).event.fits(sessionEvent)
		told.at("data.session.step").is("login")
		told.at("data.session.status").is("denied")
	}},
	{id: "5.event.session.deleted", statement: "a session that the app deletes is told as cancelled", plus: true, check: func(s *suite) {
		box := s.post()
		l := s.begin(s.app(redirectApp), nil)
		s.call("DELETE", l.path(), nil).want(http.StatusNoContent)
		s.hear(box, "link.session.cancelled", l.id)
	}},
	{id: "5.event.session.failed", statement: "link.session.failed names the errorCode", plus: true, check: func(s *suite) {
		box := s.post()
		l := s.atLogin(nil)
		l.login(s.address("locked"), goodPassword)
		told := s.hear(box, "link.session.failed", l.id).event.fits(sessionEvent)
		told.at("data.session.errorCode").is("account_locked")
		told.at("data.session.status").is("failed")
	}},
	{id: "5.event.content-type", statement: "a POST of JSON", check: func(s *suite) {
		box := s.post()
		came := s.hear(box, "connection.created", s.link("creator", nil).id)
		if kind, _, _ := strings.Cut(came.header.Get("Content-Type"), ";"); kind != "application/json" {
			s.failf("its content type is %q", came.header.Get("Content-Type"))
		}
	}},
	{id: "5.event.no-secret", statement: "no event holds a secret", check: func(s *suite) {
		box := s.post()
		c := s.link("creator", nil)
		s.hear(box, "connection.created", c.id)
		all, _ := box.all(func(hook) bool { return true })
		for _, came := range all {
			if blank(string(came.body)) != string(came.body) {
				s.failf("there is a secret in a %s", kinds([]hook{came}))
			}
		}
	}},
	{id: "5.signature.standard", statement: "webhook-id, -timestamp, -signature: Standard Webhooks 1.0.0", check: func(s *suite) {
		box, came := s.anyHook()
		if !came.standardSigned("webhook", box.secret) {
			s.failf("webhook-signature does not sign the body with the secret")
		}
		came.event.at("id").is(came.header.Get("webhook-id"))
	}},
	{id: "5.signature.svix", statement: "the same three under svix-…", check: func(s *suite) {
		box, came := s.anyHook()
		if !came.standardSigned("svix", box.secret) {
			s.failf("svix-signature does not sign the body with the secret")
		}
		for _, name := range []string{"id", "timestamp", "signature"} {
			if svix := came.header.Get("svix-" + name); svix != came.header.Get("webhook-"+name) {
				s.failf("svix-%s is another than webhook-%s", name, name)
			}
		}
	}},
	{id: "5.signature.ofauth", statement: "OFAuth-Signature: t=…,v1=… with the whole secret", check: func(s *suite) {
		if box, came := s.anyHook(); !came.ofauthSigned(box.secret) {
			s.failf("OFAuth-Signature does not sign the body with the secret")
		}
	}},
	{id: "5.signature.time", statement: "the timestamp is the attempt's own", check: func(s *suite) {
		_, came := s.anyHook()
		if off := came.at.Sub(s.sentAt(came)); off.Abs() > 10*time.Second {
			s.failf("it is %v off", off)
		}
	}},
	{id: "5.signature.other-secret", statement: "another endpoint's secret signs nothing", check: func(s *suite) {
		box := s.listen([]string{"connection.created"}, nil)
		_, came := s.anyHook()
		if came.standardSigned("webhook", box.secret) || came.ofauthSigned(box.secret) {
			s.failf("two endpoints have one secret")
		}
	}},
}

// anyHook returns a webhook that has just come to the shared mailbox.
func (s *suite) anyHook() (*mailbox, hook) {
	box := s.post()
	return box, s.hear(box, "connection.created", s.link("creator", nil).id)
}
