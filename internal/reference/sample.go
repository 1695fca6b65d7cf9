package reference

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// sample makes a value that fits a schema, from its examples: the first of an
// example list, else the fields that are always there, each from its own.
func (d document) sample(schema *value) *value { return d.sampleAt(schema, 0) }

func (d document) sampleAt(schema *value, depth int) *value {
	schema = d.resolve(schema)
	if schema == nil || depth > maxReferences {
		return nil
	}
	if examples := schema.get("examples").list(); len(examples) > 0 {
		return examples[0]
	}
	if constant := schema.get("const"); constant != nil {
		return constant
	}
	if branches := schema.get("oneOf").list(); len(branches) > 0 {
		return d.sampleAt(branches[0], depth+1)
	}
	if items := schema.get("items"); items != nil {
		if item := d.sampleAt(items, depth+1); item != nil {
			return &value{items: []*value{item}}
		}
		return &value{items: []*value{}}
	}
	if properties := schema.get("properties"); properties != nil {
		object := &value{object: true}
		for _, name := range schema.get("required").strs() {
			object.members = append(object.members, member{name, d.sampleAt(properties.get(name), depth+1)})
		}
		return object
	}
	return nil
}

// exampleOf returns a field's example as JSON, "" where there is none or the
// field's own fields have them.
func (d document) exampleOf(schema *value) string {
	examples := schema.get("examples").list()
	if len(examples) == 0 || schema.get("properties") != nil {
		return ""
	}
	return compact(examples[0])
}

// compact writes a value as JSON on one line.
func compact(v *value) string {
	return written(v, jsontext.SpaceAfterColon(true), jsontext.SpaceAfterComma(true))
}

// indented writes a value as JSON on as many lines as it needs.
func indented(v *value) string { return written(v, jsontext.WithIndent("  ")) }

func written(v *value, options ...jsontext.Options) string {
	var text bytes.Buffer
	if err := v.write(jsontext.NewEncoder(&text, append(options, jsontext.AllowDuplicateNames(true))...)); err != nil {
		return ""
	}
	return string(bytes.TrimSpace(text.Bytes()))
}
