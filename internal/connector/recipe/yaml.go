package recipe

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// Bounds of a recipe file.
const (
	maxFile  = 256 << 10 // bytes
	maxDepth = 24        // nested mappings and lists
	maxNodes = 20_000
)

// readYAML reads one YAML document of bounded size and depth. Anchors, aliases
// and merge keys are refused, so that a file is what it looks like; so are keys
// that stand twice.
func readYAML(text []byte) (*yaml.Node, error) {
	if len(text) > maxFile {
		return nil, fmt.Errorf("1: larger than %d bytes", maxFile)
	}
	if depth := flowDepth(text); depth > maxDepth*4 {
		return nil, fmt.Errorf("1: more than %d brackets are open at once", maxDepth*4)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("1: empty")
		}
		return nil, err
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("1: more than one document")
	}
	root := document.Content[0]
	nodes := 0
	if err := checkNode(root, 1, &nodes); err != nil {
		return nil, err
	}
	return root, nil
}

// flowDepth returns how many brackets are open at once at most, counted
// without regard to quotes: the parser's time grows with it.
func flowDepth(text []byte) int {
	depth, deepest := 0, 0
	for _, b := range text {
		switch b {
		case '[', '{':
			depth++
			deepest = max(deepest, depth)
		case ']', '}':
			depth = max(depth-1, 0)
		}
	}
	return deepest
}

// checkNode refuses what a recipe must not use.
func checkNode(node *yaml.Node, depth int, nodes *int) error {
	*nodes++
	switch {
	case depth > maxDepth:
		return fmt.Errorf("%d: nested deeper than %d", node.Line, maxDepth)
	case *nodes > maxNodes:
		return fmt.Errorf("%d: more than %d values", node.Line, maxNodes)
	case node.Kind == yaml.AliasNode || node.Anchor != "":
		return fmt.Errorf("%d: anchors and aliases are not allowed", node.Line)
	}
	if node.Kind == yaml.MappingNode {
		seen := map[string]bool{}
		for i := 0; i < len(node.Content); i += 2 {
			key := node.Content[i]
			if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge" {
				return fmt.Errorf("%d: a key must be plain text", key.Line)
			}
			if seen[key.Value] {
				return fmt.Errorf("%d: key %q stands twice", key.Line, key.Value)
			}
			seen[key.Value] = true
		}
	}
	for _, child := range node.Content {
		if err := checkNode(child, depth+1, nodes); err != nil {
			return err
		}
	}
	return nil
}

// member returns the key and value of a mapping's member, or nil.
func member(node *yaml.Node, name string) (key, value *yaml.Node) {
	for i := 0; node.Kind == yaml.MappingNode && i < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			return node.Content[i], node.Content[i+1]
		}
	}
	return nil, nil
}

// plainValue returns a node as a JSON value, for the schema.
func plainValue(node *yaml.Node) (any, error) {
	switch node.Kind {
	case yaml.MappingNode:
		object := make(map[string]any, len(node.Content)/2)
		for i := 0; i < len(node.Content); i += 2 {
			value, err := plainValue(node.Content[i+1])
			if err != nil {
				return nil, err
			}
			object[node.Content[i].Value] = value
		}
		return object, nil
	case yaml.SequenceNode:
		list := make([]any, len(node.Content))
		for i, child := range node.Content {
			value, err := plainValue(child)
			if err != nil {
				return nil, err
			}
			list[i] = value
		}
		return list, nil
	}
	switch node.ShortTag() {
	case "!!str":
		return node.Value, nil
	case "!!int", "!!float", "!!bool", "!!null":
		var value any
		if err := node.Decode(&value); err != nil {
			return nil, fmt.Errorf("%d: unreadable %s", node.Line, node.ShortTag())
		}
		return value, nil
	}
	return nil, fmt.Errorf("%d: values of type %s are not allowed: use quotes", node.Line, node.ShortTag())
}
