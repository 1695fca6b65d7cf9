package spectest_test

import (
	"slices"
	"strings"
	"testing"

	"latchkey/internal/latchtest/spectest"

	"github.com/google/go-cmp/cmp"
)

// small is a description with one of everything that is read.
const small = `
openapi: 3.1.0
info: { title: small, version: '1' }
paths:
  /things/{id}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: string } }
    get:
      x-latchkey-scope: LINK
      parameters:
        - { name: limit, in: query, schema: { type: integer, minimum: 1 } }
      responses: &thing
        '200':
          description: A thing.
          headers: { x-request-id: { required: true, schema: { type: string, pattern: '^req_' } } }
          content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } }
    put:
      requestBody:
        required: true
        content: { application/json: { schema: { type: object, required: [size], properties: { size: { type: integer }, note: { type: string, pattern: '^n' } } } } }
      responses:
        <<: *thing
        '204': { description: Nothing changed. }
        4XX: { $ref: '#/components/responses/RouteNotFound' }
  /things/best:
    get: { responses: { '200': { description: The best., content: { text/plain: {} } } } }
  /far/{path}:
    parameters:
      - { name: path, in: path, required: true, x-latchkey-rest: true, schema: { type: string } }
    get: { x-latchkey-pass-through: true, responses: { default: { description: Any., headers: { X-Left: { required: true, schema: { type: string } } } }, '429': { description: Ours., headers: { X-Left: { schema: { type: string } }, Retry-After: { required: true } } } } }
components:
  responses:
    RouteNotFound: { description: No., content: { application/json: { schema: { type: object, required: [error] } } } }
  schemas:
    Thing:
      type: object
      additionalProperties: false
      required: [id, size]
      properties: { id: { type: string }, size: { type: [integer, 'null'] }, note: { type: string } }
`

func smallSpec(t testing.TB) *spectest.Spec {
	t.Helper()
	spec, err := spectest.New([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func TestRoutesAreThoseOfTheDescription(t *testing.T) {
	spec := smallSpec(t)
	want := []string{"GET /far/{path...}", "GET /things/best", "GET /things/{id}", "PUT /things/{id}"}
	if diff := cmp.Diff(want, spec.Routes()); diff != "" {
		t.Error(diff)
	}
	for route, scope := range map[string]string{"GET /things/{id}": "LINK", "PUT /things/{id}": "", "GET /nothing": ""} {
		if spec.Scope(route) != scope {
			t.Errorf("%s has scope %q, want %q", route, spec.Scope(route), scope)
		}
	}
}

func TestTheRealDescriptionCanBeUsed(t *testing.T) {
	routes := realSpec(t).Routes()
	for _, route := range []string{"POST /v2/link/init", "HEAD /v2/access/proxy/{path...}", "GET /openapi.json"} {
		if !slices.Contains(routes, route) {
			t.Errorf("%s is not there", route)
		}
	}
}

func TestABrokenDescriptionIsRefused(t *testing.T) {
	for name, test := range map[string]struct{ description, says string }{
		"no YAML":                    {"{", "read description"},
		"nothing":                    {"", "no paths"},
		"no paths":                   {"openapi: 3.1.0", "no paths"},
		"a list":                     {"[1]", "no paths"},
		"numbers as names":           {"paths: { 1: {} }", "read description"},
		"no answers":                 {"paths: { /a: { get: {} } }", "has no responses"},
		"a reference to nowhere":     {"paths: { /a: { get: { responses: { '200': { $ref: '#/b' } } } } }", "leads nowhere"},
		"a reference to elsewhere":   {"paths: { /a: { get: { responses: { '200': { $ref: 'b.yaml#/c' } } } } }", "leads nowhere"},
		"references in a circle":     {"x: { $ref: '#/x' }\npaths: { /a: { get: { responses: { '200': { $ref: '#/x' } } } } }", "circle"},
		"a parameter from nowhere":   {"paths: { /a: { get: { parameters: [{ $ref: '#/p' }], responses: { '200': {} } } } }", "leads nowhere"},
		"a value JSON does not have": {"x: .inf\npaths: { /a: { get: { responses: { '200': {} } } } }", "as JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := spectest.New([]byte(test.description))
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want one that says %q", err, test.says)
			}
		})
	}
}

func TestASchemaThatCantBeUsedIsAFinding(t *testing.T) {
	spec, err := spectest.New([]byte(strings.Replace(small, "required: [id, size]", "required: nonsense", 1)))
	if err != nil {
		t.Fatal(err)
	}
	findings := spec.Check(thing())
	if len(findings) != 1 || !strings.Contains(findings[0], "can't be used") {
		t.Errorf("findings %q", findings)
	}
}
