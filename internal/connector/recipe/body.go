package recipe

import (
	"errors"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

// errUnencodable is returned for a value that JSON can't carry as it is.
var errUnencodable = errors.New("a value is not UTF-8 and can't be sent as JSON")

// jsonBody is a JSON value whose strings have placeholders. It is kept as a
// tree and encoded as one, so that no value can leave its string.
type jsonBody struct {
	literal  []byte // a number, truth value or null
	text     *text
	names    []string   // of an object's members, each quoted; nil for a list
	children []jsonBody // of an object or list
}

// UnmarshalYAML reads a body. Names of members are literal.
func (b *jsonBody) UnmarshalYAML(node *yaml.Node) error {
	switch node.Kind {
	case yaml.MappingNode:
		b.names = []string{}
		for i := 0; i < len(node.Content); i += 2 {
			key := node.Content[i]
			if name, err := parseText(key.Value, key.Line); err != nil || len(name.parts) > 1 ||
				(len(name.parts) == 1 && name.parts[0].origin != "") {
				return mistakef(key.Line, "a member's name can't have placeholders")
			}
			quoted, err := jsontext.AppendQuote(nil, key.Value)
			if err != nil {
				return mistakef(key.Line, "a member's name is not UTF-8")
			}
			b.names = append(b.names, string(quoted))
		}
		return b.readChildren(node, 1, 2)
	case yaml.SequenceNode:
		return b.readChildren(node, 0, 1)
	}
	switch node.ShortTag() {
	case "!!int", "!!float", "!!bool", "!!null":
		b.literal = []byte(node.Value)
		if node.ShortTag() == "!!null" {
			b.literal = []byte("null")
		}
		if !jsontext.Value(b.literal).IsValid() {
			return mistakef(node.Line, "%q is not written as JSON writes it; put it in quotes if it is a text", node.Value)
		}
		return nil
	}
	b.text = new(text)
	return b.text.UnmarshalYAML(node)
}

// readChildren reads every step-th child from first on.
func (b *jsonBody) readChildren(node *yaml.Node, first, step int) error {
	for i := first; i < len(node.Content); i += step {
		var child jsonBody
		if err := child.UnmarshalYAML(node.Content[i]); err != nil {
			return err
		}
		b.children = append(b.children, child)
	}
	return nil
}

// texts calls visit with every text of the body.
func (b *jsonBody) texts(visit func(text)) {
	if b.text != nil {
		visit(*b.text)
	}
	for i := range b.children {
		b.children[i].texts(visit)
	}
}

// appendTo appends the encoded value. The caller clears the bytes, also after
// an error.
func (b *jsonBody) appendTo(dst []byte, v values) ([]byte, error) {
	switch {
	case b.text != nil:
		raw, err := b.text.expand(v)
		if err != nil {
			return dst, err
		}
		defer clear(raw)
		dst, err = jsontext.AppendQuote(reserve(dst, 6*len(raw)+2), raw)
		if err != nil {
			return dst, errUnencodable
		}
		return dst, nil
	case b.literal != nil:
		return append(reserve(dst, len(b.literal)), b.literal...), nil
	}
	opening, closing := byte('['), byte(']')
	if b.names != nil {
		opening, closing = '{', '}'
	}
	dst = append(reserve(dst, 1), opening)
	for i := range b.children {
		if i > 0 {
			dst = append(reserve(dst, 1), ',')
		}
		if b.names != nil {
			dst = append(append(reserve(dst, len(b.names[i])+1), b.names[i]...), ':')
		}
		var err error
		if dst, err = b.children[i].appendTo(dst, v); err != nil {
			return dst, err
		}
	}
	return append(reserve(dst, 1), closing), nil
}

// pair is a name and a text of a form or query, in the order of the file.
type pair struct {
	name string
	text text
}

// pairs are sent URL-encoded.
type pairs []pair

// UnmarshalYAML reads a mapping and keeps its order.
func (p *pairs) UnmarshalYAML(node *yaml.Node) error {
	for i := 0; node.Kind == yaml.MappingNode && i < len(node.Content); i += 2 {
		var value text
		if err := value.UnmarshalYAML(node.Content[i+1]); err != nil {
			return err
		}
		*p = append(*p, pair{name: node.Content[i].Value, text: value})
	}
	return nil
}

// appendTo appends name=value&… The caller clears the bytes, also after an
// error.
func (p pairs) appendTo(dst []byte, v values) ([]byte, error) {
	for i, pair := range p {
		if i > 0 {
			dst = append(reserve(dst, 1), '&')
		}
		dst = append(appendEncoded(dst, []byte(pair.name)), '=')
		raw, err := pair.text.expand(v)
		if err != nil {
			return dst, err
		}
		dst = appendEncoded(dst, raw)
		clear(raw)
	}
	return dst, nil
}

// appendEncoded appends b as application/x-www-form-urlencoded writes it (URL
// standard, section 5.2), with room for one more byte. It does what
// url.QueryEscape does, without making strings of a password.
func appendEncoded(dst, b []byte) []byte {
	const digits = "0123456789ABCDEF"
	dst = reserve(dst, 3*len(b)+1)
	for _, c := range b {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '*':
			dst = append(dst, c)
		case c == ' ':
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}
