package web

import (
	"errors"
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Optional is a field of a change that may be left out: what is absent stays as
// it is. null is refused as the wrong type.
type Optional[T any] struct{ value *T }

// Pointer returns the value that was sent, or nil when the field was absent.
func (o Optional[T]) Pointer() *T { return o.value }

// UnmarshalJSONFrom reads the value; it is called only for a field that is
// there.
func (o *Optional[T]) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	if decoder.PeekKind() == 'n' {
		return errors.New("null")
	}
	o.value = new(T)
	return json.UnmarshalDecode(decoder, o.value)
}

func (Optional[T]) inner() reflect.Type { return reflect.TypeFor[T]() }

// Nullable is an Optional that may be null, which stands for "none".
type Nullable[T any] struct{ value *T }

// Pointer returns the value that was sent, the zero value for null, or nil when
// the field was absent.
func (n Nullable[T]) Pointer() *T { return n.value }

// UnmarshalJSONFrom reads the value or null; it is called only for a field that
// is there.
func (n *Nullable[T]) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	n.value = new(T)
	if decoder.PeekKind() == 'n' {
		_, err := decoder.ReadToken()
		return err
	}
	return json.UnmarshalDecode(decoder, n.value)
}

func (Nullable[T]) inner() reflect.Type { return reflect.TypeFor[T]() }

// wrapper is Optional or Nullable, of any type.
type wrapper interface{ inner() reflect.Type }

var wrappers = reflect.TypeFor[wrapper]()

// bare returns the type that the JSON is meant for, without pointers and
// wrappers around it; nil is any.
func bare(goal reflect.Type) reflect.Type {
	for goal != nil {
		switch {
		case goal.Kind() == reflect.Pointer:
			goal = goal.Elem()
		case goal.Implements(wrappers):
			goal = reflect.Zero(goal).Interface().(wrapper).inner()
		default:
			return goal
		}
	}
	return nil
}
