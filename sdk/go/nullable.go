package latchkey

import "encoding/json"

// Nullable is a field of a change that can also be set to null: its zero value
// leaves the field as it is. Make one with Set or Null.
type Nullable[T any] struct {
	value   *T // nil: null
	present bool
}

// Set returns a field that is set to the value.
func Set[T any](value T) Nullable[T] { return Nullable[T]{value: &value, present: true} }

// Null returns a field that is set to null.
func Null[T any]() Nullable[T] { return Nullable[T]{present: true} }

// IsZero reports whether the field is left as it is.
func (n Nullable[T]) IsZero() bool { return !n.present }

// MarshalJSON writes the value, or null.
func (n Nullable[T]) MarshalJSON() ([]byte, error) { return json.Marshal(n.value) }
