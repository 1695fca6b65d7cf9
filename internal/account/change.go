package account

import (
	"slices"

	"latchkey"
)

// fields gathers the names of the fields that a change really changes.
type fields struct{ names []string }

// assign lays one field of a change over what is there; nil leaves it.
func assign[T comparable](changed *fields, name string, into, value *T) {
	if value != nil && *value != *into {
		*into = *value
		changed.names = append(changed.names, name)
	}
}

// assignList is assign for a list, which is replaced as a whole.
func assignList[T comparable](changed *fields, name string, into, value *[]T) {
	if value != nil && !slices.Equal(*value, *into) {
		*into = slices.Clone(*value)
		changed.names = append(changed.names, name)
	}
}

// fixed refuses to change a field that is decided when the object is made. The
// same value again is no change.
func fixed[T comparable](name string, is T, value *T) error {
	if value != nil && *value != is {
		return latchkey.InvalidField(name, "can't be changed")
	}
	return nil
}
