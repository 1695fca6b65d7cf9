package web

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"net/url"

	"latchkey"
)

// The bounds of a form.
const (
	maxForm       = 32 << 10 // bytes
	maxFormFields = 50
)

// DecodeForm reads a posted form without ever making a Go string of a value:
// passwords come in here. A name given twice, or more than 50 names, is
// refused, and so is what does not come within 15 seconds. Zero the fields after
// use.
func DecodeForm(w http.ResponseWriter, r *http.Request) (map[string]latchkey.Secret, error) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/x-www-form-urlencoded" {
		return nil, latchkey.Errorf(UnsupportedMediaType, "the form must be sent as application/x-www-form-urlencoded")
	}
	body, err := readBody(w, r, maxForm)
	if errors.Is(err, errTooLarge) {
		return nil, latchkey.Errorf(PayloadTooLarge, "the form is larger than 32 KiB")
	}
	if err != nil {
		return nil, err
	}
	defer clear(body)
	fields := map[string]latchkey.Secret{}
	malformed := func() (map[string]latchkey.Secret, error) {
		latchkey.ZeroAll(fields)
		return nil, latchkey.Errorf(latchkey.Invalid, "the form is malformed")
	}
	for pair := range bytes.SplitSeq(body, []byte("&")) {
		if len(pair) == 0 {
			continue
		}
		name, value, _ := bytes.Cut(pair, []byte("="))
		decodedName, err := url.QueryUnescape(string(name))
		if _, twice := fields[decodedName]; err != nil || twice || len(fields) >= maxFormFields {
			return malformed()
		}
		decoded, ok := unescapeForm(value)
		if !ok {
			clear(decoded)
			return malformed()
		}
		fields[decodedName] = latchkey.NewSecret(decoded)
	}
	return fields, nil
}

// unescapeForm decodes a value of application/x-www-form-urlencoded (WHATWG
// URL, section 5.1) into bytes of its own, as far as it is well formed.
func unescapeForm(value []byte) ([]byte, bool) {
	decoded := make([]byte, 0, len(value))
	for i := 0; i < len(value); i++ {
		switch c := value[i]; c {
		case '+':
			decoded = append(decoded, ' ')
		case '%':
			if i+2 >= len(value) {
				return decoded, false
			}
			high, okHigh := hexDigit(value[i+1])
			low, okLow := hexDigit(value[i+2])
			if !okHigh || !okLow {
				return decoded, false
			}
			decoded = append(decoded, high<<4|low)
			i += 2
		default:
			decoded = append(decoded, c)
		}
	}
	return decoded, true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
