package reference

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

// value is a value of the description as JSON has it, with the fields of
// objects in the order in which they were written. A nil value is one that is
// not there; all methods take it.
type value struct {
	members []member       // of an object
	items   []*value       // of a list
	scalar  jsontext.Value // neither
	text    string         // of a scalar, as it was written
	object  bool
}

type member struct {
	name  string
	value *value
}

// The bounds of a description. An alias can make a small text large.
const (
	maxDepth  = 100
	maxValues = 100_000
)

// newValue reads a YAML document, with its aliases and merges resolved.
func newValue(description []byte) (*value, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(description, &node); err != nil {
		return nil, err
	}
	converter := converter{}
	return converter.convert(&node, 0)
}

// converter turns nodes into values and counts them.
type converter struct{ values int }

func (c *converter) convert(node *yaml.Node, depth int) (*value, error) {
	if c.values++; c.values > maxValues || depth > maxDepth {
		return nil, errors.New("the description is too large or too deep")
	}
	switch node.Kind {
	case yaml.DocumentNode:
		return c.convert(node.Content[0], depth+1)
	case yaml.AliasNode:
		return c.convert(node.Alias, depth+1)
	case yaml.MappingNode:
		return c.object(node, depth)
	case yaml.SequenceNode:
		list := &value{items: make([]*value, len(node.Content))}
		for i, item := range node.Content {
			var err error
			if list.items[i], err = c.convert(item, depth+1); err != nil {
				return nil, err
			}
		}
		return list, nil
	case yaml.ScalarNode:
		return scalar(node)
	}
	return nil, fmt.Errorf("line %d: a value is missing", node.Line)
}

// object converts a mapping. What it names itself counts before what it
// merges.
func (c *converter) object(node *yaml.Node, depth int) (*value, error) {
	object := &value{object: true}
	var merged []*value
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		field, err := c.convert(node.Content[i+1], depth+1)
		if err != nil {
			return nil, err
		}
		switch {
		case key.Tag == "!!merge" && field.items != nil:
			merged = append(merged, field.items...)
		case key.Tag == "!!merge":
			merged = append(merged, field)
		case key.Kind != yaml.ScalarNode:
			return nil, fmt.Errorf("line %d: a name is no text", key.Line)
		case object.get(key.Value) != nil:
			return nil, fmt.Errorf("line %d: %s is there twice", key.Line, key.Value)
		default:
			object.members = append(object.members, member{key.Value, field})
		}
	}
	for _, other := range merged {
		for _, field := range other.members {
			if object.get(field.name) == nil {
				object.members = append(object.members, field)
			}
		}
	}
	return object, nil
}

// scalar converts a text, a number, a truth or null. Dates are texts.
func scalar(node *yaml.Node) (*value, error) {
	var plain any = node.Value
	switch node.Tag {
	case "!!int", "!!float", "!!bool", "!!null":
		if err := node.Decode(&plain); err != nil {
			return nil, err
		}
	}
	encoded, err := json.Marshal(plain)
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", node.Line, err)
	}
	return &value{scalar: encoded, text: node.Value}, nil
}

// get follows the names into objects.
func (v *value) get(names ...string) *value {
	for _, name := range names {
		if v == nil {
			return nil
		}
		i := slices.IndexFunc(v.members, func(m member) bool { return m.name == name })
		if i < 0 {
			return nil
		}
		v = v.members[i].value
	}
	return v
}

// fields returns the members of an object.
func (v *value) fields() []member {
	if v == nil {
		return nil
	}
	return v.members
}

// list returns the items of a list.
func (v *value) list() []*value {
	if v == nil {
		return nil
	}
	return v.items
}

// str returns a scalar's text, "" for anything else.
func (v *value) str() string {
	if v == nil {
		return ""
	}
	return v.text
}

// flag reports whether the value is true.
func (v *value) flag() bool { return v != nil && string(v.scalar) == "true" }

// strs returns the texts of a list, or the one text of a scalar.
func (v *value) strs() []string {
	if v == nil {
		return nil
	}
	if v.items == nil && v.scalar != nil {
		return []string{v.text}
	}
	texts := make([]string, len(v.items))
	for i, item := range v.items {
		texts[i] = item.str()
	}
	return texts
}

// with returns the object with a field set, at its old place or at the end.
func (v *value) with(name string, field *value) *value {
	changed := &value{object: true, members: slices.Clone(v.fields())}
	for i, old := range changed.members {
		if old.name == name {
			changed.members[i].value = field
			return changed
		}
	}
	changed.members = append(changed.members, member{name, field})
	return changed
}

// without returns the object without a field.
func (v *value) without(name string) *value {
	return &value{object: true, members: slices.DeleteFunc(slices.Clone(v.fields()), func(m member) bool { return m.name == name })}
}

// newText returns a text as a value.
func newText(text string) *value {
	encoded, err := json.Marshal(text)
	if err != nil {
		encoded = jsontext.Value(`""`) // no UTF-8
	}
	return &value{scalar: encoded, text: text}
}

// write encodes the value.
func (v *value) write(encoder *jsontext.Encoder) error {
	switch {
	case v == nil:
		return encoder.WriteToken(jsontext.Null)
	case v.object:
		if err := encoder.WriteToken(jsontext.BeginObject); err != nil {
			return err
		}
		for _, field := range v.members {
			if err := encoder.WriteToken(jsontext.String(field.name)); err != nil {
				return err
			}
			if err := field.value.write(encoder); err != nil {
				return err
			}
		}
		return encoder.WriteToken(jsontext.EndObject)
	case v.scalar != nil:
		return encoder.WriteValue(v.scalar)
	}
	if err := encoder.WriteToken(jsontext.BeginArray); err != nil {
		return err
	}
	for _, item := range v.items {
		if err := item.write(encoder); err != nil {
			return err
		}
	}
	return encoder.WriteToken(jsontext.EndArray)
}
