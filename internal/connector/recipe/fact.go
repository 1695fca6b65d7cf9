package recipe

import (
	"go.yaml.in/yaml/v3"
)

// fact is where something about a person stands in a profile's answer: a JSON
// path, or a source of another kind.
type fact struct{ source }

// UnmarshalYAML reads `$.path` or `{html: {selector: …}}`.
func (f *fact) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		f.JSON = new(jsonPath)
		return f.JSON.UnmarshalYAML(node)
	}
	return node.Decode(&f.source)
}

// in returns the fact's text in an answer.
func (f *fact) in(a *answer) (string, bool) { return f.value(a, nil) }

// place names where the fact is looked for, for the operator.
func (f *fact) place() string {
	switch {
	case f.JSON != nil:
		return f.JSON.source
	case f.HTML != nil:
		return "selector " + f.HTML.Selector.source
	default:
		return "header " + f.Header
	}
}
