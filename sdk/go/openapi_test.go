package latchkey_test

import (
	"context"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	latchkey "latchkey/sdk/go"
)

// object is an object of the description.
type object = map[string]any

// description is the published description of the API.
type description struct {
	testing.TB
	root object
}

func readDescription(t *testing.T) description {
	t.Helper()
	text, err := os.ReadFile("../../internal/api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d := description{TB: t}
	if err := yaml.Unmarshal(text, &d.root); err != nil {
		t.Fatal(err)
	}
	return d
}

// at returns what the names lead to, references followed; nil for nothing.
func (d description) at(from any, names ...string) object {
	d.Helper()
	found, _ := from.(object)
	for i := 0; ; i++ {
		if reference, ok := found["$ref"].(string); ok {
			found = d.at(d.root, strings.Split(strings.TrimPrefix(reference, "#/"), "/")...)
		}
		if i == len(names) {
			return found
		}
		found, _ = found[names[i]].(object)
	}
}

// operation is one call that the description tells of.
type operation struct {
	name      string // method and path
	body      object // schema of what is sent; nil: none
	answer    object // schema of a good answer; nil: none
	query     []string
	isProxied bool
}

// operations returns every operation that wants a key.
func (d description) operations() []operation {
	d.Helper()
	var found []operation
	paths, _ := d.root["paths"].(object)
	for path := range paths {
		item := d.at(paths, path)
		for method := range item {
			described := d.at(item, method)
			if method == "parameters" || described["security"] != nil {
				continue
			}
			o := operation{name: strings.ToUpper(method) + " " + path, isProxied: described["x-latchkey-pass-through"] == true}
			o.body = d.at(described, "requestBody", "content", "application/json", "schema")
			for _, status := range []string{"200", "201", "202"} {
				if schema := d.at(described, "responses", status, "content", "application/json", "schema"); schema != nil {
					o.answer = schema
				}
			}
			parameters, _ := described["parameters"].([]any)
			for _, parameter := range parameters {
				if p := d.at(parameter); p["in"] == "query" {
					o.query = append(o.query, p["name"].(string))
				}
			}
			found = append(found, o)
		}
	}
	return found
}

// alias is a second path of a call, which the client does without.
const alias = "GET /v2/connections"

// anyProxied is the operation under which the method stands that makes every
// proxied call.
const anyProxied = "GET /v2/access/proxy/{path}"

func TestTheClientSpeaksTheWholeAPI(t *testing.T) {
	d := readDescription(t)
	described := d.operations()
	if len(described) < 40 {
		t.Fatalf("the description tells of %d operations", len(described))
	}
	byOperation := map[string]reflect.Value{}
	methods(serve(t).client(t, nil), func(name string, method reflect.Value) {
		if !isIterator(method) {
			byOperation[operations[name]] = method
		}
	})
	words := newVocabulary(t)
	called := map[string]bool{alias: true}
	for _, o := range described {
		name := o.name
		if o.isProxied {
			name = anyProxied // one method for all
		}
		method, ok := byOperation[name]
		switch {
		case name == alias:
		case !ok:
			t.Errorf("no method calls %s", o.name)
		case !o.isProxied:
			words.compareCall(d, o, method)
		}
		called[name] = true
	}
	for name := range byOperation {
		if !called[name] {
			t.Errorf("a method calls %s, of which nothing is told", name)
		}
	}
	words.compare("Event", []object{d.at(d.root, "components", "schemas", "Event")}, reflect.TypeFor[latchkey.Event](), answer)
	words.compare("Error", []object{
		d.at(d.root, "components", "schemas", "Error"), d.at(d.root, "components", "schemas", "SubmitConflict"),
	}, reflect.TypeFor[latchkey.ErrorBody](), answer)
	words.compareConstants(t)
}

func TestEveryDescribedWebhookIsAnEvent(t *testing.T) {
	d := readDescription(t)
	told, _ := d.root["webhooks"].(object)
	known := slices.Sorted(maps.Keys(newVocabulary(t).constants["EventType"]))
	known = slices.DeleteFunc(known, func(name string) bool { return name == string(latchkey.EventAll) })
	if !slices.Equal(known, slices.Sorted(maps.Keys(told))) {
		t.Errorf("the constants are %q, the description has %q", known, slices.Sorted(maps.Keys(told)))
	}
}

// compareCall holds a method's parameters and answer against the description.
func (v *vocabulary) compareCall(d description, o operation, method reflect.Value) {
	d.Helper()
	v.d = d
	var given reflect.Type // the struct among the parameters
	for i := range method.Type().NumIn() {
		if in := method.Type().In(i); in.Kind() == reflect.Struct && !in.Implements(reflect.TypeFor[context.Context]()) {
			given = in
		}
	}
	switch {
	case o.body != nil && given == nil, o.body == nil && len(o.query) == 0 && given != nil:
		d.Errorf("%s: the method takes %v", o.name, given)
	case o.body != nil:
		v.compare(o.name+" request", []object{o.body}, given, request)
	case given != nil:
		var fields []string
		for _, field := range reflect.VisibleFields(given) {
			fields = append(fields, strings.ToLower(field.Name))
		}
		var parameters []string
		for _, name := range o.query {
			parameters = append(parameters, strings.ToLower(name))
		}
		slices.Sort(fields)
		slices.Sort(parameters)
		if !slices.Equal(fields, parameters) {
			d.Errorf("%s: the filter has %q, the query %q", o.name, fields, parameters)
		}
	case len(o.query) > 0:
		d.Errorf("%s: the method takes no filter", o.name)
	}
	switch gives := method.Type().Out(0); {
	case gives.Kind() == reflect.Pointer:
		v.compare(o.name+" answer", []object{o.answer}, gives.Elem(), answer)
	case len(v.properties([]object{o.answer})) > 0:
		d.Errorf("%s: the method gives no answer", o.name)
	}
}
