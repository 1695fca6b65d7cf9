package recipe

import (
	"fmt"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// jsonPath is a JSONPath of names, indexes and wildcards: a subset of RFC 9535
// ($.user.id, $[0].name, $.groups.*[*], $['odd name']).
type jsonPath struct {
	segments []segment
	source   string
}

// segment picks children of a JSON value.
type segment struct {
	name  string
	index int // used when name is empty and any is not set
	any   bool
	named bool
}

// segmentPattern is one segment: .name, .*, [*], [0] or ['name'].
var segmentPattern = regexp.MustCompile(`^(?:\.([A-Za-z_][A-Za-z0-9_-]*)|\['([^'\\]+)'\]|\[(0|[1-9][0-9]{0,5})\]|(\.\*|\[\*\]))`)

// UnmarshalYAML reads a path.
func (p *jsonPath) UnmarshalYAML(node *yaml.Node) error {
	parsed, err := parseJSONPath(node.Value)
	if err != nil {
		return mistakef(node.Line, "%v", err)
	}
	*p = parsed
	return nil
}

// parseJSONPath reads a path.
func parseJSONPath(source string) (jsonPath, error) {
	p := jsonPath{source: source}
	if source == "" || source[0] != '$' {
		return p, fmt.Errorf("JSON path %q: want it to begin with $", source)
	}
	for rest := source[1:]; rest != ""; {
		m := segmentPattern.FindStringSubmatch(rest)
		if m == nil {
			return p, fmt.Errorf("JSON path %q: want names, indexes and wildcards, not %q", source, rest)
		}
		s := segment{name: m[1] + m[2], named: m[1]+m[2] != "", any: m[4] != ""}
		if m[3] != "" {
			s.index, _ = strconv.Atoi(m[3]) // at most six digits
		}
		p.segments = append(p.segments, s)
		rest = rest[len(m[0]):]
	}
	return p, nil
}

// find returns every value the path leads to.
func (p jsonPath) find(root any) []any {
	found := []any{root}
	for _, s := range p.segments {
		var next []any
		for _, value := range found {
			next = append(next, s.children(value)...)
		}
		found = next
	}
	return found
}

// children returns what the segment picks of a value.
func (s segment) children(value any) []any {
	switch value := value.(type) {
	case object:
		if s.any {
			return value.values()
		}
		if child, ok := value[s.name]; ok && s.named {
			return []any{child}
		}
	case []any:
		if s.any {
			return value
		}
		if !s.named && s.index < len(value) {
			return value[s.index : s.index+1]
		}
	}
	return nil
}

// first returns the first string, number or truth value the path leads to, as
// text.
func (p jsonPath) first(root any) (string, bool) {
	for _, value := range p.find(root) {
		switch value := value.(type) {
		case string:
			return value, true
		case number:
			return string(value), true
		case bool:
			return strconv.FormatBool(value), true
		}
	}
	return "", false
}
