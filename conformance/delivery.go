package main

import (
	"net/http"
	"slices"
	"time"
)

// deliveryShape is an attempt as the API tells of it.
var deliveryShape = object(map[string]shape{
	"eventId": id("evt_"), "type": filled, "subject": filled, "state": oneOf("pending", "delivered"), "attempts": whole,
	"lastStatus": orNull(whole), "excerpt": orNull(text), "nextAttemptAt": orNull(moment), "updatedAt": moment,
})

// deliveryRows are about how webhooks are delivered, section 5.
var deliveryRows = []row{
	{id: "5.delivery.order", statement: "in order for each connection", takes: 7 * time.Second, check: deliveredInOrder},
	{id: "5.delivery.retry", statement: "after a 500 again, the first time after about 5 s", takes: 7 * time.Second, check: func(s *suite) {
		s.retried(func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) }, 4*time.Second, 9*time.Second)
	}},
	{id: "5.delivery.redirect", statement: "3xx is a failure, and is not followed", takes: 7 * time.Second, check: func(s *suite) {
		strayed := s.hooks.open("/hook/"+s.unique(), nil)
		s.retried(func(w http.ResponseWriter) {
			w.Header().Set("Location", strayed.url)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, 4*time.Second, 9*time.Second)
		if came, _ := strayed.all(func(hook) bool { return true }); len(came) > 0 {
			s.failf("the redirect was followed")
		}
	}},
	{id: "5.delivery.retry-after", statement: "Retry-After is honoured", takes: 11 * time.Second, check: func(s *suite) {
		s.retried(func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "9")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, 9*time.Second, 14*time.Second)
	}},
	{id: "5.delivery.timeout", statement: "an attempt ends after 10 s", takes: 12 * time.Second, check: deliveryTimeout},
	{id: "5.delivery.gone", statement: "410 disables the endpoint", check: func(s *suite) {
		box := s.listen([]string{"link.session.cancelled"}, func(_ int, _ hook, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusGone)
		})
		s.cancelled(box)
		s.eventually("the end of the endpoint", soon, func() bool {
			return s.call("GET", "/v2/webhook-endpoints/"+box.id, nil).ok().at("status").text() == "disabled"
		})
	}},
	{id: "5.delivery.filter", statement: "an endpoint is told of its events and of no others", check: func(s *suite) {
		box := s.listen([]string{"connection.disconnected"}, nil)
		c := s.link("creator", nil)
		s.call("DELETE", c.path(), nil).want(http.StatusOK)
		s.hear(box, "connection.disconnected", c.id)
		all, _ := box.all(func(hook) bool { return true })
		for _, kind := range kinds(all) {
			if kind != "connection.disconnected" {
				s.failf("it was told of %s", kind)
			}
		}
	}},
	{id: "5.delivery.disabled", statement: "a disabled endpoint is told nothing", plus: true, check: func(s *suite) {
		box, other := s.listen([]string{"link.session.cancelled"}, nil), s.post()
		s.call("PATCH", "/v2/webhook-endpoints/"+box.id, map[string]any{"status": "disabled"}).want(http.StatusOK)
		s.silent(box, other)
	}},
	{id: "5.delivery.deleted", statement: "nor is a deleted one", plus: true, check: func(s *suite) {
		box, other := s.listen([]string{"link.session.cancelled"}, nil), s.post()
		s.call("DELETE", "/v2/webhook-endpoints/"+box.id, nil).want(http.StatusNoContent)
		s.silent(box, other)
	}},
	{id: "5.delivery.rotation", statement: "during a rotation both secrets sign", plus: true, check: func(s *suite) {
		box := s.listen([]string{"link.session.cancelled"}, nil)
		rotated := s.call("POST", "/v2/webhook-endpoints/"+box.id+"/rotate-secret", nil).ok().at("secret").text()
		came := s.cancelled(box)
		s.signed(came, box.secret)
		s.signed(came, rotated)
	}},
	{id: "5.delivery.listed", statement: "deliveries are listed: delivered by one attempt", plus: true, check: func(s *suite) {
		box := s.listen([]string{"link.session.cancelled"}, nil)
		came := s.cancelled(box)
		var found []value
		s.eventually("the delivery", soon, func() bool {
			list := s.call("GET", "/v2/webhook-endpoints/"+box.id+"/deliveries?limit=100&state=delivered", nil).ok().at("list")
			found = list.fits(listOf(deliveryShape)).find("eventId", came.header.Get("webhook-id"))
			return len(found) == 1
		})
		found[0].at("attempts").is(1)
		found[0].at("lastStatus").is(204)
		found[0].at("type").is("link.session.cancelled")
		found[0].at("state").is("delivered")
	}},
	{id: "5.delivery.listed-failed", statement: "one that failed is pending, with the status and when it comes again", plus: true, check: listsFailure},
}

// cancelled has a session cancelled and returns the webhook of it.
func (s *suite) cancelled(box *mailbox) hook {
	l := s.begin(s.app(redirectApp), nil)
	s.call("DELETE", l.path(), nil).want(http.StatusNoContent)
	return s.hear(box, "link.session.cancelled", l.id)
}

// silent has sessions cancelled and fails the row if the first mailbox is told
// of one. That the other one is told shows that all were on their way.
func (s *suite) silent(box, other *mailbox) {
	for range 3 {
		told := s.cancelled(other)
		name := told.event.at("id").text()
		if came, _ := box.all(func(h hook) bool { return h.event.at("id").data == any(name) }); len(came) > 0 {
			s.failf("it was told all the same")
		}
	}
}

// retried refuses the first attempt and fails the row unless the second comes
// after least and before most: the same event and bytes, with a new time.
func (s *suite) retried(refuse func(http.ResponseWriter), least, most time.Duration) {
	box := s.listen([]string{"connection.created"}, refuseFirst(refuse))
	c := s.link("creator", nil)
	attempts := s.await(box, "both attempts", 2, most+soon, func(h hook) bool { return h.about("connection.created", c.id) })
	first, second := attempts[0], attempts[1]
	if gap := second.at.Sub(first.at); gap < least || gap > most {
		s.failf("the second attempt came after %v, want %v to %v", gap.Round(10*time.Millisecond), least, most)
	}
	if string(first.body) != string(second.body) || first.header.Get("webhook-id") != second.header.Get("webhook-id") {
		s.failf("the second attempt tells another event")
	}
	if !s.sentAt(second).After(s.sentAt(first)) {
		s.failf("the second attempt has the first one's timestamp")
	}
	s.signed(first, box.secret)
	s.signed(second, box.secret)
}

// refuseFirst refuses the first attempt of each event and takes the others.
func refuseFirst(refuse func(http.ResponseWriter)) replier {
	seen := newMemory()
	return func(_ int, h hook, w http.ResponseWriter, _ *http.Request) {
		if seen.first(h.header.Get("webhook-id")) {
			refuse(w)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// deliveredInOrder refuses the first event of a connection once: the others
// wait for it.
func deliveredInOrder(s *suite) {
	fail := refuseFirst(func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) })
	events := []string{"connection.created", "connection.updated", "connection.expired", "connection.disconnected"}
	box := s.listen(events, func(n int, h hook, w http.ResponseWriter, r *http.Request) {
		if h.event.at("type").data == any("connection.created") {
			fail(n, h, w, r)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	c := s.link("creator", nil)
	s.call("POST", c.path()+"/invalidate", nil).want(http.StatusOK)
	s.linkAs(c.address, map[string]any{"connectionId": c.id, "clientReferenceId": c.reference}).is(c)
	s.call("DELETE", c.path(), nil).want(http.StatusOK)
	came := s.await(box, "the connection's events", 5, 2*soon, func(h hook) bool {
		return h.event.at("data.connection.id").data == any(c.id)
	})
	wanted := []string{"connection.created", "connection.created", "connection.expired", "connection.updated", "connection.disconnected"}
	if given := kinds(came); !slices.Equal(given, wanted) {
		s.failf("they came as %v, want %v", given, wanted)
	}
}

// deliveryTimeout does not answer, and looks how long it is waited for.
func deliveryTimeout(s *suite) {
	waited := make(chan time.Duration, 16)
	box := s.listen([]string{"link.session.cancelled"}, func(_ int, _ hook, _ http.ResponseWriter, r *http.Request) {
		began := time.Now()
		select {
		case <-r.Context().Done():
			waited <- time.Since(began)
		case <-time.After(20 * time.Second):
			waited <- 20 * time.Second
		}
	})
	s.cancelled(box)
	select {
	case took := <-waited:
		if took < 9*time.Second || took > 13*time.Second {
			s.failf("the attempt was ended after %v", took.Round(10*time.Millisecond))
		}
	case <-s.ctx.Done():
		s.failf("the attempt was not ended")
	}
}

// listsFailure refuses an event and looks at its delivery before the second
// attempt.
func listsFailure(s *suite) {
	box := s.listen([]string{"link.session.cancelled"}, func(_ int, _ hook, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("no tea here"))
	})
	came := s.cancelled(box)
	var found []value
	s.eventually("the failed delivery", soon, func() bool {
		list := s.call("GET", "/v2/webhook-endpoints/"+box.id+"/deliveries?state=pending&limit=100", nil).ok().at("list")
		found = list.fits(listOf(deliveryShape)).find("eventId", came.header.Get("webhook-id"))
		return len(found) == 1 && found[0].at("lastStatus").data != nil
	})
	found[0].at("lastStatus").is(418)
	found[0].at("excerpt").is("no tea here")
	found[0].at("nextAttemptAt").fits(moment)
}
