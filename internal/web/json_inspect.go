package web

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"latchkey"
)

// The bounds of a JSON body, beside its size.
const (
	maxDepth = 32
	maxKeys  = 1000
)

// inspector walks a body beside the type it is meant for.
type inspector struct {
	decoder *jsontext.Decoder
	keys    int
}

// inspect checks what decoding would let pass: depth, number of keys, and keys
// that stand for a known field in another case, which other decoders would
// take for it.
func inspect(body []byte, into any) error {
	walk := inspector{decoder: jsontext.NewDecoder(bytes.NewReader(body))}
	if walk.decoder.PeekKind() != '{' {
		if _, err := walk.decoder.ReadValue(); err != nil {
			return syntaxError(err)
		}
		return latchkey.Errorf(latchkey.Invalid, "the body must be a JSON object")
	}
	if err := walk.value(reflect.TypeOf(into)); err != nil {
		return err
	}
	if _, err := walk.decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return latchkey.Errorf(latchkey.Invalid, "the body has data after the JSON object")
	}
	return nil
}

// value walks one value that is meant for the type; nil is any.
func (i *inspector) value(goal reflect.Type) error {
	goal = bare(goal)
	kind := i.decoder.PeekKind()
	if (kind == '{' || kind == '[') && i.decoder.StackDepth() >= maxDepth {
		return latchkey.Errorf(latchkey.Invalid, "the body is nested deeper than %d", maxDepth)
	}
	switch kind {
	case '{':
		return i.object(goal)
	case '[':
		return i.array(goal)
	}
	if _, err := i.decoder.ReadToken(); err != nil {
		return syntaxError(err)
	}
	return nil
}

func (i *inspector) array(goal reflect.Type) error {
	var element reflect.Type
	if goal != nil && (goal.Kind() == reflect.Slice || goal.Kind() == reflect.Array) {
		element = goal.Elem()
	}
	if _, err := i.decoder.ReadToken(); err != nil {
		return syntaxError(err)
	}
	for i.decoder.PeekKind() != ']' {
		if err := i.value(element); err != nil {
			return err
		}
	}
	_, err := i.decoder.ReadToken()
	return syntaxError(err)
}

func (i *inspector) object(goal reflect.Type) error {
	known := fieldsOf(goal)
	if _, err := i.decoder.ReadToken(); err != nil {
		return syntaxError(err)
	}
	for i.decoder.PeekKind() != '}' {
		name, err := i.decoder.ReadToken()
		if err != nil {
			return syntaxError(err)
		}
		if i.keys++; i.keys > maxKeys {
			return latchkey.Errorf(latchkey.Invalid, "the body has more than %d keys", maxKeys)
		}
		field, err := known.find(name.String())
		if err != nil {
			return err
		}
		if err := i.value(field); err != nil {
			return err
		}
	}
	_, err := i.decoder.ReadToken()
	return syntaxError(err)
}

func syntaxError(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return latchkey.Errorf(latchkey.Invalid, "the body has a key twice")
	}
	return latchkey.Errorf(latchkey.Invalid, "the body is not valid JSON")
}

// fieldTypes are the JSON names of a struct's fields.
type fieldTypes map[string]reflect.Type

// find returns the type of the named field, nil for an unknown one, and an
// error for a known one in another case.
func (f fieldTypes) find(name string) (reflect.Type, error) {
	if goal, ok := f[name]; ok {
		return goal, nil
	}
	for known := range f {
		if strings.EqualFold(known, name) {
			return nil, latchkey.InvalidField(known, "must be written in exactly this case")
		}
	}
	return nil, nil
}

var knownFields sync.Map // reflect.Type → fieldTypes

// fieldsOf reads the json tags of a struct type, once.
func fieldsOf(goal reflect.Type) fieldTypes {
	if goal == nil || goal.Kind() != reflect.Struct {
		return nil
	}
	if known, ok := knownFields.Load(goal); ok {
		return known.(fieldTypes)
	}
	fields := fieldTypes{}
	for field := range goal.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			fields[name] = field.Type
		}
	}
	knownFields.Store(goal, fields)
	return fields
}
