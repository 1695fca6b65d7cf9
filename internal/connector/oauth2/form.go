package oauth2

import (
	"errors"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// parameter is a name and a value of a request. The value is bytes, so that a
// token can be zeroed.
type parameter struct {
	name  string
	value []byte
}

// parameters are sent in their order.
type parameters []parameter

// add appends a parameter whose value is no secret.
func (p *parameters) add(name, value string) { *p = append(*p, parameter{name, []byte(value)}) }

// addAll appends what a file adds.
func (p *parameters) addAll(values map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		p.add(name, values[name])
	}
}

// form returns the parameters as application/x-www-form-urlencoded. Whoever
// asked zeroes the bytes.
func (p parameters) form() []byte {
	size := 0
	for _, parameter := range p {
		size += 3*len(parameter.name) + 3*len(parameter.value) + 2
	}
	encoded := make([]byte, 0, size)
	for i, parameter := range p {
		if i > 0 {
			encoded = append(encoded, '&')
		}
		encoded = append(appendEncoded(encoded, []byte(parameter.name)), '=')
		encoded = appendEncoded(encoded, parameter.value)
	}
	return encoded
}

// json returns the parameters as a JSON object. Whoever asked zeroes the
// bytes.
func (p parameters) json() ([]byte, error) {
	size := 2
	for _, parameter := range p {
		size += 6*len(parameter.name) + 6*len(parameter.value) + 6
	}
	encoded := append(make([]byte, 0, size), '{')
	for i, parameter := range p {
		if i > 0 {
			encoded = append(encoded, ',')
		}
		var err error
		if encoded, err = jsontext.AppendQuote(encoded, parameter.name); err != nil {
			return nil, errors.New("a parameter's name is not UTF-8")
		}
		if encoded, err = jsontext.AppendQuote(append(encoded, ':'), parameter.value); err != nil {
			clear(encoded)
			return nil, errors.New("a parameter is not UTF-8")
		}
	}
	return append(encoded, '}'), nil
}

// appendEncoded appends b as application/x-www-form-urlencoded writes it (URL
// standard, section 5.2), but a space as %20, which every server reads.
func appendEncoded(dst, b []byte) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range b {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
			dst = append(dst, c)
		default:
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}
