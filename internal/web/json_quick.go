package web

import (
	"bytes"
	"reflect"
	"sync"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// quick decodes in one pass what is plainly within every bound that inspect
// holds a body to, and has no key that the struct does not know: so none in
// another case either. It reports whether it did; if not, the struct is as it
// was before, and what is wrong with the body, if anything, is inspect's to
// say.
func quick(body []byte, into any) bool {
	goal := reflect.ValueOf(into).Elem()
	if len(body) == 0 || body[0] != '{' || !goal.IsZero() || !isPlain(goal.Type()) ||
		bytes.Count(body, []byte{':'}) > maxKeys || bytes.Count(body, []byte{'{'})+bytes.Count(body, []byte{'['}) > maxDepth {
		return false
	}
	if json.Unmarshal(body, into, json.RejectUnknownMembers(true)) == nil {
		return true
	}
	goal.SetZero()
	return false
}

var (
	secretType = reflect.TypeFor[latchkey.Secret]()
	plainTypes sync.Map // reflect.Type → bool
)

// isPlain reports whether a type has no room for a secret, of which a first try
// that fails would leave a copy behind.
func isPlain(goal reflect.Type) bool {
	if known, ok := plainTypes.Load(goal); ok {
		return known.(bool)
	}
	plain := hasNoSecret(goal)
	plainTypes.Store(goal, plain)
	return plain
}

func hasNoSecret(goal reflect.Type) bool {
	switch goal.Kind() {
	case reflect.Struct:
		if goal == secretType {
			return false
		}
		for field := range goal.Fields() {
			if !hasNoSecret(field.Type) {
				return false
			}
		}
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return goal.Elem().Kind() != reflect.Uint8 && hasNoSecret(goal.Elem())
	case reflect.Map:
		return hasNoSecret(goal.Elem())
	case reflect.Bool, reflect.String, reflect.Int, reflect.Int64, reflect.Float64:
	default:
		return false
	}
	return true
}
