package recipe

import (
	"bytes"
	_ "embed" // for the schema
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

//go:embed recipe.schema.json
var schemaText []byte

// Schema returns the JSON schema (draft 2020-12) of recipes, for editors.
func Schema() []byte { return bytes.Clone(schemaText) }

// compiledSchema compiles the schema once.
var compiledSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaText))
	if err != nil {
		return nil, fmt.Errorf("read the recipe schema: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("recipe.schema.json", document); err != nil {
		return nil, fmt.Errorf("add the recipe schema: %w", err)
	}
	return compiler.Compile("recipe.schema.json")
})

// checkSchema holds a document against the schema. The error names the line
// and the path of everything that is wrong.
func checkSchema(root *yaml.Node) error {
	schema, err := compiledSchema()
	if err != nil {
		return err
	}
	value, err := plainValue(root)
	if err != nil {
		return err
	}
	err = schema.Validate(value)
	if wrong, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
		return errors.Join(schemaErrors(root, wrong)...)
	}
	return err
}

// schemaErrors returns the innermost causes, each with its place and what to do.
func schemaErrors(root *yaml.Node, wrong *jsonschema.ValidationError) []error {
	if len(wrong.Causes) > 0 {
		var errs []error
		for _, cause := range wrong.Causes {
			errs = append(errs, schemaErrors(root, cause)...)
		}
		return errs
	}
	node, path := find(root, wrong.InstanceLocation)
	about := schemaAt(wrong.SchemaURL)
	var errs []error
	switch wrongKind := wrong.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, name := range wrongKind.Properties {
			if key, _ := member(node, name); key != nil {
				errs = append(errs, fmt.Errorf("%d: %s: unknown key %q%s", key.Line, path, name, meant(name, about.properties())))
			}
		}
	case *kind.Required:
		for _, name := range wrongKind.Missing {
			errs = append(errs, fmt.Errorf("%d: %s: missing key %q; add it%s", node.Line, path, name, about.property(name).told(": ")))
		}
	}
	if errs != nil {
		return errs
	}
	told := wrong.ErrorKind.LocalizedString(message.NewPrinter(language.English))
	return []error{fmt.Errorf("%d: %s: %s%s", node.Line, path, told, about.told("; "))}
}

// schemaPart is a part of the schema.
type schemaPart map[string]any

// schemaAt returns the part that a location of the compiled schema names.
func schemaAt(location string) schemaPart {
	_, fragment, _ := strings.Cut(location, "#")
	part := schemaDocument()
	for _, token := range strings.Split(strings.Trim(fragment, "/"), "/") {
		if token != "" {
			part, _ = part[token].(map[string]any)
		}
	}
	return part
}

// schemaDocument is the whole schema, read once.
var schemaDocument = sync.OnceValue(func() schemaPart {
	document, _ := jsonschema.UnmarshalJSON(bytes.NewReader(schemaText)) // compiledSchema has told of an error
	whole, _ := document.(map[string]any)
	return whole
})

// properties returns the names of the keys that the part knows.
func (p schemaPart) properties() []string {
	known, _ := p["properties"].(map[string]any)
	return slices.Collect(maps.Keys(known))
}

// property returns the part about a key.
func (p schemaPart) property(name string) schemaPart {
	known, _ := p["properties"].(map[string]any)
	part, _ := known[name].(map[string]any)
	return part
}

// told returns what the part says about itself, after a mark.
func (p schemaPart) told(mark string) string {
	description, ok := p["description"].(string)
	if !ok {
		return ""
	}
	return mark + description
}

// find returns the node at a JSON location, and the location as people write
// it.
func find(node *yaml.Node, location []string) (*yaml.Node, string) {
	var path strings.Builder
	for _, token := range location {
		var next *yaml.Node
		if node.Kind == yaml.SequenceNode {
			fmt.Fprintf(&path, "[%s]", token)
			if i, err := strconv.Atoi(token); err == nil && i < len(node.Content) {
				next = node.Content[i]
			}
		} else {
			if path.Len() > 0 {
				path.WriteByte('.')
			}
			path.WriteString(token)
			_, next = member(node, token)
		}
		if next == nil {
			break
		}
		node = next
	}
	if path.Len() == 0 {
		return node, "recipe"
	}
	return node, path.String()
}
