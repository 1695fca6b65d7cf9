package reference

import (
	"cmp"
	"strings"
)

// typeOf names the type of a schema, in JSON's terms.
func (d document) typeOf(schema *value, depth int) string {
	name := schemaName(schema)
	schema = d.resolve(schema)
	if depth > maxReferences || schema == nil {
		return "any"
	}
	types := schema.get("type").strs()
	for i, one := range types {
		switch {
		case one == "array" && schema.get("items") != nil:
			types[i] = "array of " + d.typeOf(schema.get("items"), depth+1)
		case one == "object" && name != "" && d.isShared(name):
			types[i] = name
		case one == "object" && schema.get("additionalProperties").isObject():
			types[i] = "object of " + d.typeOf(schema.get("additionalProperties"), depth+1)
		}
	}
	if len(types) > 0 {
		return strings.Join(types, " or ")
	}
	if name != "" && d.isShared(name) {
		return name
	}
	if constant := schema.get("const"); constant != nil {
		return typeOfScalar(constant)
	}
	for _, group := range []string{"oneOf", "anyOf"} {
		var options []string
		for _, branch := range schema.get(group).list() {
			if option := d.typeOf(branch, depth+1); len(options) == 0 || options[len(options)-1] != option {
				options = append(options, option)
			}
		}
		if len(options) > 0 {
			return strings.Join(options, " or ")
		}
	}
	return "any"
}

// typeOfScalar names the type of a value that is no object or list.
func typeOfScalar(constant *value) string {
	switch kind := constant.scalar.Kind(); {
	case constant.scalar == nil:
		return "any"
	case kind == 't' || kind == 'f':
		return "boolean"
	case kind == '0':
		return "number"
	case kind == 'n':
		return "null"
	}
	return "string"
}

// valuesOf lists all that a schema allows, where that is a list.
func (d document) valuesOf(schema *value) []string {
	if constant := schema.get("const"); constant != nil {
		return []string{constant.str()}
	}
	if listed := schema.get("enum").strs(); len(listed) > 0 {
		return listed
	}
	var values []string
	if items := d.resolve(schema.get("items")); items != nil && items.get("properties") == nil {
		values = d.valuesOf(items)
	}
	for _, branch := range schema.get("anyOf").list() {
		values = append(values, d.valuesOf(d.resolve(branch))...)
	}
	return values
}

// bounds are the keywords that limit a value, with their words.
var bounds = []struct{ least, most, one, many string }{
	{"minLength", "maxLength", "character", "characters"},
	{"minItems", "maxItems", "item", "items"},
	{"minProperties", "maxProperties", "field", "fields"},
	{"minimum", "maximum", "", ""},
}

// rulesOf puts the limits of a schema into words.
func rulesOf(schema *value) []string {
	var rules []string
	for _, bound := range bounds {
		least, most := schema.get(bound.least).str(), schema.get(bound.most).str()
		unit := " " + bound.many
		if most == "1" || most == "" && least == "1" {
			unit = " " + bound.one
		}
		unit = strings.TrimRight(unit, " ")
		switch {
		case least != "" && most != "":
			rules = append(rules, least+" to "+most+unit)
		case most != "":
			rules = append(rules, "At most "+most+unit)
		case least != "":
			rules = append(rules, "At least "+least+unit)
		}
	}
	if format := schema.get("format").str(); format != "" {
		rules = append(rules, cmp.Or(map[string]string{"date-time": "RFC 3339", "uri": "A URI"}[format], format))
	}
	if absent := schema.get("default"); absent != nil && absent.scalar != nil {
		rules = append(rules, "Default "+absent.str())
	}
	return rules
}
