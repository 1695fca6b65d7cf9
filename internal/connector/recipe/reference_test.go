package recipe_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"latchkey/internal/connector/recipe"
)

// update writes the reference into the document in place of comparing it:
// go test ./internal/connector/recipe -run TestTheReference -update
var update = flag.Bool("update", false, "write the reference of docs/recipes.md")

// document is where the reference stands, between two marks.
const document = "../../../docs/recipes.md"

const (
	beginning = "<!-- reference -->\n"
	end       = "<!-- /reference -->"
)

// schemaObject is a part of the schema, as far as the reference tells it.
type schemaObject struct {
	Description string         `json:"description"`
	Ref         string         `json:"$ref"`
	Type        jsontext.Value `json:"type"`
	Enum        []string       `json:"enum"`
	Const       jsontext.Value `json:"const"`
	Required    []string       `json:"required"`
	Properties  jsontext.Value `json:"properties"`
	Items       *schemaObject  `json:"items"`
	Else        *schemaObject  `json:"else"`
	AllOf       []schemaObject `json:"allOf"`
	Definitions jsontext.Value `json:"$defs"`
}

// namedObject is a key of an object, in the order of the schema.
type namedObject struct {
	name string
	schemaObject
}

// membersOf reads the members of a JSON object in their order.
func membersOf(t *testing.T, object jsontext.Value) []namedObject {
	t.Helper()
	var members []namedObject
	decoder := jsontext.NewDecoder(strings.NewReader(string(object)))
	if _, err := decoder.ReadToken(); err != nil {
		t.Fatal(err)
	}
	for decoder.PeekKind() != '}' {
		name, err := decoder.ReadToken()
		if err != nil {
			t.Fatal(err)
		}
		member := namedObject{name: name.String()}
		if err := json.UnmarshalDecode(decoder, &member.schemaObject); err != nil {
			t.Fatal(err)
		}
		members = append(members, member)
	}
	return members
}

// form tells how a value is written.
func (o schemaObject) form() string {
	kind := strings.NewReplacer(`"`, "", "[", "", "]", "", ",", " or").Replace(string(o.Type))
	switch {
	case o.Ref != "":
		return strings.TrimPrefix(o.Ref, "#/$defs/")
	case len(o.Enum) > 0:
		return "`" + strings.Join(o.Enum, "`, `") + "`"
	case len(o.Const) > 0:
		return "`" + string(o.Const) + "`"
	case len(o.AllOf) > 0:
		return o.AllOf[0].form()
	case o.Items != nil && kind == "array":
		return "list of " + o.Items.form()
	}
	return strings.NewReplacer("string", "text", "object", "mapping", "array", "list", "boolean", "true or false").Replace(kind)
}

// table tells the keys of an object.
func table(t *testing.T, o schemaObject) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| key | form | |\n|---|---|---|\n")
	for _, key := range membersOf(t, o.Properties) {
		name := "`" + key.name + "`"
		if slices.Contains(o.Required, key.name) {
			name = "**" + name + "**"
		}
		if key.Description == "" {
			t.Errorf("key %s is not described", key.name)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, key.form(), key.Description)
	}
	return b.String()
}

// reference tells every key of the schema.
func reference(t *testing.T) string {
	t.Helper()
	var whole schemaObject
	if err := json.Unmarshal(recipe.Schema(), &whole); err != nil {
		t.Fatal(err)
	}
	var b, forms strings.Builder
	b.WriteString("\n### The file\n\n" + table(t, whole))
	for _, definition := range membersOf(t, whole.Definitions) {
		switch {
		case definition.Else != nil && definition.Else.Properties != nil:
			word := membersOf(t, jsontext.Value(`{"then":`+string(thenOf(t, whole.Definitions, definition.name))+`}`))[0]
			fmt.Fprintf(&b, "\n### %s\n\nOne of the words %s, or one of:\n\n%s", definition.name, word.form(), table(t, *definition.Else))
		case definition.Properties != nil:
			fmt.Fprintf(&b, "\n### %s\n\n", definition.name)
			if definition.Description != "" {
				b.WriteString(definition.Description + "\n\n")
			}
			b.WriteString(table(t, definition.schemaObject))
		case definition.Description != "":
			fmt.Fprintf(&forms, "| %s | %s |\n", definition.name, definition.Description)
		}
	}
	return b.String() + "\n### Forms of a value\n\n| form | |\n|---|---|\n" + forms.String() + "\n"
}

// thenOf returns the part of a definition that names its words.
func thenOf(t *testing.T, definitions jsontext.Value, name string) jsontext.Value {
	t.Helper()
	var all map[string]struct {
		Then jsontext.Value `json:"then"`
	}
	if err := json.Unmarshal(definitions, &all); err != nil {
		t.Fatal(err)
	}
	return all[name].Then
}

func TestTheReferenceIsTheSchema(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), beginning)
	written, after, whole := strings.Cut(rest, end)
	if !found || !whole {
		t.Fatal("the document has no place for the reference")
	}
	want := reference(t)
	if *update {
		if err := os.WriteFile(document, []byte(before+beginning+want+end+after), 0o644); err != nil { //nolint:gosec // a document
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, written); diff != "" {
		t.Errorf("docs/recipes.md does not tell what the schema says; run this test with -update: %s", diff)
	}
	if strings.Count(want, "\n| ") < 80 {
		t.Errorf("only %d lines", strings.Count(want, "\n| "))
	}
}
