package recipe

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// answerOf returns an answer as it would have been read.
func answerOf(status int, mediaType, body string) *answer {
	return &answer{status: status, header: http.Header{"X-State": {"one", "two of three"}}, mediaType: mediaType, body: []byte(body)}
}

func TestConditions(t *testing.T) {
	object := answerOf(200, "application/json", `{"a":{"b":[{"c":1,"on":true},{"c":2.50,"on":false,"t":"x"}]},"n":null,"s":"1","odd name":7}`)
	page := answerOf(403, "text/html", `<p class=e>Wrong <i>code</i></p><p class=e>Locked</p>`)
	for _, c := range []struct {
		condition string
		of        *answer
		want      bool
	}{
		{"{status: 200}", object, true},
		{"{status: [204, 200]}", object, true},
		{"{status: [204, 201]}", object, false},
		{"{header: {name: x-state, equals: one}}", object, true},
		{"{header: {name: x-state, equals: two}}", object, false},
		{"{header: {name: x-state, contains: of th}}", object, true},
		{"{header: {name: x-other, contains: o}}", object, false},
		{"{json: {path: $.a.b}}", object, true},
		{"{json: {path: $.a.x}}", object, false},
		{"{json: {path: $.a.x, exists: false}}", object, true},
		{"{json: {path: $.n}}", object, true},
		{"{json: {path: '$.a.b[1].c', equals: 2.5}}", object, true},
		{"{json: {path: '$.a.b[*].c', equals: 2.5}}", object, true},
		{"{json: {path: '$.a.b[2].c', exists: true}}", object, false},
		{"{json: {path: $.s, equals: 1}}", object, false},
		{"{json: {path: $.s, equals: '1'}}", object, true},
		{"{json: {path: '$.a.b[0].on', equals: true}}", object, true},
		{"{json: {path: '$.a.b[0].on', equals: 'true'}}", object, false},
		{"{json: {path: $.n, equals: 'null'}}", object, false},
		{`{json: {path: "$['odd name']", equals: 7}}`, object, true},
		{"{json: {path: '$.a.*[*]', has: {c: 2.5, on: false}}}", object, true},
		{"{json: {path: '$.a.*[*]', has: {c: 1, on: false}}}", object, false},
		{"{json: {path: '$.a.*[*]', has: {c: 1, t: x}}}", object, false},
		{"{json: {path: $, exists: true}}", page, false},
		{"{json: {path: $, exists: false}}", page, false},
		{"{html: {selector: p.e}}", page, true},
		{"{html: {selector: p.f}}", page, false},
		{"{html: {selector: 'p.f, i', exists: true}}", page, true},
		{"{html: {selector: p.f, exists: false}}", page, true},
		{"{html: {selector: p.e, contains: Wrong code}}", page, true},
		{"{html: {selector: p.e, contains: codeLocked}}", page, false},
		{"{html: {selector: p}}", object, false},
		{"{status: 403, html: {selector: i}}", page, true},
		{"{status: 200, html: {selector: i}}", page, false},
		{"{all: [{status: 403}, {html: {selector: i}}]}", page, true},
		{"{all: [{status: 403}, {html: {selector: b}}]}", page, false},
		{"{any: [{status: 200}, {html: {selector: i}}]}", page, true},
		{"{any: [{status: 200}, {html: {selector: b}}]}", page, false},
		{"{not: {status: 200}}", page, true},
		{"{not: {any: [{status: 200}, {status: 403}]}}", page, false},
		{"{status: 403, not: {html: {selector: i}}}", page, false},
	} {
		var compiled condition
		if err := yaml.Unmarshal([]byte(c.condition), &compiled); err != nil {
			t.Errorf("%s: %v", c.condition, err)
			continue
		}
		if got := compiled.holds(c.of); got != c.want {
			t.Errorf("%s is %t", c.condition, got)
		}
	}
}

func TestAPathLeadsToText(t *testing.T) {
	tree, err := parseJSON([]byte(`[{"id":12345678901234567890,"on":true,"n":null,"list":[],"m":{"b":"2","a":"1"}}]`))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, source := range []string{"$[0].id", "$[0].on", "$[0].n", "$[0].list", "$[0].m.*", "$[1].id", "$.id", "$[*].m.b", "$"} {
		path, err := parseJSONPath(source)
		if err != nil {
			t.Fatal(err)
		}
		if value, ok := path.first(tree); ok {
			got[source] = value
		}
	}
	want := map[string]string{"$[0].id": "12345678901234567890", "$[0].on": "true", "$[0].m.*": "1", "$[*].m.b": "2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPathsThatAreNotSupportedAreErrors(t *testing.T) {
	for _, source := range []string{"", "id", "$.", "$..id", "$[?(@.a)]", "$[-1]", "$[0:2]", "$[01]", "$['a", "$.a b", "$[9999999]"} {
		if _, err := parseJSONPath(source); err == nil {
			t.Errorf("%q is accepted", source)
		}
	}
}
