package main

import (
	"net/http"
	"net/url"
)

// connectionShape is a connection of the original API, and connectionShapePlus
// what is added.
var (
	connectionShape = object(map[string]shape{
		"id": id("conn_"), "status": oneOf("active", "expired", "awaiting_2fa", "pending"), "userData": userShape,
		"permissions": listOf(filled), "expiredAt": orNull(moment), "createdAt": moment, "updatedAt": moment,
		"clientReferenceId": orNull(filled), "imported": flagged, "lastCheckedAt": orNull(moment),
	})
	connectionShapePlus = object(map[string]shape{
		"provider": filled, "metadata": orNull(mapOfText),
		"expiry": orNull(object(map[string]shape{"reason": filled, "canReauth": flagged, "reconnectUrl?": filled})),
	})
)

// connectionRows are about connections, section 3.
var connectionRows = []row{
	{id: "3.connections.list", statement: "what is linked is in the list, with every field", check: func(s *suite) {
		c := s.link("creator", nil)
		found := s.call("GET", "/v2/account/connections?limit=100", nil).ok().at("list").find("id", c.id)
		if len(found) != 1 {
			s.failf("it is there %d times, want once", len(found))
		}
		told := found[0].fits(connectionShape)
		told.at("status").is("active")
		told.at("clientReferenceId").is(c.reference)
		told.at("imported").is(false)
		told.at("expiredAt").is(nil)
		told.at("userData").is(c.user.data)
	}},
	{id: "3.connections.fields-plus", statement: "with provider, metadata and expiry", plus: true, check: func(s *suite) {
		told := s.link("creator", nil).get().fits(connectionShapePlus)
		told.at("provider").is("sandbox")
		told.at("expiry").is(nil)
	}},
	{id: "3.connections.newest-first", statement: "the newest stands first", plus: true, check: func(s *suite) {
		reference := s.reference()
		made := s.linkMany(3, map[string]any{"clientReferenceId": reference})
		list := s.call("GET", "/v2/account/connections?clientReferenceId="+reference, nil).ok().at("list")
		for i, each := range list.list() {
			each.at("id").is(made[len(made)-1-i])
		}
	}},
	{id: "3.connections.alias", statement: "GET /v2/connections is the same list", check: func(s *suite) {
		c := s.link("creator", nil)
		found := s.call("GET", "/v2/connections?limit=100", nil).ok().at("list").find("id", c.id)
		if len(found) != 1 {
			s.failf("the connection is there %d times, want once", len(found))
		}
		found[0].fits(connectionShape)
	}},
	{id: "3.connections.filter-status", statement: "the filter status narrows; a status that is none: 400", check: func(s *suite) {
		active, expired := s.link("creator", nil), s.link("creator", nil)
		s.call("POST", expired.path()+"/invalidate", nil).want(http.StatusOK)
		s.filters("status=active", active.id, expired.id)
		s.filters("status=expired", expired.id, active.id)
		s.call("GET", "/v2/account/connections?status=broken", nil).blames("status")
	}},
	{id: "3.connections.filter-imported", statement: "the filter imported is true or false", check: func(s *suite) {
		linked := s.link("creator", nil)
		s.filters("imported=false", linked.id, "")
		s.call("GET", "/v2/account/connections?imported=true&limit=100", nil).ok().at("list").fits(
			listOf(object(map[string]shape{"imported": exactly(true)})))
		s.call("GET", "/v2/account/connections?imported=perhaps", nil).blames("imported")
	}},
	{id: "3.connections.filter-reference", statement: "the filter clientReferenceId narrows", plus: true, check: func(s *suite) {
		one, other := s.link("creator", nil), s.link("creator", nil)
		s.filters("clientReferenceId="+url.QueryEscape(one.reference), one.id, other.id)
		s.call("GET", "/v2/account/connections?clientReferenceId="+s.reference(), nil).ok().at("list").is([]any{})
	}},
	{id: "3.connections.filter-provider", statement: "the filter provider narrows", plus: true, check: func(s *suite) {
		s.filters("provider=sandbox", s.link("creator", nil).id, "")
		s.call("GET", "/v2/account/connections?provider=nowhere", nil).ok().at("list").is([]any{})
	}},
	{id: "3.connections.get", statement: "one is read by its id, as in the list", plus: true, check: func(s *suite) {
		c := s.link("creator", nil)
		listed := s.call("GET", "/v2/account/connections?clientReferenceId="+c.reference, nil).ok().at("list.0")
		s.call("GET", c.path(), nil).ok().fits(connectionShape).is(listed.data)
	}},
	{id: "3.connections.unknown", statement: "an unknown connection: 404, whatever is asked", check: func(s *suite) {
		for _, name := range []string{"conn_" + s.unique(), "nonsense"} {
			path := "/v2/account/connections/" + name
			s.call("DELETE", path, nil).refused("RESOURCE_NOT_FOUND")
			s.call("POST", path+"/invalidate", nil).refused("RESOURCE_NOT_FOUND")
			s.call("GET", path+"/settings", nil).refused("RESOURCE_NOT_FOUND")
			if !s.core {
				s.call("GET", path, nil).refused("RESOURCE_NOT_FOUND")
			}
		}
	}},
	{id: "3.connections.invalidate", statement: "invalidate: 200 {}; expired, the record kept", check: func(s *suite) {
		c := s.link("creator", nil)
		s.call("POST", c.path()+"/invalidate", nil).ok().is(map[string]any{})
		told := c.get()
		told.at("status").is("expired")
		told.at("expiredAt").fits(moment)
		told.at("userData").is(c.user.data)
	}},
	{id: "3.connections.invalidate-reason", statement: "expiry says why, and that one can link again", plus: true, check: func(s *suite) {
		c := s.link("creator", nil)
		s.call("POST", c.path()+"/invalidate", nil).want(http.StatusOK)
		expiry := c.get().at("expiry")
		expiry.fits(object(map[string]shape{"reason": filled, "canReauth": flagged, "reconnectUrl?": filled}))
		expiry.at("canReauth").is(true)
	}},
	{id: "3.connections.disconnect", statement: "DELETE: 200 {}; it is gone", check: func(s *suite) {
		c := s.link("creator", nil)
		s.call("DELETE", c.path(), nil).ok().is(map[string]any{})
		s.call("DELETE", c.path(), nil).refused("RESOURCE_NOT_FOUND")
		list := s.call("GET", "/v2/account/connections?limit=100", nil).ok().at("list")
		if len(list.find("id", c.id)) > 0 {
			s.failf("it is still in the list")
		}
	}},
	{id: "3.connections.disconnect-ends-access", statement: "access is dead at once", check: func(s *suite) {
		c := s.link("creator", nil)
		s.access("GET", c.id, "/me").want(http.StatusOK)
		s.call("DELETE", c.path(), nil).want(http.StatusOK)
		s.access("GET", c.id, "/me").refused("SESSION_NOT_PROVIDED")
	}},
	{id: "3.connections.no-credential", statement: "no answer holds a credential", check: func(s *suite) {
		c := s.link("creator", nil)
		for _, got := range []answer{
			s.call("GET", "/v2/account/connections?limit=100", nil), s.call("GET", c.session.path(), nil),
			s.call("GET", c.path()+"/settings", nil),
		} {
			if blank(string(got.body)) != string(got.body) {
				s.failf("there is a secret in the answer of %s", got.exchange)
			}
		}
	}},
}

// filters fails the row unless the list narrowed by the query has the one
// connection and not the other.
func (s *suite) filters(query, has, lacks string) {
	list := s.call("GET", "/v2/account/connections?limit=100&"+query, nil).ok().at("list")
	if len(list.find("id", has)) != 1 {
		s.failf("?%s lacks a connection that it should have", query)
	}
	if len(list.find("id", lacks)) > 0 {
		s.failf("?%s has a connection that it should not have", query)
	}
}
