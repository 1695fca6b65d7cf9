package reference

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProseIsReadAsItIsMeant(t *testing.T) {
	for text, want := range map[string][]block{
		"":                    nil,
		" \n\n ":              nil,
		"One.\n\nTwo.":        {{Spans: []span{{Text: "One."}}}, {Spans: []span{{Text: "Two."}}}},
		"## A `b`\n\nC":       {{Heading: true, ID: "about-A--b-", Spans: []span{{Text: "A "}, {Code: true, Text: "b"}}}, {Spans: []span{{Text: "C"}}}},
		"see [it](#a b)":      {{Spans: []span{{Text: "see "}, {Text: "it", Link: "a-b"}}}},
		"[it](http://a)":      {{Spans: []span{{Text: "[it](http://a)"}}}},
		"a ` b":               {{Spans: []span{{Text: "a ` b"}}}},
		"`a``b`":              {{Spans: []span{{Code: true, Text: "a"}, {Code: true, Text: "b"}}}},
		"*a* <b> # c":         {{Spans: []span{{Text: "*a* <b> # c"}}}},
		"`[a](#b)` [`c`](#d)": {{Spans: []span{{Code: true, Text: "[a](#b)"}, {Text: " "}, {Text: "`c`", Link: "d"}}}},
	} {
		if diff := cmp.Diff(want, parseProse(text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestRulesAreInWords(t *testing.T) {
	for schema, want := range map[string][]string{
		"{ minLength: 1, maxLength: 255 }":       {"1 to 255 characters"},
		"{ maxItems: 1 }":                        {"At most 1 item"},
		"{ minItems: 1 }":                        {"At least 1 item"},
		"{ minimum: 0, maximum: 9, default: 3 }": {"0 to 9", "Default 3"},
		"{ minimum: 1 }":                         {"At least 1"},
		"{ format: date-time }":                  {"RFC 3339"},
		"{ format: elsewhere }":                  {"elsewhere"},
		"{ default: [1] }":                       nil,
	} {
		read, err := newValue([]byte(schema))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, rulesOf(read)); diff != "" {
			t.Errorf("%s: %s", schema, diff)
		}
	}
}

func TestTypesAreInJSONsTerms(t *testing.T) {
	described, err := newDocument([]byte("paths: { /a: [{ $ref: '#/components/schemas/A' }, { $ref: '#/components/schemas/A' }] }\n" +
		"components: { schemas: { A: { type: object, properties: { a: { type: string } } }, S: { type: string } } }"))
	if err != nil {
		t.Fatal(err)
	}
	for schema, want := range map[string]string{
		"{ type: string }":                                           "string",
		"{ type: [string, 'null'] }":                                 "string or null",
		"{ type: array, items: { type: integer } }":                  "array of integer",
		"{ type: array }":                                            "array",
		"{ $ref: '#/components/schemas/S' }":                         "string",
		"{ $ref: '#/components/schemas/A' }":                         "A",
		"{ type: array, items: { $ref: '#/components/schemas/A' } }": "array of A",
		"{ type: object, additionalProperties: { type: string } }":   "object of string",
		"{ const: false }":                                           "boolean",
		"{ const: 7 }":                                               "number",
		"{ const: a }":                                               "string",
		"{ const: null }":                                            "null",
		"{ const: [1] }":                                             "any",
		"{ anyOf: [{ type: string }, { const: a }, { type: integer }] }": "string or integer",
		"{}": "any",
	} {
		read, err := newValue([]byte(schema))
		if err != nil {
			t.Fatal(err)
		}
		if got := described.typeOf(read, 0); got != want {
			t.Errorf("%s is %q, want %q", schema, got, want)
		}
	}
}

// A shell is asked what words it makes of the examples: one argument for each
// that was meant, however odd.
func TestExamplesSurviveTheShell(t *testing.T) {
	odd := `it's "$HOME" \ ` + "`id`" + ` $(id)`
	quotedOdd := strings.ReplaceAll(odd, "'", "''")
	described, err := newDocument([]byte("paths: { '/a/{b}': { post: { parameters: [" +
		"{ name: b, in: path, schema: { examples: ['" + quotedOdd + "'] } }," +
		"{ name: x-h, in: header, required: true, schema: { examples: ['" + quotedOdd + "'] } }]," +
		"requestBody: { content: { application/json: { example: { a: '" + quotedOdd + "' } } } }, responses: {} } } }"))
	if err != nil {
		t.Fatal(err)
	}
	operation := described.operations("/a/{b}", described.root.get("paths", "/a/{b}"))[0]
	shell := exec.CommandContext(t.Context(), "sh", "-eu", "-c", `curl() { for word in "$@"; do printf '%s\0' "$word"; done; }`+"\n"+operation.Example)
	shell.Env = []string{"LATCHKEY_URL=https://api.example", "LATCHKEY_KEY=sk_1", "HOME=/nowhere"}
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, out, operation.Example)
	}
	want := []string{
		"-X", "POST", "https://api.example/a/" + odd, "-H", "apikey: sk_1", "-H", "x-h: " + odd,
		"-H", "Content-Type: application/json", "-d", `{"a": "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(odd) + `"}`, "",
	}
	if diff := cmp.Diff(want, strings.Split(string(out), "\x00")); diff != "" {
		t.Errorf("%s\n%s", diff, operation.Example)
	}
}
