package reference

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// document is a description that has been read.
type document struct {
	root *value
	// uses counts, for each component schema, the places that refer to it.
	uses map[string]int
}

// newDocument reads a description.
func newDocument(description []byte) (document, error) {
	root, err := newValue(description)
	if err != nil {
		return document{}, fmt.Errorf("read the description: %w", err)
	}
	if !root.get("paths").isObject() {
		return document{}, fmt.Errorf("read the description: there are no paths")
	}
	d := document{root: root, uses: map[string]int{}}
	d.count(root.get("paths"), map[string]bool{}, 0)
	d.count(root.get("webhooks"), map[string]bool{}, 0)
	return d, nil
}

func (v *value) isObject() bool { return v != nil && v.object }

// encode writes the description as JSON, with our own address as its server.
// What is only there to be shared within the YAML is left out.
func (d document) encode(to *bytes.Buffer, apiURL string) error {
	server := &value{object: true, members: []member{{"url", newText(apiURL)}}}
	root := d.root.without("x-shared").with("servers", &value{items: []*value{server}})
	if err := root.write(jsontext.NewEncoder(to)); err != nil {
		return fmt.Errorf("encode the description: %w", err)
	}
	return nil
}

// schemas is where component schemas stand.
const schemas = "#/components/schemas/"

// maxReferences bounds a chain of references, which may be a circle.
const maxReferences = 16

// resolve returns what a value means: the target of its reference, with what
// stands beside the reference in place of the target's own.
func (d document) resolve(v *value) *value {
	for range maxReferences {
		reference := v.get("$ref")
		if reference == nil {
			return v
		}
		target := d.target(reference.str())
		for _, beside := range v.fields() {
			if beside.name != "$ref" {
				target = target.with(beside.name, beside.value)
			}
		}
		v = target
	}
	return nil
}

// target returns what stands at a reference (RFC 6901), nil for nothing.
func (d document) target(reference string) *value {
	path, ok := strings.CutPrefix(reference, "#/")
	if !ok {
		return nil
	}
	found := d.root
	for token := range strings.SplitSeq(path, "/") {
		found = found.get(strings.NewReplacer("~1", "/", "~0", "~").Replace(token))
	}
	return found
}

// schemaName returns the component schema that a value refers to, "" for none.
func schemaName(v *value) string {
	name, _ := strings.CutPrefix(v.get("$ref").str(), schemas)
	if !strings.HasPrefix(v.get("$ref").str(), schemas) {
		return ""
	}
	return name
}

// count counts the references below a value to component schemas, each
// component being looked into once.
func (d document) count(v *value, seen map[string]bool, depth int) {
	if v == nil || depth > maxDepth {
		return
	}
	if reference := v.get("$ref").str(); reference != "" {
		if name := schemaName(v); name != "" {
			d.uses[name]++
		}
		if !seen[reference] {
			seen[reference] = true
			d.count(d.target(reference), seen, depth+1)
		}
	}
	for _, field := range v.members {
		d.count(field.value, seen, depth+1)
	}
	for _, item := range v.items {
		d.count(item, seen, depth+1)
	}
}

// isShared reports whether a schema has a section of its own: an object that
// more than one place refers to, or a choice between such objects.
func (d document) isShared(name string) bool {
	target := d.target(schemas + name)
	if branches := target.get("oneOf").list(); len(branches) > 0 && schemaName(branches[0]) != "" {
		return true
	}
	shaped := target.get("properties") != nil || target.get("oneOf") != nil || target.get("additionalProperties").str() == "false"
	return d.uses[name] > 1 && shaped
}
