package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"latchkey"
	"latchkey/internal/api"
)

// object is a piece of the description.
type object = map[string]any

func descriptionRoot(t *testing.T) object {
	t.Helper()
	var root object
	if err := yaml.Unmarshal(api.Description(), &root); err != nil {
		t.Fatal(err)
	}
	return root
}

// walk visits every object below a value, with the JSON pointer to it.
func walk(value any, at string, visit func(at string, found object)) {
	switch value := value.(type) {
	case object:
		visit(at, value)
		for _, name := range slices.Sorted(maps.Keys(value)) {
			walk(value[name], at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), visit)
		}
	case []any:
		for i, item := range value {
			walk(item, fmt.Sprintf("%s/%d", at, i), visit)
		}
	}
}

// condition is a pointer into what a schema only says under a condition, or
// adds to another; there nothing is described.
var condition = regexp.MustCompile(`/(if|then|else)(/|$)|/content/application~1json/schema/properties/`)

func TestEveryPartOfTheDescriptionIsDescribed(t *testing.T) {
	root := descriptionRoot(t)
	delete(root, "x-shared")
	parts := 0
	walk(root, "", func(at string, found object) {
		if condition.MatchString(at) || strings.Contains(at, "/examples/") {
			return
		}
		parent := at[:max(0, strings.LastIndex(at, "/"))]
		isField := strings.HasSuffix(parent, "/properties")
		isPart := found["in"] != nil || strings.HasSuffix(parent, "/headers") || strings.HasSuffix(parent, "/responses") ||
			strings.HasSuffix(parent, "/components/schemas") || isField
		if !isPart || found["$ref"] != nil {
			return
		}
		parts++
		if text, _ := found["description"].(string); text == "" {
			t.Errorf("%s has no description", at)
		}
		if isField && found["properties"] == nil && found["items"] == nil && found["type"] != "object" && found["examples"] == nil {
			t.Errorf("%s has no example", at)
		}
	})
	if parts < 300 {
		t.Errorf("only %d parts", parts)
	}
}

func TestEveryOperationSaysWhatItOwes(t *testing.T) {
	root := descriptionRoot(t)
	ids := map[string]string{}
	scopes := map[any]bool{nil: true}
	for _, scope := range latchkey.AllScopes() {
		scopes[string(scope)] = true
	}
	for path, item := range root["paths"].(object) {
		for method, value := range item.(object) {
			operation, ok := value.(object)
			if !ok {
				continue
			}
			name := method + " " + path
			id, _ := operation["operationId"].(string)
			if id == "" || ids[id] != "" {
				t.Errorf("%s has the id %q, as %q has", name, id, ids[id])
			}
			ids[id] = name
			scope := operation["x-latchkey-scope"]
			tag := operation["tags"].([]any)[0]
			if !scopes[scope] || scope != nil && tag != scope || scope == nil && tag != "PUBLIC" {
				t.Errorf("%s has the scope %v and the tag %v", name, scope, tag)
			}
			responses := operation["responses"].(object)
			owed := []string{}
			if scope != nil {
				owed = []string{"401", "403", "429", "500"}
			}
			if body, ok := operation["requestBody"].(object); ok && operation["x-latchkey-pass-through"] == nil {
				owed = append(owed, "400", "413", "415")
				if example := body["content"].(object)["application/json"].(object)["example"]; example == nil {
					t.Errorf("%s has a body without an example", name)
				}
			}
			if strings.Contains(path, "{id}") && path != "/v2/link/sessions/{id}" {
				owed = append(owed, "404")
			}
			for _, status := range owed {
				if responses[status] == nil {
					t.Errorf("%s does not have the status %s", name, status)
				}
			}
		}
	}
}

// Every example of the description fits the schema that it stands in.
func TestTheExamplesFitTheirSchemas(t *testing.T) {
	text, err := json.Marshal(descriptionRoot(t))
	if err != nil {
		t.Fatal(err)
	}
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("latchkey:///openapi.json", root); err != nil {
		t.Fatal(err)
	}
	fits := func(at string, example any) {
		schema, err := compiler.Compile("latchkey:///openapi.json#" + at)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(example); err != nil {
			t.Errorf("the example of %s: %v", at, err)
		}
	}
	checked := 0
	walk(root, "", func(at string, found object) {
		if strings.Contains(at, "/examples/") || strings.HasPrefix(at, "/x-shared") || strings.HasSuffix(at, "/properties") {
			return
		}
		if examples, ok := found["examples"].([]any); ok {
			for _, example := range examples {
				fits(at, example)
				checked++
			}
		}
		if example, ok := found["example"]; ok && found["schema"] != nil {
			fits(at+"/schema", example)
			checked++
		}
	})
	if checked < 200 {
		t.Errorf("only %d examples", checked)
	}
}
