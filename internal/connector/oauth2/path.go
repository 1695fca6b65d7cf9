package oauth2

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Path leads to a value in JSON by names and indexes: a subset of JSONPath
// (RFC 9535), as $.user.id, $.emails[0].value or $['odd name'].
type Path string

// segmentPattern is one segment: .name, ['name'] or [0].
var segmentPattern = regexp.MustCompile(`^(?:\.([A-Za-z_][A-Za-z0-9_-]*)|\['([^'\\]+)'\]|\[(0|[1-9][0-9]{0,5})\])`)

// maxSegments bounds a path.
const maxSegments = 16

// check reports a path that is none. The empty one stands for none given.
func (p Path) check() error {
	if p == "" {
		return nil
	}
	rest, ok := strings.CutPrefix(string(p), "$")
	for count := 0; ok && rest != ""; count++ {
		match := segmentPattern.FindString(rest)
		ok = match != "" && count < maxSegments
		rest = rest[len(match):]
	}
	if !ok {
		return fmt.Errorf("path %q: want names and indexes, as $.user.emails[0]", string(p))
	}
	return nil
}

// find returns the value that the path leads to, or nil.
func (p Path) find(root any) any {
	rest := strings.TrimPrefix(string(p), "$")
	for rest != "" {
		m := segmentPattern.FindStringSubmatch(rest)
		if m == nil {
			return nil
		}
		rest = rest[len(m[0]):]
		if name := m[1] + m[2]; name != "" {
			members, _ := root.(object)
			root = members[name]
			continue
		}
		list, _ := root.([]any)
		index, err := strconv.Atoi(m[3])
		if err != nil || index >= len(list) {
			return nil
		}
		root = list[index]
	}
	return root
}

// text returns the string, number or truth value that the path leads to, as
// text.
func (p Path) text(root any) (string, bool) { return textOf(p.find(root)) }

// textOf returns a string, number or truth value as text.
func textOf(value any) (string, bool) {
	switch value := value.(type) {
	case text:
		return string(value), true
	case number:
		return string(value), true
	case bool:
		return strconv.FormatBool(value), true
	}
	return "", false
}

// Fact says where a fact about a person stands: paths, of which the first that
// leads to something counts. In place of a path there may be a text in which
// {$.path} stands for a value, as https://cdn.example.com/{$.id}/{$.avatar}.
type Fact []string

// UnmarshalYAML reads one text or a list of them.
func (f *Fact) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*f = Fact{node.Value}
		return nil
	}
	var texts []string
	if err := node.Decode(&texts); err != nil {
		return err
	}
	*f = texts
	return nil
}

// placePattern is a path in a fact's text.
var placePattern = regexp.MustCompile(`\{(\$[^{}]*)\}`)

// check reports a fact that can't be found.
func (f Fact) check() error {
	if len(f) > maxSegments {
		return fmt.Errorf("more than %d places", maxSegments)
	}
	for _, text := range f {
		if strings.HasPrefix(text, "$") {
			if err := Path(text).check(); err != nil {
				return err
			}
			continue
		}
		places := placePattern.FindAllStringSubmatch(text, -1)
		if len(places) == 0 {
			return fmt.Errorf("%q: want a path, as $.id, or a text with {$.path}", text)
		}
		for _, place := range places {
			if err := Path(place[1]).check(); err != nil {
				return err
			}
		}
	}
	return nil
}

// find returns the fact, "" when it is nowhere.
func (f Fact) find(root any) string {
	for _, text := range f {
		if found := findOne(text, root); strings.TrimSpace(found) != "" {
			return found
		}
	}
	return ""
}

// findOne returns what a path leads to, or the text with all that its places
// lead to; "" when one leads nowhere.
func findOne(text string, root any) string {
	if strings.HasPrefix(text, "$") {
		found, _ := Path(text).text(root)
		return found
	}
	complete := true
	found := placePattern.ReplaceAllStringFunc(text, func(place string) string {
		value, ok := Path(place[1 : len(place)-1]).text(root)
		complete = complete && ok && value != ""
		return value
	})
	if !complete {
		return ""
	}
	return found
}
