// Package spectest holds what a server said against the published description
// of its API (OpenAPI 3.1), so that an answer that gains or loses a field, a
// status that nobody described, or a route that is not in the description is
// found by whichever test meets it.
//
//	New(description) ─▶ Spec ─▶ Check(Exchange) ─▶ findings, none when all fits
//	Recorder(app, spec, report): the same for every exchange that goes through
//	MutateAnswer(exchange): what Check must find, one change at a time
//
// The schemas are judged by santhosh-tekuri/jsonschema in the 2020-12 dialect,
// which the house uses for recipes already; what is around them, paths,
// statuses, headers and media types, is the few hundred lines of this package.
// A ready validator of whole exchanges (pb33f/libopenapi-validator) was tried:
// it brings 285 packages, which take minutes to compile on a small machine,
// could not render the schemas of a description that uses YAML anchors, does
// not miss a header that an answer owes, and was no faster.
//
// Paths are matched as net/http.ServeMux matches them, since the server routes
// by one: a fixed segment counts before a parameter, and {x...} takes the rest.
package spectest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Spec is a description, ready to hold exchanges against. It may be used by
// many goroutines at once.
type Spec struct {
	byMethod map[string][]*operation // those that count before others first
	// unrouted is the answer to what is not described; nil without one.
	unrouted *answer
}

// operation is one method of one path.
type operation struct {
	name        string // method and pattern
	scope       string
	segments    []string // of the pattern, between the slashes
	passThrough bool     // the bodies are a third party's
	parameters  []parameter
	body        *content // of the request; nil for none
	needsBody   bool
	answers     map[string]*answer // by status, "4XX" and "default"
}

// answer is what may be answered with one status.
type answer struct {
	headers []parameter
	content *content // nil: no body
}

// parameter is a header or a query parameter.
type parameter struct {
	name, in string // in is "query" or "header"
	required bool
	schema   *schema
}

// content is a body, by its media type.
type content struct{ types map[string]*schema }

// methods are the operations a path may have.
var methods = []string{"get", "head", "post", "put", "patch", "delete", "options", "trace"}

// New reads a description, in YAML or JSON. The component response named
// RouteNotFound, if there is one, is what every path that is not described
// must answer.
func New(description []byte) (*Spec, error) {
	var root any
	if err := yaml.Unmarshal(description, &root); err != nil {
		return nil, fmt.Errorf("read description: %w", err)
	}
	document, err := newDocument(root)
	if err != nil {
		return nil, err
	}
	spec := &Spec{byMethod: map[string][]*operation{}}
	reader := reader{document: document}
	for _, path := range reader.keys("/paths") {
		spec.addPath(&reader, path)
	}
	for _, operations := range spec.byMethod {
		slices.SortFunc(operations, bySpecificity)
	}
	const unrouted = "/components/responses/RouteNotFound"
	if reader.has(unrouted) {
		spec.unrouted = reader.answer(unrouted)
	}
	if len(spec.byMethod) == 0 {
		reader.errs = append(reader.errs, errors.New("there are no paths"))
	}
	if err := errors.Join(reader.errs...); err != nil {
		return nil, fmt.Errorf("read description: %w", err)
	}
	return spec, nil
}

// addPath adds the operations of one path.
func (s *Spec) addPath(reader *reader, path string) {
	item := "/paths/" + escape(path)
	shared := reader.parameters(item + "/parameters")
	for _, method := range methods {
		at := item + "/" + method
		if !reader.has(at) {
			continue
		}
		operation := reader.operation(at)
		operation.parameters = append(slices.Clone(shared), operation.parameters...)
		pattern, method := reader.pattern(path, item, at), strings.ToUpper(method)
		operation.name, operation.segments = method+" "+pattern, segmentsOf(pattern)
		s.byMethod[method] = append(s.byMethod[method], operation)
	}
}

// Routes lists what is described, sorted, as net/http.ServeMux would have it:
// "METHOD /path/{x}", and {x...} for a parameter marked with x-latchkey-rest.
func (s *Spec) Routes() []string {
	var routes []string
	for _, operations := range s.byMethod {
		for _, operation := range operations {
			routes = append(routes, operation.name)
		}
	}
	slices.Sort(routes)
	return routes
}

// Scope returns the x-latchkey-scope of one of the Routes, "" for none.
func (s *Spec) Scope(route string) string {
	method, _, _ := strings.Cut(route, " ")
	for _, operation := range s.byMethod[method] {
		if operation.name == route {
			return operation.scope
		}
	}
	return ""
}
