package recipe

import (
	"slices"
	"strconv"
	"strings"

	"github.com/andybalholm/cascadia"
	"go.yaml.in/yaml/v3"
)

// condition holds when everything that it names holds.
type condition struct {
	Status statuses         `yaml:"status"`
	Header *headerCondition `yaml:"header"`
	JSON   *jsonCondition   `yaml:"json"`
	HTML   *htmlCondition   `yaml:"html"`
	All    []condition      `yaml:"all"`
	Any    []condition      `yaml:"any"`
	Not    *condition       `yaml:"not"`
}

// statuses is one HTTP status or a list of them.
type statuses []int

// headerCondition looks at a header's values.
type headerCondition struct {
	Name     string  `yaml:"name"`
	Equals   *string `yaml:"equals"`
	Contains *string `yaml:"contains"`
}

// jsonCondition looks at what a path leads to: something at all, a value, or
// an object with the given members. One match is enough.
type jsonCondition struct {
	Path   jsonPath          `yaml:"path"`
	Exists *bool             `yaml:"exists"`
	Equals *scalar           `yaml:"equals"`
	Has    map[string]scalar `yaml:"has"`
}

// htmlCondition looks for elements, or for a text in one of them.
type htmlCondition struct {
	Selector selector `yaml:"selector"`
	Exists   *bool    `yaml:"exists"`
	Contains string   `yaml:"contains"`
}

// selector is a compiled CSS selector.
type selector struct {
	cascadia.Selector
	source string
}

// scalar is a string, number or truth value to compare with.
type scalar struct{ value any }

// holds reports whether everything that the condition names is so.
func (c condition) holds(a *answer) bool {
	switch {
	case c.Status != nil && !slices.Contains(c.Status, a.status),
		c.Header != nil && !c.Header.holds(a),
		c.JSON != nil && !c.JSON.holds(a),
		c.HTML != nil && !c.HTML.holds(a),
		c.Not != nil && c.Not.holds(a),
		slices.ContainsFunc(c.All, func(part condition) bool { return !part.holds(a) }),
		c.Any != nil && !slices.ContainsFunc(c.Any, func(part condition) bool { return part.holds(a) }):
		return false
	}
	return true
}

func (c *headerCondition) holds(a *answer) bool {
	return slices.ContainsFunc(a.header.Values(c.Name), func(value string) bool {
		return (c.Equals == nil || value == *c.Equals) && (c.Contains == nil || strings.Contains(value, *c.Contains))
	})
}

// holds is false for an answer that is not JSON, whatever is asked of it.
func (c *jsonCondition) holds(a *answer) bool {
	root, ok := a.json()
	if !ok {
		return false
	}
	found := c.Path.find(root)
	switch {
	case c.Exists != nil:
		return *c.Exists == (len(found) > 0)
	case c.Equals != nil:
		return slices.ContainsFunc(found, c.Equals.matches)
	case c.Has != nil:
		return slices.ContainsFunc(found, c.hasMembers)
	}
	return len(found) > 0
}

// hasMembers reports whether a value is an object with all the members.
func (c *jsonCondition) hasMembers(value any) bool {
	members, ok := value.(object)
	if !ok {
		return false
	}
	for name, want := range c.Has {
		if member, ok := members[name]; !ok || !want.matches(member) {
			return false
		}
	}
	return true
}

// holds is false for an answer that is not HTML, whatever is asked of it.
func (c *htmlCondition) holds(a *answer) bool {
	page, ok := a.html()
	if !ok {
		return false
	}
	found := page.FindMatcher(c.Selector)
	if c.Exists != nil {
		return *c.Exists == (found.Length() > 0)
	}
	for _, node := range found.EachIter() {
		if strings.Contains(node.Text(), c.Contains) {
			return true
		}
	}
	return false
}

// matches compares with a value of a JSON tree.
func (s scalar) matches(value any) bool {
	written, isNumber := value.(number)
	wanted, wantsNumber := s.value.(number)
	if isNumber != wantsNumber {
		return false
	}
	if !isNumber {
		switch value.(type) {
		case string, bool:
			return value == s.value
		}
		return false
	}
	x, err1 := strconv.ParseFloat(string(written), 64)
	y, err2 := strconv.ParseFloat(string(wanted), 64)
	return written == wanted || (err1 == nil && err2 == nil && x == y)
}

// UnmarshalYAML reads one status or a list.
func (s *statuses) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		var status int
		if err := node.Decode(&status); err != nil {
			return mistakef(node.Line, "status %q: want a number", node.Value)
		}
		*s = statuses{status}
		return nil
	}
	return node.Decode((*[]int)(s))
}

// UnmarshalYAML reads a value to compare with.
func (s *scalar) UnmarshalYAML(node *yaml.Node) error {
	switch node.ShortTag() {
	case "!!int", "!!float":
		s.value = number(node.Value)
		return nil
	case "!!bool":
		var value bool
		if err := node.Decode(&value); err != nil {
			return mistakef(node.Line, "%q: want true or false", node.Value)
		}
		s.value = value
		return nil
	}
	s.value = node.Value
	return nil
}

// UnmarshalYAML compiles a selector.
func (s *selector) UnmarshalYAML(node *yaml.Node) error {
	compiled, err := cascadia.Compile(node.Value)
	if err != nil {
		return mistakef(node.Line, "selector %q is not CSS: %v", node.Value, err)
	}
	s.Selector, s.source = compiled, node.Value
	return nil
}
