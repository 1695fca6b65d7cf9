package oauth2

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of an answer's JSON.
const (
	maxJSONDepth  = 32
	maxJSONValues = 10_000
)

// object is a JSON object. The other values of a JSON tree are []any, text,
// number, bool and nil.
type object map[string]any

// text is a JSON string. It is bytes, so that a token can be zeroed.
type text []byte

// number is a JSON number as it was written, so that a long id keeps every
// digit.
type number string

// errNotJSON says no more: the cause may show the text.
var errNotJSON = errors.New("not JSON")

// parseObject reads one JSON object of bounded depth and number of values, in
// which no name stands twice.
func parseObject(body []byte) (object, error) {
	decoder := jsontext.NewDecoder(bytes.NewReader(body))
	left := maxJSONValues
	value, err := readJSON(decoder, 0, &left)
	if err != nil {
		zero(value)
		return nil, err
	}
	members, ok := value.(object)
	if _, err := decoder.ReadToken(); !ok || !errors.Is(err, io.EOF) {
		zero(value)
		return nil, errors.New("not one JSON object")
	}
	return members, nil
}

// readJSON reads the next value. After an error, it returns what it has read.
func readJSON(decoder *jsontext.Decoder, depth int, left *int) (any, error) {
	if *left--; *left < 0 || depth > maxJSONDepth {
		return nil, fmt.Errorf("JSON of more than %d values, or nested deeper than %d", maxJSONValues, maxJSONDepth)
	}
	switch kind := decoder.PeekKind(); kind {
	case '{', '[':
		return readNested(decoder, kind, depth, left)
	case '"':
		value, err := decoder.ReadValue()
		if err != nil {
			return nil, errNotJSON
		}
		unquoted, err := jsontext.AppendUnquote(make([]byte, 0, len(value)), value)
		if err != nil {
			return nil, errNotJSON
		}
		return text(unquoted), nil
	}
	token, err := decoder.ReadToken()
	if err != nil {
		return nil, errNotJSON
	}
	switch token.Kind() {
	case '0':
		return number(token.String()), nil
	case 't', 'f':
		return token.Bool(), nil
	}
	return nil, nil
}

// readNested reads an object or a list.
func readNested(decoder *jsontext.Decoder, kind jsontext.Kind, depth int, left *int) (any, error) {
	if _, err := decoder.ReadToken(); err != nil {
		return nil, errNotJSON
	}
	members, list := object{}, []any{}
	read := func() error {
		name := ""
		if kind == '{' {
			token, err := decoder.ReadToken()
			if err != nil {
				return errNotJSON
			}
			name = token.String()
		}
		value, err := readJSON(decoder, depth+1, left)
		if kind == '{' {
			members[name] = value
		} else {
			list = append(list, value)
		}
		return err
	}
	var err error
	for next := decoder.PeekKind(); err == nil && next != '}' && next != ']'; next = decoder.PeekKind() {
		err = read()
	}
	if err == nil {
		if _, err = decoder.ReadToken(); err != nil {
			err = errNotJSON
		}
	}
	if kind == '{' {
		return members, err
	}
	return list, err
}

// zero overwrites every text of a tree.
func zero(value any) {
	switch value := value.(type) {
	case object:
		for _, member := range value {
			zero(member)
		}
	case []any:
		for _, element := range value {
			zero(element)
		}
	case text:
		clear(value)
	}
}
