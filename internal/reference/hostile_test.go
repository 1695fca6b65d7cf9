package reference

import (
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// attack ends attributes, tags, code spans and links, and would run.
const attack = `"'><script>alert(1)</script><img src=x onerror=alert(1)>` + "`" + `[x](javascript:alert(1))[y](#"onclick=alert(1))`

// hostile is a description in which every text is an attack.
func hostile() []byte {
	text := strings.NewReplacer("ATTACK", "'"+strings.ReplaceAll(attack, "'", "''")+"'").Replace(`
openapi: 3.1.0
info: { title: ATTACK, version: ATTACK, summary: ATTACK, description: ATTACK }
tags: [{ name: ATTACK, x-displayName: ATTACK, description: ATTACK }]
paths:
  ATTACK:
    parameters: [{ name: ATTACK, in: header, required: true, description: ATTACK, schema: { type: ATTACK, examples: [ATTACK] } }]
    post:
      tags: [ATTACK]
      operationId: ATTACK
      summary: ATTACK
      description: ATTACK
      x-latchkey-scope: ATTACK
      requestBody: { description: ATTACK, content: { application/json: { example: { a: ATTACK }, schema: { $ref: '#/components/schemas/Thing' } } } }
      responses:
        ATTACK: { description: ATTACK, headers: { ATTACK: { description: ATTACK } }, content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } }
        '400': { $ref: '#/components/responses/Bad' }
webhooks: { ATTACK: { post: { summary: ATTACK, requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } } } } }
components:
  securitySchemes: { ATTACK: { description: ATTACK } }
  responses: { Bad: { description: ATTACK } }
  schemas:
    Thing: { description: ATTACK, required: [ATTACK], properties: { ATTACK: { type: [ATTACK], description: ATTACK, enum: [ATTACK], default: ATTACK, maxLength: ATTACK, examples: [ATTACK] } } }
`)
	return []byte(text)
}

func TestHostileTextsAreOnlyTexts(t *testing.T) {
	router := newRouter(t, hostile())
	page := pageOf(t, hostile())
	page.Find("script, [onerror], [onclick], img:not([src^='/static/'])").Each(func(_ int, element *goquery.Selection) {
		html, _ := goquery.OuterHtml(element)
		t.Errorf("the page has %s", html)
	})
	page.Find("a, link").Each(func(_ int, link *goquery.Selection) {
		if address := link.AttrOr("href", ""); !strings.HasPrefix(address, "#") && !strings.HasPrefix(address, "/") {
			t.Errorf("the page links to %q", address)
		}
	})
	page.Find("[id]").Each(func(_ int, element *goquery.Selection) {
		if id := element.AttrOr("id", ""); strings.ContainsAny(id, " \"'<>`") {
			t.Errorf("the page has the id %q", id)
		}
	})
	if count := strings.Count(page.Text(), "<script>alert(1)</script>"); count < 20 {
		t.Errorf("the texts are shown %d times", count)
	}
	if answer := get(router, "GET", "/openapi.json"); answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), "onerror") {
		t.Errorf("as JSON: status %d", answer.Code)
	}
}

func TestOddDescriptionsAreDrawn(t *testing.T) {
	for name, description := range map[string]string{
		"nothing but paths":        "paths: {}",
		"paths of nothing":         "paths: { /a: null, /b: 7, /c: { get: null, put: 7, post: [] } }",
		"a schema within itself":   "paths: { /a: { get: { responses: { '200': { content: { application/json: { schema: { $ref: '#/components/schemas/A' } } } } } } } }\ncomponents: { schemas: { A: { type: object, required: [a], properties: { a: { $ref: '#/components/schemas/A' } } } } }",
		"lists of itself":          "paths: { /a: { get: { responses: { '200': { content: { application/json: { schema: { $ref: '#/components/schemas/A' } } } } } } } }\ncomponents: { schemas: { A: { type: array, items: { $ref: '#/components/schemas/A' } } } }",
		"one of itself":            "paths: { /a: { get: { responses: { '200': { content: { application/json: { schema: { $ref: '#/components/schemas/A' } } } } } } } }\ncomponents: { schemas: { A: { oneOf: [{ $ref: '#/components/schemas/A' }], anyOf: [{ $ref: '#/components/schemas/A' }] } } }",
		"references in a circle":   "paths: { /a: { get: { responses: { '200': { $ref: '#/x' } }, parameters: [{ $ref: '#/x' }] } } }\nx: { $ref: '#/x' }",
		"references to nowhere":    "paths: { /a: { $ref: 'https://evil.example/', get: { requestBody: { $ref: '#/none' }, responses: { '200': { $ref: '#/none/0' } } } } }",
		"lists where objects are":  "paths: { /a: { get: { responses: [], parameters: {}, requestBody: [], tags: {} } } }\ninfo: []\ntags: {}\nwebhooks: [1]\ncomponents: []",
		"no fields where some are": "paths: { /a: { get: { requestBody: { content: { application/json: { schema: { properties: [], required: {}, enum: {}, type: {} } } } }, responses: {} } } }",
		"a number for a sentence":  "paths: { /a: { get: { summary: 7, description: 1.5, operationId: true, tags: 3, responses: {} } } }",
	} {
		t.Run(name, func(t *testing.T) {
			router := newRouter(t, []byte(description))
			for _, path := range []string{"/docs/api", "/openapi.json"} {
				if answer := get(router, "GET", path); answer.Code != http.StatusOK || answer.Body.Len() > 100_000 {
					t.Errorf("%s: status %d, %d bytes", path, answer.Code, answer.Body.Len())
				}
			}
		})
	}
}

func TestBrokenDescriptionsAreErrors(t *testing.T) {
	bomb := "paths: {}\na: &a [1, 1, 1, 1, 1, 1, 1, 1]\n"
	for c := 'b'; c < 'k'; c++ {
		before := string(c - 1)
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+before+", ", 7) + "*" + before + "]\n"
	}
	for name, description := range map[string]string{
		"no YAML": "{", "nothing": "", "no paths": "openapi: 3.1.0", "a list": "[1]", "a word": "word",
		"aliases that grow": bomb, "an alias of itself": "paths: &p { a: *p }", "a name twice": "paths: {}\npaths: {}",
		"a name that is no text": "paths: { [1]: 2 }", "a depth without end": "paths: {}\na: " + strings.Repeat("[", 200) + strings.Repeat("]", 200),
		"a number JSON does not have": "paths: {}\na: .nan",
	} {
		t.Run(name, func(t *testing.T) {
			router := newRouter(t, []byte(description))
			for path, want := range map[string]string{"/docs/api": "text/html; charset=utf-8", "/openapi.json": "application/json"} {
				answer := get(router, "GET", path)
				if answer.Code != http.StatusInternalServerError || answer.Header().Get("Content-Type") != want {
					t.Errorf("%s: status %d, %s", path, answer.Code, answer.Header().Get("Content-Type"))
				}
				if strings.Contains(answer.Body.String(), "line ") {
					t.Errorf("%s tells what is wrong: %s", path, answer.Body)
				}
			}
		})
	}
}
