package web

import "net/http"

// fixed are headers that are the same on every answer of a kind. They are made
// once: the values are shared by all answers, which may replace them and never
// change them.
type fixed []fixedHeader

type fixedHeader struct {
	name   string
	values []string
}

// newFixed makes headers of pairs of name and value.
func newFixed(pairs ...string) fixed {
	var headers fixed
	for i := 0; i+1 < len(pairs); i += 2 {
		headers.add(pairs[i], pairs[i+1])
	}
	return headers
}

func (f *fixed) add(name, value string) {
	*f = append(*f, fixedHeader{http.CanonicalHeaderKey(name), []string{value}})
}

// set puts them on an answer, in the place of those it has.
func (f fixed) set(header http.Header) {
	for _, line := range f {
		header[line.name] = line.values
	}
}
