package oauth2

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds of a provider's file.
const (
	maxFile     = 64 << 10 // bytes
	maxDepth    = 12       // nested mappings and lists
	maxBrackets = 48       // open at once: the reader's time grows with them
	maxNodes    = 5000
)

// readYAML reads one YAML document of bounded size and depth. Anchors and
// aliases are refused, so that a file is what it looks like. The errors begin
// with the line.
func readYAML(text []byte) (*yaml.Node, error) {
	if len(text) > maxFile {
		return nil, fmt.Errorf("1: larger than %d bytes", maxFile)
	}
	if bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) > maxNodes || brackets(text) > maxBrackets {
		return nil, errors.New("1: too many brackets")
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
	nodes := 0
	return document.Content[0], checkNode(document.Content[0], 1, &nodes)
}

// brackets returns how many brackets are open at once at most, counted without
// regard to quotes.
func brackets(text []byte) int {
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

// checkNode refuses what a file must not use.
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
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 && (child.Kind != yaml.ScalarNode || child.ShortTag() == "!!merge") {
			return fmt.Errorf("%d: a key must be plain text", child.Line)
		}
		if err := checkNode(child, depth+1, nodes); err != nil {
			return err
		}
	}
	return nil
}

// lineOf returns the line of a field, as profile.headers.Accept, or that of
// what it is missing in.
func lineOf(node *yaml.Node, field string) int {
	line := node.Line
	for name := range strings.SplitSeq(field, ".") {
		next := -1
		for i := 0; node.Kind == yaml.MappingNode && i < len(node.Content); i += 2 {
			if node.Content[i].Value == name {
				next = i
			}
		}
		if next < 0 {
			return line
		}
		line, node = node.Content[next].Line, node.Content[next+1]
	}
	return line
}

// Parse reads a provider's file and checks all that can be checked without the
// provider. Every line of the error begins with the name, usually the file's,
// and the line at fault, and names the field.
func Parse(name string, text []byte) (Config, error) {
	config, root, err := readConfig(text)
	if err = errors.Join(err, at(root, config.problems())); err != nil {
		return Config{}, errors.New(located(name, err))
	}
	return config, nil
}

// readConfig reads as much of a file as can be. The root is nil where it is no YAML.
func readConfig(text []byte) (config Config, root *yaml.Node, err error) {
	root, err = readYAML(text)
	if err != nil {
		return config, nil, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err = decoder.Decode(&config); err != nil {
		// A key of another name or type is worth telling together with what is
		// then missing.
		if wrong, ok := errors.AsType[*yaml.TypeError](err); ok {
			err = errors.New(strings.Join(wrong.Errors, "\n"))
		}
	}
	return config, root, err
}

// at returns problems as an error, each with its line, the first line first. Of
// a file that is no YAML there is nothing to tell.
func at(root *yaml.Node, found problems) error {
	if root == nil {
		return nil
	}
	slices.SortStableFunc(found, func(a, b problem) int {
		return cmp.Or(cmp.Compare(lineOf(root, a.field), lineOf(root, b.field)), strings.Compare(a.field, b.field))
	})
	var wrong []error
	for _, p := range found {
		wrong = append(wrong, errors.New(strconv.Itoa(lineOf(root, p.field))+": "+p.String()))
	}
	return errors.Join(wrong...)
}

// located returns the error's lines, each with the file's name and its line.
func located(name string, err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimPrefix(text, "unmarshal errors:\n")
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "line ")
		line = strings.ReplaceAll(strings.ReplaceAll(line, " not found in type oauth2.", " is unknown in "), "field ", "key ")
		lines = append(lines, name+":"+line)
	}
	return strings.Join(lines, "\n")
}
