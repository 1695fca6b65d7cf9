package latchkey_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// direction says whether a type is sent or received.
type direction int

const (
	request direction = iota
	answer
)

// vocabulary compares types with schemas and keeps what the enumerations of
// the schemas hold.
type vocabulary struct {
	d         description
	constants map[string]map[string]bool // values by type, as the source has them
	described map[string]map[string]bool // values by type, as the description has them
}

// newVocabulary reads the constants of every string type off the source.
func newVocabulary(t *testing.T) *vocabulary {
	t.Helper()
	v := &vocabulary{d: readDescription(t), constants: map[string]map[string]bool{}, described: map[string]map[string]bool{}}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok || spec.Type == nil || len(spec.Values) != 1 {
				return true
			}
			kind, named := spec.Type.(*ast.Ident)
			value, literal := spec.Values[0].(*ast.BasicLit)
			if named && literal && value.Kind == token.STRING {
				if text, err := strconv.Unquote(value.Value); err == nil {
					add(v.constants, kind.Name, text)
				}
			}
			return true
		})
	}
	return v
}

func add(sets map[string]map[string]bool, name, value string) {
	if sets[name] == nil {
		sets[name] = map[string]bool{}
	}
	sets[name][value] = true
}

// alternatives returns the schemas that stand for one: itself, or those of its
// oneOf and anyOf.
func (v *vocabulary) alternatives(schema object) []object {
	schema = v.d.at(schema)
	var found []object
	for _, word := range []string{"oneOf", "anyOf"} {
		list, _ := schema[word].([]any)
		for _, one := range list {
			if alternative, ok := one.(object); ok && v.d.at(alternative)["required"] == nil || ok && v.d.at(alternative)["properties"] != nil {
				found = append(found, v.alternatives(alternative)...)
			}
		}
	}
	if len(found) == 0 {
		return []object{schema}
	}
	return found
}

// properties returns the schemas of each property, of all alternatives.
func (v *vocabulary) properties(schemas []object) map[string][]object {
	found := map[string][]object{}
	for _, schema := range schemas {
		for _, alternative := range v.alternatives(schema) {
			properties, _ := alternative["properties"].(object)
			for name, property := range properties {
				if described, ok := property.(object); ok {
					found[name] = append(found[name], described)
				}
			}
		}
	}
	return found
}

// isRequired reports whether every alternative has the property always.
func (v *vocabulary) isRequired(schemas []object, name string) bool {
	for _, schema := range schemas {
		for _, alternative := range v.alternatives(schema) {
			required, _ := alternative["required"].([]any)
			if !slices.Contains(required, any(name)) {
				return false
			}
		}
	}
	return true
}

// isNullable reports whether one of the schemas allows null.
func (v *vocabulary) isNullable(schemas []object) bool {
	return slices.ContainsFunc(schemas, func(schema object) bool {
		types, _ := v.d.at(schema)["type"].([]any)
		return slices.Contains(types, any("null"))
	})
}

// compare fails the test for every difference between schemas and a type.
func (v *vocabulary) compare(place string, schemas []object, kind reflect.Type, to direction) {
	v.d.Helper()
	for kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	if strings.HasPrefix(kind.Name(), "Nullable[") {
		value, _ := kind.FieldByName("value")
		v.compare(place, schemas, value.Type, to)
		return
	}
	switch {
	case kind == reflect.TypeFor[json.RawMessage](): // whatever it is
	case kind == reflect.TypeFor[time.Time]():
		v.wantType(place, schemas, kind, "string")
		for _, schema := range schemas {
			if v.d.at(schema)["format"] != "date-time" {
				v.d.Errorf("%s is %v, and described as no time", place, kind)
			}
		}
	case kind.Kind() == reflect.Struct:
		v.compareFields(place, schemas, kind, to)
	case kind.Kind() == reflect.Slice:
		v.wantType(place, schemas, kind, "array")
		var items []object
		for _, schema := range schemas {
			items = append(items, v.d.at(schema, "items"))
		}
		v.compare(place+"[]", items, kind.Elem(), to)
	case kind.Kind() == reflect.Map:
		v.wantType(place, schemas, kind, "object")
		if len(v.properties(schemas)) > 0 {
			v.d.Errorf("%s is a map, and described with properties", place)
		}
	case kind.Kind() == reflect.String:
		v.compareWords(place, schemas, kind)
	case kind.Kind() == reflect.Bool:
		v.wantType(place, schemas, kind, "boolean")
	default:
		v.wantType(place, schemas, kind, "integer")
	}
}

func (v *vocabulary) compareFields(place string, schemas []object, kind reflect.Type, to direction) {
	v.d.Helper()
	properties := v.properties(schemas)
	for _, field := range reflect.VisibleFields(kind) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous || name == "-" {
			continue
		}
		property, ok := properties[name]
		if !ok {
			v.d.Errorf("%s: the field %s (%q) is not described", place, field.Name, name)
			continue
		}
		delete(properties, name)
		nilable := slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Slice, reflect.Map}, field.Type.Kind())
		if to == answer && v.isNullable(property) && !nilable {
			v.d.Errorf("%s.%s may be null, and the field is %v", place, name, field.Type)
		}
		if to == request && (options == "") != v.isRequired(schemas, name) {
			v.d.Errorf("%s.%s: required is %t, the field's options are %q", place, name, v.isRequired(schemas, name), options)
		}
		v.compare(place+"."+name, property, field.Type, to)
	}
	for name := range properties {
		v.d.Errorf("%s.%s has no field in %v", place, name, kind)
	}
}

// compareWords keeps an enumeration's values for compareConstants.
func (v *vocabulary) compareWords(place string, schemas []object, kind reflect.Type) {
	v.d.Helper()
	for _, schema := range schemas {
		for _, alternative := range v.alternatives(schema) {
			values, _ := alternative["enum"].([]any)
			if constant, ok := alternative["const"]; ok {
				values = append(values, constant)
			}
			for _, value := range values {
				text, ok := value.(string)
				if !ok {
					continue
				}
				if kind.PkgPath() == "" {
					v.d.Errorf("%s is an enumeration, and the field a %v", place, kind)
					break
				}
				add(v.described, kind.Name(), text)
			}
		}
	}
}

// wantType fails the test if one of the schemas is of another type.
func (v *vocabulary) wantType(place string, schemas []object, kind reflect.Type, want string) {
	v.d.Helper()
	for _, schema := range schemas {
		for _, alternative := range v.alternatives(schema) {
			types, ok := alternative["type"].([]any)
			if !ok {
				types = []any{alternative["type"]}
			}
			_, isFlag := alternative["const"].(bool)
			if !slices.Contains(types, any(want)) && (!isFlag || want != "boolean") {
				v.d.Errorf("%s is %v, and described as %v", place, kind, types)
			}
		}
	}
}

// compareConstants fails the test for every string type whose constants are
// not those of the description.
func (v *vocabulary) compareConstants(t *testing.T) {
	t.Helper()
	for name, described := range v.described {
		if want, got := slices.Sorted(maps.Keys(described)), slices.Sorted(maps.Keys(v.constants[name])); !slices.Equal(want, got) {
			t.Errorf("%s has the constants %q, the description %q", name, got, want)
		}
		delete(v.constants, name)
	}
	for name := range v.constants {
		t.Errorf("%s is described nowhere", name)
	}
}
