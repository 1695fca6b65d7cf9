package recipe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// maxJSONDepth bounds nested objects and arrays of an answer.
const maxJSONDepth = 64

// object is a JSON object. The other values of a JSON tree are []any, string,
// number, bool and nil.
type object map[string]any

// number is a JSON number as it was written, so that a long id keeps every
// digit.
type number string

// values returns the members' values, in the order of their names.
func (o object) values() []any {
	values := make([]any, 0, len(o))
	for _, name := range slices.Sorted(maps.Keys(o)) {
		values = append(values, o[name])
	}
	return values
}

// parseJSON reads one JSON value of bounded depth.
func parseJSON(text []byte) (any, error) {
	decoder := jsontext.NewDecoder(bytes.NewReader(text))
	value, err := readJSON(decoder, 0)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the JSON value")
	}
	return value, nil
}

// readJSON reads the next value.
func readJSON(decoder *jsontext.Decoder, depth int) (any, error) {
	if depth > maxJSONDepth {
		return nil, fmt.Errorf("JSON nested deeper than %d", maxJSONDepth)
	}
	token, err := decoder.ReadToken()
	if err != nil {
		return nil, errors.New("not JSON") // the cause may show the text
	}
	switch token.Kind() {
	case '{':
		members := object{}
		for decoder.PeekKind() != '}' {
			name, err := decoder.ReadToken()
			if err != nil {
				return nil, errors.New("not JSON")
			}
			key := name.String() // before the token's text is gone
			if members[key], err = readJSON(decoder, depth+1); err != nil {
				return nil, err
			}
		}
		_, err = decoder.ReadToken()
		return members, err
	case '[':
		list := []any{}
		for decoder.PeekKind() != ']' {
			value, err := readJSON(decoder, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err = decoder.ReadToken()
		return list, err
	case '"':
		return token.String(), nil
	case '0':
		return number(token.String()), nil
	case 't', 'f':
		return token.Bool(), nil
	default:
		return nil, nil
	}
}
