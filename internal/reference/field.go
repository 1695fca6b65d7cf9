package reference

import (
	"fmt"
	"slices"
	"strings"
)

// field is one row: a field of a body, a parameter or a header.
type field struct {
	Name       string // nested fields as a.b, those of a list's items as a[].b
	Type       string
	Link       string // the object that the type names; "" for none
	Required   bool
	Deprecated bool
	Text       []span
	Values     []string // all that it may be; empty for anything of its type
	Rules      []string // its limits
	Example    string
}

// Parts returns the name in the pieces between which a line may break.
func (f field) Parts() []string { return strings.SplitAfter(f.Name, ".") }

// Choices returns the values that the text does not name already.
func (f field) Choices() []string {
	named := func(value string) bool { return slices.Contains(f.Text, span{Code: true, Text: value}) }
	for _, value := range f.Values {
		if !named(value) {
			return f.Values
		}
	}
	return nil
}

// variant is one of several shapes that a body may have.
type variant struct {
	Name   string
	Fields []field
}

// flattener lists the fields of a schema.
type flattener struct {
	document document
	links    bool // name shared objects instead of listing their fields
	fields   []field
}

// flatten returns the fields of an object, nested ones too.
func (d document) flatten(schema *value, links bool) []field {
	f := flattener{document: d, links: links}
	f.object(d.resolve(schema), "", 0)
	return f.fields
}

// variants returns the shapes of a body: one, or those of a oneOf whose
// branches have fields of their own.
func (d document) variants(schema *value, links bool) []variant {
	resolved := d.resolve(schema)
	var all []variant
	for i, branch := range resolved.get("oneOf").list() {
		shape := d.resolve(branch)
		if shape.get("properties") == nil {
			continue
		}
		name := shape.get("title").str()
		if name == "" {
			name = fmt.Sprintf("shape %d", i+1)
		}
		if schemaName(branch) != "" && links {
			continue // it is linked to
		}
		all = append(all, variant{Name: name, Fields: d.flatten(branch, links)})
	}
	if len(all) > 0 {
		return all
	}
	if fields := d.flatten(schema, links); len(fields) > 0 {
		return []variant{{Fields: fields}}
	}
	return nil
}

// object adds the fields of a resolved object schema.
func (f *flattener) object(schema *value, prefix string, depth int) {
	if depth > maxReferences {
		return
	}
	required := schema.get("required").strs()
	for _, property := range schema.get("properties").fields() {
		f.add(prefix+property.name, property.value, slices.Contains(required, property.name), depth)
	}
}

// add adds a field and what is nested in it.
func (f *flattener) add(name string, schema *value, required bool, depth int) {
	row := f.document.field(name, schema, required)
	if f.links {
		row.Link = f.document.linkOf(schema)
	}
	f.fields = append(f.fields, row)
	if row.Link != "" {
		return
	}
	resolved := f.document.resolve(schema)
	if items := resolved.get("items"); items != nil {
		f.object(f.document.resolve(items), name+"[].", depth+1)
		return
	}
	f.object(resolved, name+".", depth+1)
}

// linkOf returns the section of the object that a schema, or its items, refer
// to.
func (d document) linkOf(schema *value) string {
	name := schemaName(schema)
	if name == "" {
		name = schemaName(d.resolve(schema).get("items"))
	}
	if name == "" || !d.isShared(name) {
		return ""
	}
	return objectID(name)
}

func objectID(name string) string { return anchor("object-" + name) }

// field describes one field by its schema.
func (d document) field(name string, schema *value, required bool) field {
	resolved := d.resolve(schema)
	return field{
		Name: name, Type: d.typeOf(schema, 0), Required: required, Deprecated: resolved.get("deprecated").flag(),
		Text: parseLine(strings.ReplaceAll(resolved.get("description").str(), "\n", " ")), Values: d.valuesOf(resolved), Rules: rulesOf(resolved),
		Example: d.exampleOf(resolved),
	}
}

// parameter describes a parameter or a header.
func (d document) parameter(name string, described *value) field {
	described = d.resolve(described)
	row := d.field(name, described.get("schema"), described.get("required").flag())
	if text := described.get("description").str(); text != "" {
		row.Text = parseLine(strings.ReplaceAll(text, "\n", " "))
	}
	return row
}
