package main

import (
	"net/http"
	"strings"
)

// padded returns a good body of init of so many bytes.
func (s *suite) padded(size int) string {
	fields := with(s.app(redirectApp).fields(), map[string]any{"unknown": ""})
	fields["unknown"] = strings.Repeat("x", size-len(s.encode(fields)))
	return string(s.encode(fields))
}

// bodyRows are about JSON bodies, section 1.
var bodyRows = []row{
	{id: "1.json.unknown-fields", statement: "unknown fields are ignored", check: func(s *suite) {
		s.begin(s.app(redirectApp), map[string]any{"unknown": map[string]any{"deep": []int{1}}, "another": 1})
	}},
	{id: "1.json.duplicate", statement: "a key given twice: 400", check: func(s *suite) {
		s.call("POST", "/v2/link/init", `{"clientReferenceId":"a","clientReferenceId":"b"}`).refused("BAD_REQUEST")
		s.call("POST", "/v2/link/init", `{"geolocation":{"country":"US","country":"DE"}}`).refused("BAD_REQUEST")
		s.call("POST", "/v2/link/init", `{"unknown":1,"unknown":1}`).refused("BAD_REQUEST")
	}},
	{id: "1.json.wrong-case", statement: "a known field in another case: 400 naming it", check: func(s *suite) {
		s.call("POST", "/v2/link/init", `{"REDIRECTURL":"http://evil.example"}`).blames("redirectUrl")
		s.call("POST", "/v2/link/init", `{"clientreferenceid":"a"}`).blames("clientReferenceId")
	}},
	{id: "1.json.trailing", statement: "anything after the object: 400", check: func(s *suite) {
		for _, trailing := range []string{`{}{}`, `{} x`, `{},`, `{}]`} {
			s.call("POST", "/v2/link/init", trailing).refused("BAD_REQUEST")
		}
	}},
	{id: "1.json.malformed", statement: "what is no JSON object: 400", check: func(s *suite) {
		for _, malformed := range []string{`{`, `[]`, `"text"`, `null`, `1`, `{'a':1}`, `{"a":1,}`, "{\"a\":\"\xff\"}", " "} {
			s.call("POST", "/v2/link/init", malformed).refused("BAD_REQUEST")
		}
	}},
	{id: "1.json.types", statement: "a value of the wrong type: 400 naming the field", check: func(s *suite) {
		for field, wrong := range map[string]any{
			"clientAppId": 1, "redirectUrl": true, "clientReferenceId": 1, "connectionId": []int{}, "geolocation": "US", "mode": 1,
		} {
			s.call("POST", "/v2/link/init", map[string]any{field: wrong}).blames(field)
		}
	}},
	{id: "1.json.white-space", statement: "white space around the object is no trailing data", check: func(s *suite) {
		app := s.app(redirectApp)
		s.call("POST", "/v2/link/init", " \r\n"+string(s.encode(app.fields()))+"\n\t ").want(http.StatusOK)
	}},
	{id: "1.json.size", statement: "a body of 64 KiB is taken", check: func(s *suite) {
		s.call("POST", "/v2/link/init", s.padded(64<<10)).want(http.StatusOK)
	}},
	{id: "1.json.charset", statement: "application/json; charset=utf-8 is JSON too", check: func(s *suite) {
		s.call("POST", "/v2/link/init", s.app(redirectApp).fields(), "Content-Type", "application/json; charset=utf-8").
			want(http.StatusOK)
	}},
}
