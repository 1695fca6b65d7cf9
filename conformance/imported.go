package main

import (
	"net/http"
	"strings"
)

// importPath is where connections are brought in.
const importPath = "/v2/account/connections/import"

// importRows are about connections that were made elsewhere, section 3.
var importRows = []row{
	{id: "3.import.cookie", statement: "a cookie and its userAgent make a connection", check: func(s *suite) {
		told := s.imports(s.cookieOf(s.address("creator")), nil).fits(connectionShape)
		told.at("status").is("active")
		told.at("imported").is(true)
	}},
	{id: "3.import.credentials", statement: "or a provider and credentials", plus: true, check: func(s *suite) {
		told := s.imports(credentialsOf(s.address("creator"), goodPassword), nil).fits(connectionShape)
		told.at("imported").is(true)
		told.at("provider").is("sandbox")
		s.access("GET", told.at("id").text(), "/me").want(http.StatusOK)
	}},
	{id: "3.import.listed", statement: "it is in the list that imported=true narrows", check: func(s *suite) {
		id := s.imports(s.cookieOf(s.address("creator")), nil).at("id").text()
		s.filters("imported=true", id, "")
		list := s.call("GET", "/v2/account/connections?imported=false&limit=100", nil).ok().at("list")
		if len(list.find("id", id)) > 0 {
			s.failf("imported=false has it too")
		}
	}},
	{id: "3.import.optional", statement: "permissions and clientReferenceId are kept", check: func(s *suite) {
		reference := s.reference()
		told := s.imports(s.cookieOf(s.address("creator")),
			map[string]any{"permissions": []string{"profile:read"}, "clientReferenceId": reference})
		told.at("permissions").is([]string{"profile:read"})
		told.at("clientReferenceId").is(reference)
	}},
	{id: "3.import.absent", statement: "absent, the reference is null", check: func(s *suite) {
		s.imports(s.cookieOf(s.address("creator")), nil).at("clientReferenceId").is(nil)
	}},
	{id: "3.import.checked", statement: "what the provider refuses is not kept", plus: true, check: func(s *suite) {
		reference := s.reference()
		body := with(credentialsOf(s.address("creator"), "wrong"), map[string]any{"clientReferenceId": reference})
		if got := s.call("POST", importPath, body); got.status < 400 || got.status >= 500 {
			s.failf("a wrong password is answered %d", got.status)
		}
		s.call("GET", "/v2/account/connections?clientReferenceId="+reference, nil).ok().at("list").is([]any{})
	}},
	{id: "3.import.checked-cookie", statement: "nor a cookie that opens nothing", check: func(s *suite) {
		body := map[string]any{"cookie": "session=nobody", "userAgent": "Conformance/1"}
		if got := s.call("POST", importPath, body); got.status < 400 || got.status >= 500 {
			s.failf("it is answered %d", got.status)
		}
	}},
	{id: "3.import.one-way", statement: "exactly one of cookie and credentials: else 400", plus: true, check: func(s *suite) {
		both := with(s.cookieOf(s.address("creator")), credentialsOf(s.address("creator"), goodPassword))
		s.call("POST", importPath, both).refused("BAD_REQUEST")
		s.call("POST", importPath, map[string]any{}).refused("BAD_REQUEST")
		s.call("POST", importPath, map[string]any{"provider": "sandbox"}).refused("BAD_REQUEST")
	}},
	{id: "3.import.userAgent", statement: "a cookie without userAgent: 400 naming it", check: func(s *suite) {
		s.call("POST", importPath, with(s.cookieOf(s.address("creator")), map[string]any{"userAgent": nil})).blames("userAgent")
	}},
	{id: "3.import.provider", statement: "credentials without a provider, or of none that is: 400 naming it", plus: true, check: func(s *suite) {
		body := credentialsOf(s.address("creator"), goodPassword)
		s.call("POST", importPath, with(body, map[string]any{"provider": nil})).blames("provider")
		s.call("POST", importPath, with(body, map[string]any{"provider": "nowhere"})).blames("provider")
	}},
	{id: "3.import.event", statement: "it is told as connection.created", plus: true, check: func(s *suite) {
		cursor := s.latest()
		s.tells(cursor, s.imports(s.cookieOf(s.address("creator")), nil).at("id").text(), "connection.created")
	}},
	{id: "3.import.twin", statement: "the same account and reference again: the same connection", plus: true, check: func(s *suite) {
		body := with(credentialsOf(s.address("creator"), goodPassword), map[string]any{"clientReferenceId": s.reference()})
		first := s.imports(body, nil).at("id").text()
		s.imports(body, nil).at("id").is(first)
	}},
	{id: "3.import.no-echo", statement: "no answer repeats what was handed in", check: func(s *suite) {
		body := s.cookieOf(s.address("creator"))
		got := s.call("POST", importPath, body).want(http.StatusOK)
		s.forget(got.json().at("id").text())
		if cookie, _ := body["cookie"].(string); blank(string(got.body)) != string(got.body) || strings.Contains(string(got.body), cookie) {
			s.failf("the credential is in the answer")
		}
	}},
	{id: "3.reimport.keeps-id", statement: "new credentials of the same user: the id is kept", check: func(s *suite) {
		address := s.address("creator")
		id := s.imports(s.cookieOf(address), nil).at("id").text()
		s.call("POST", "/v2/account/connections/"+id+"/invalidate", nil).want(http.StatusOK)
		told := s.call("PATCH", importPath+"/"+id, s.cookieOf(address)).ok().fits(connectionShape)
		told.at("id").is(id)
		told.at("status").is("active")
		s.access("GET", id, "/me").want(http.StatusOK)
	}},
	{id: "3.reimport.credentials", statement: "also as credentials", plus: true, check: func(s *suite) {
		address := s.address("creator")
		id := s.imports(credentialsOf(address, goodPassword), nil).at("id").text()
		body := with(credentialsOf(address, goodPassword), map[string]any{"provider": nil})
		s.call("PATCH", importPath+"/"+id, body).ok().at("id").is(id)
	}},
	{id: "3.reimport.other-user", statement: "of another user: 409, nothing changed", check: func(s *suite) {
		id := s.imports(s.cookieOf(s.address("creator")), nil).at("id").text()
		before := s.call("GET", "/v2/account/connections?limit=100&imported=true", nil).ok().at("list").find("id", id)
		got := s.call("PATCH", importPath+"/"+id, s.cookieOf(s.address("creator"))).want(http.StatusConflict)
		if !s.core {
			got.refused("CONFLICT")
		}
		after := s.call("GET", "/v2/account/connections?limit=100&imported=true", nil).ok().at("list").find("id", id)
		if len(before) != 1 || len(after) != 1 {
			s.failf("it is in the list %d times before and %d times after", len(before), len(after))
		}
		after[0].at("userData").is(before[0].at("userData").data)
	}},
	{id: "3.reimport.unknown", statement: "unknown, or not imported: 404", check: func(s *suite) {
		s.call("PATCH", importPath+"/conn_"+s.unique(), s.cookieOf(s.address("creator"))).refused("RESOURCE_NOT_FOUND")
		c := s.link("creator", nil)
		s.call("PATCH", importPath+"/"+c.id, s.cookieOf(c.address)).refused("RESOURCE_NOT_FOUND")
	}},
}

// cookieOf returns what imports the session of a sandbox account.
func (s *suite) cookieOf(address string) map[string]any {
	if s.core {
		s.leaveOut("what a cookie of its sandbox looks like is not published")
	}
	return map[string]any{"cookie": "session=" + address, "userAgent": "Mozilla/5.0 (conformance " + s.run + ")"}
}

// credentialsOf returns what imports a sandbox account by its password.
func credentialsOf(address, password string) map[string]any {
	return map[string]any{
		"provider": "sandbox", "credentials": map[string]any{"username": address, "password": password},
	}
}

// imports brings a connection in, and removes it after the row.
func (s *suite) imports(body, beside map[string]any) value {
	told := s.call("POST", importPath, with(body, beside)).ok()
	s.forget(told.at("id").text())
	return told
}
