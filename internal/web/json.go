package web

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"latchkey"
)

// maxBody bounds a JSON body, in bytes.
const maxBody = 64 << 10

// Decode reads the request's JSON object into a struct. It refuses another
// content type (415), a body over 64 KiB (413), and with 400 what is not one
// JSON object, nested deeper than 32, or has more than 1,000 keys, a key twice,
// a known key in another case, or anything after the object, or what does not
// come within 15 seconds. Unknown keys are ignored. No error repeats what was
// sent.
func Decode(w http.ResponseWriter, r *http.Request, into any) error {
	if err := wantJSON(r); err != nil {
		return err
	}
	body, err := readBody(w, r, maxBody)
	if errors.Is(err, errTooLarge) {
		return latchkey.Errorf(PayloadTooLarge, "the body is larger than 64 KiB")
	}
	if err != nil {
		return err
	}
	defer clear(body)
	if quick(body, into) {
		return nil
	}
	return decodeSlowly(body, into)
}

// decodeSlowly looks at a body before it decodes it, and tells what is wrong.
func decodeSlowly(body []byte, into any) error {
	if err := inspect(body, into); err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return describeJSON(err, reflect.TypeOf(into))
	}
	return nil
}

// DecodeOptional is Decode for a body that may be missing.
func DecodeOptional(w http.ResponseWriter, r *http.Request, into any) error {
	if r.ContentLength == 0 {
		return nil
	}
	return Decode(w, r, into)
}

func wantJSON(r *http.Request) error {
	given := r.Header.Get("Content-Type")
	if given == "application/json" {
		return nil
	}
	mediaType, _, err := mime.ParseMediaType(given)
	if err != nil || mediaType != "application/json" {
		return latchkey.Errorf(UnsupportedMediaType, "the content type must be application/json")
	}
	return nil
}

// describeJSON turns a decoding error into one that names the field and not
// its value.
func describeJSON(err error, goal reflect.Type) error {
	semantic, ok := errors.AsType[*json.SemanticError](err)
	if !ok {
		return latchkey.Errorf(latchkey.Invalid, "the body is not valid JSON")
	}
	field := fieldName(semantic.JSONPointer, goal)
	if field == "" {
		return latchkey.Errorf(latchkey.Invalid, "the body must be a JSON object")
	}
	return latchkey.InvalidField(field, "has the wrong type")
}

// fieldName writes a JSON pointer as clients write paths: a.b.0. It ends where
// the names are no longer the type's but the sender's: below a map.
func fieldName(pointer jsontext.Pointer, goal reflect.Type) string {
	var parts []string
	for token := range pointer.Tokens() {
		switch goal = bare(goal); goal.Kind() {
		case reflect.Struct:
			goal = fieldsOf(goal)[token]
		case reflect.Slice:
			goal = goal.Elem()
		default:
			goal = nil
		}
		if goal == nil {
			break
		}
		parts = append(parts, token)
	}
	return strings.Join(parts, ".")
}

// WriteJSON answers with a value as JSON.
func WriteJSON(w http.ResponseWriter, status int, value any) error {
	buffer := buffers.Get().(*bytes.Buffer)
	defer giveBack(buffer)
	if err := json.MarshalWrite(buffer, value); err != nil {
		return err
	}
	WriteEncoded(w, status, buffer.Bytes())
	return nil
}

// WriteEncoded answers with what is JSON already.
func WriteEncoded(w http.ResponseWriter, status int, encoded []byte) {
	header := w.Header()
	header["Content-Type"] = jsonType
	header["Content-Length"] = []string{strconv.Itoa(len(encoded))}
	w.WriteHeader(status)
	_, _ = w.Write(encoded)
}

// buffers are lent for one answer each.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keptBuffer bounds how large a buffer may be to be lent again, in bytes.
const keptBuffer = 64 << 10

// giveBack takes a buffer back, without what was in it: it may be a secret.
func giveBack(buffer *bytes.Buffer) {
	if buffer.Cap() > keptBuffer {
		return
	}
	clear(buffer.Bytes())
	buffer.Reset()
	buffers.Put(buffer)
}
