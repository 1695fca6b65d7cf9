package recipe

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// origin is where a placeholder's value comes from.
type origin string

// The origins: the whole set.
const (
	fromField  origin = "field"  // what the person submitted
	fromSaved  origin = "saved"  // what a step saved
	fromCookie origin = "cookie" // what the provider set
)

// text is a text with placeholders.
type text struct {
	parts  []part
	source string // as it stands in the file
	line   int
}

// part is a piece of literal text, or a placeholder when origin is not empty.
type part struct {
	origin origin
	name   string // of the placeholder; else the literal itself
}

// placeholder is the only form there is. A cookie's name is a token of RFC
// 6265, section 4.1.1, less the rarest letters.
var placeholder = regexp.MustCompile(`\{\{(?:(field|saved)\.([a-z][a-z0-9_-]*)|(cookie)\.([A-Za-z0-9_.!#$%&*+^|~-]+))\}\}`)

// errMissing is wrapped when a placeholder has no value at this moment.
var errMissing = errors.New("has no value")

// UnmarshalYAML reads a text.
func (t *text) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.ScalarNode {
		return mistakef(node.Line, "want a text")
	}
	parsed, err := parseText(node.Value, node.Line)
	*t = parsed
	return err
}

// parseText finds the placeholders of a text. Anything else in double braces is
// an error, so that a typing mistake is never sent.
func parseText(source string, line int) (text, error) {
	t := text{source: source, line: line}
	literal := func(s string) error {
		if strings.Contains(s, "{{") || strings.Contains(s, "}}") {
			return mistakef(line, "unknown placeholder in %q: want {{field.x}}, {{saved.x}} or {{cookie.x}}", source)
		}
		if s != "" {
			t.parts = append(t.parts, part{name: s})
		}
		return nil
	}
	end := 0
	for _, at := range placeholder.FindAllStringSubmatchIndex(source, -1) {
		if err := literal(source[end:at[0]]); err != nil {
			return text{}, err
		}
		p := part{origin: fromCookie}
		if at[2] >= 0 {
			p.origin, p.name = origin(source[at[2]:at[3]]), source[at[4]:at[5]]
		} else {
			p.name = source[at[8]:at[9]]
		}
		t.parts = append(t.parts, p)
		end = at[1]
	}
	if err := literal(source[end:]); err != nil {
		return text{}, err
	}
	return t, nil
}

// uses reports whether the text has a placeholder of the origin.
func (t text) uses(wanted origin) bool {
	return slices.ContainsFunc(t.parts, func(p part) bool { return p.origin == wanted })
}

// values are what placeholders stand for during one call.
type values struct {
	fields  map[string][]byte // the caller's bytes: never kept
	saved   map[string]string
	cookies map[string]string // those that would be sent with the request
}

// lookup returns a placeholder's value.
func (v values) lookup(p part) ([]byte, error) {
	var value []byte
	ok := true
	switch p.origin {
	case fromField:
		value, ok = v.fields[p.name]
	case fromSaved:
		var saved string
		saved, ok = v.saved[p.name]
		value = []byte(saved)
	case fromCookie:
		var cookie string
		cookie, ok = v.cookies[p.name]
		value = []byte(cookie)
	default:
		return []byte(p.name), nil
	}
	if !ok {
		return nil, fmt.Errorf("%s.%s %w", p.origin, p.name, errMissing)
	}
	return value, nil
}

// expand returns the text with every placeholder replaced once. The bytes may
// hold a password: the caller clears them.
func (t text) expand(v values) ([]byte, error) {
	var expanded []byte
	for _, p := range t.parts {
		value, err := v.lookup(p)
		if err != nil {
			clear(expanded)
			return nil, err
		}
		expanded = append(reserve(expanded, len(value)), value...)
	}
	return expanded, nil
}

// reserve returns b with room for n more bytes; what it outgrows is cleared,
// so that no copy of a secret is left behind.
func reserve(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b
	}
	larger := append(make([]byte, 0, 2*cap(b)+n), b...)
	clear(b)
	return larger
}
