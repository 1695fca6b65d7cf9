package spectest

import (
	"cmp"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// find returns the operation that answers at an escaped path, nil when none is
// described. A HEAD without an operation of its own is answered by GET's. A
// path with empty segments or dots is none.
func (s *Spec) find(method, escaped string) *operation {
	if strings.TrimSuffix(escaped, "/") != strings.TrimSuffix(path.Clean(escaped), "/") {
		return nil
	}
	segments := segmentsOf(escaped)
	for i, segment := range segments {
		if plain, err := url.PathUnescape(segment); err == nil {
			segments[i] = plain
		}
	}
	for _, operation := range s.byMethod[method] {
		if operation.matches(segments) {
			return operation
		}
	}
	if method == http.MethodHead {
		return s.find(http.MethodGet, escaped)
	}
	return nil
}

// segmentsOf returns what stands between the slashes of a path.
func segmentsOf(path string) []string { return strings.Split(strings.TrimPrefix(path, "/"), "/") }

// matches reports whether the pattern fits the segments.
func (o *operation) matches(segments []string) bool {
	for i, wanted := range o.segments {
		switch {
		case kindOf(wanted) == takesRest:
			return i < len(segments)
		case i >= len(segments):
			return false
		case kindOf(wanted) == takesOne && segments[i] == "",
			kindOf(wanted) == fixed && segments[i] != wanted:
			return false
		}
	}
	return len(segments) == len(o.segments)
}

// The kinds of segments of a pattern, those that count before others first.
const (
	fixed = iota
	takesOne
	takesRest
)

func kindOf(segment string) int {
	switch {
	case !strings.HasPrefix(segment, "{"):
		return fixed
	case strings.HasSuffix(segment, "...}"):
		return takesRest
	}
	return takesOne
}

// bySpecificity orders operations by the first segment in which one is fixed
// and the other is not.
func bySpecificity(a, b *operation) int {
	return slices.CompareFunc(a.segments, b.segments, func(x, y string) int { return cmp.Compare(kindOf(x), kindOf(y)) })
}
