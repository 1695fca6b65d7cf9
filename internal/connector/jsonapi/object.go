package jsonapi

import (
	"errors"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrText is returned for a text that JSON can't carry: it is not UTF-8.
var ErrText = errors.New("a text is not UTF-8")

// Object is a JSON object in the making. Values go from bytes to bytes, so that
// a password becomes no string that nobody can zero. The zero value is empty.
type Object struct {
	text []byte
	bad  bool
}

// Text adds a string.
func (o *Object) Text(name string, value []byte) *Object {
	o.name(name)
	o.reserve(6*len(value) + 2) // every byte may become \u00xx
	text, err := jsontext.AppendQuote(o.text, value)
	if err != nil {
		o.bad = true
		return o
	}
	o.text = text
	return o
}

// Word adds a string that is no secret.
func (o *Object) Word(name, value string) *Object { return o.Text(name, []byte(value)) }

// Flag adds a boolean.
func (o *Object) Flag(name string, value bool) *Object {
	o.name(name)
	literal := "false"
	if value {
		literal = "true"
	}
	o.reserve(len(literal))
	o.text = append(o.text, literal...)
	return o
}

// Nested adds an object, which is used up by it.
func (o *Object) Nested(name string, value *Object) *Object {
	inner, err := value.Bytes()
	o.name(name)
	o.reserve(len(inner))
	o.text = append(o.text, inner...)
	clear(inner)
	o.bad = o.bad || err != nil
	return o
}

// Bytes returns the object, which the caller clears.
func (o *Object) Bytes() ([]byte, error) {
	if o.bad {
		clear(o.text)
		return nil, ErrText
	}
	if len(o.text) == 0 {
		o.text = append(o.text, '{')
	}
	o.reserve(1)
	return append(o.text, '}'), nil
}

// name begins a member. Names are ours and plain.
func (o *Object) name(name string) {
	o.reserve(len(name) + 4)
	separator := byte(',')
	if len(o.text) == 0 {
		separator = '{'
	}
	o.text = append(o.text, separator, '"')
	o.text = append(o.text, name...)
	o.text = append(o.text, '"', ':')
}

// reserve makes room without leaving the old bytes behind.
func (o *Object) reserve(more int) {
	if cap(o.text)-len(o.text) >= more {
		return
	}
	grown := make([]byte, len(o.text), 2*len(o.text)+more+64)
	copy(grown, o.text)
	clear(o.text)
	o.text = grown
}
