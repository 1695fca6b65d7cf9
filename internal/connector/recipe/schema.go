package recipe

import (
	"bytes"
	_ "embed" // for the schema
	"errors"
	"fmt"
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

// schemaErrors returns the innermost causes, each with its place.
func schemaErrors(root *yaml.Node, wrong *jsonschema.ValidationError) []error {
	if len(wrong.Causes) > 0 {
		var errs []error
		for _, cause := range wrong.Causes {
			errs = append(errs, schemaErrors(root, cause)...)
		}
		return errs
	}
	node, path := find(root, wrong.InstanceLocation)
	if unknown, ok := wrong.ErrorKind.(*kind.AdditionalProperties); ok && len(unknown.Properties) > 0 {
		if key, _ := member(node, unknown.Properties[0]); key != nil {
			return []error{fmt.Errorf("%d: %s: unknown key %q", key.Line, path, key.Value)}
		}
	}
	return []error{fmt.Errorf("%d: %s: %s", node.Line, path, wrong.ErrorKind.LocalizedString(message.NewPrinter(language.English)))}
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
