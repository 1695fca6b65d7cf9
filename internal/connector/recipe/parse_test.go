package recipe_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/connector/recipe"
)

// least is the least recipe there is: lines 1 to 20.
const least = `id: acme
name: Acme
domain: acme.example
environments: [sandbox]
base_url: https://acme.example
login:
  fields:
    - {name: username, type: text, label: User}
    - {name: password, type: password, label: Password}
  next: enter
steps:
  - name: enter
    requests:
      - {method: POST, path: /login, form: {u: "{{field.username}}", p: "{{field.password}}"}}
    when:
      - {if: {status: 200}, then: done}
      - {if: {status: 401}, then: {refused: invalid_credentials}}
profile: {request: {method: GET, path: /me}, id: $.id, username: $.login}
check: {dead: {status: 401}}
proxy: {path: /api/, cookies: true}
`

func TestTheLeastRecipeIsAccepted(t *testing.T) {
	r, err := recipe.Parse("acme.yaml", []byte(least))
	if err != nil {
		t.Fatal(err)
	}
	if r.ID() != "acme" {
		t.Errorf("id %q", r.ID())
	}
}

func TestAMistakeIsNamedWithItsPlace(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"an unknown key at the top", "id: acme", "idd: acme", `acme.yaml:1: recipe: unknown key "idd"`},
		{"an unknown key inside", "path: /me}", "path: /me, retries: 3}", `acme.yaml:18: profile.request: unknown key "retries"`},
		{"a missing part", "check: {dead: {status: 401}}\n", "", "acme.yaml:1: recipe: missing key \"check\"; add it"},
		{"a key that stands twice", "name: Acme", "id: acme", `acme.yaml:2: key "id" stands twice`},
		{"a bad id", "id: acme", "id: Acme", "acme.yaml:1: id: 'Acme' does not match pattern"},
		{"an unknown outcome", "then: done", "then: ok", "acme.yaml:16: steps[0].when[0].then: value must be one of"},
		{"two outcomes", "then: done", "then: {goto: enter, prompt: login}", "acme.yaml:16: steps[0].when[0].then: maxProperties"},
		{"an impossible status", "{status: 200}", "{status: 2000}", "acme.yaml:16: steps[0].when[0].if.status"},
		{"form and JSON at once", "form: {u:", "json: {a: 1}, form: {u:", "acme.yaml:14: a request has form or json, not both"},
		{"a field name that belongs to the form", "name: username", "name: action", "acme.yaml:8: login.fields[0].name"},
		{"a path that is a URL", "path: /me", "path: https://evil.example/me", "acme.yaml:18: profile.request.path"},
		{"a path to another host", "path: /me", "path: //evil.example/me", "acme.yaml:18: profile.request.path"},
		{"a wrong autocomplete", "type: password,", "type: password, autocomplete: off,", "current-password"},

		{"an unknown step", "next: enter", "next: entre", `acme.yaml:7: there is no step "entre"`},
		{"a goto nowhere", "then: done", "then: {goto: nowhere}", `acme.yaml:16: there is no step "nowhere"`},
		{"a prompt that is not there", "then: done", "then: {prompt: code}", `acme.yaml:16: there is no prompt "code"`},
		{"a second factor without an option", "then: done", "then: {2fa: login}", `acme.yaml:16: prompt "login" has no option`},
		{"a rule after the one that always holds", "{if: {status: 200}, then: done}", "{then: done}", "acme.yaml:16: a rule without a condition must be the last"},
		{"a step nothing leads to", "profile:", "  - {name: lost, requests: [{method: GET, path: /}], when: [{then: done}]}\nprofile:", `acme.yaml:18: nothing leads to step "lost"`},

		{"a field nobody submits", "{{field.password}}", "{{field.pin}}", `acme.yaml:14: step "enter" uses {{field.pin}}`},
		{"a value nobody saves", "{{field.password}}", "{{saved.token}}", "acme.yaml:14: no request saves {{saved.token}}"},
		{"an unknown placeholder", "{{field.password}}", "{{env.HOME}}", "acme.yaml:14: unknown placeholder"},
		{"a template language", "{{field.password}}", "{{field.password | upper}}", "acme.yaml:14: unknown placeholder"},
		{"an open placeholder", "{{field.password}}", "{{field.password", "acme.yaml:14: unknown placeholder"},
		{"a field in a path", "path: /login", "path: '/login/{{field.username}}'", "acme.yaml:14: {{field.username}} can't be used in a URL"},
		{"a field in a query", "path: /login", "path: /login, query: {u: '{{field.username}}'}", "can't be used in a URL"},
		{"a field where nothing is submitted", "path: /me", "path: /me, headers: {x-me: '{{field.username}}'}", "acme.yaml:18: {{field.username}} can't be used where nothing is submitted"},
		{"a password that is saved", "path: /login", "path: /login, save: {pw: {field: password}}", `acme.yaml:14: step "enter" saves "pw" from field "password"`},

		{"a header of the client's", "path: /me", "path: /me, headers: {hOsT: evil.example}", "acme.yaml:18: header hOsT can't be set"},
		{"a cookie header", "cookies: true", "headers: {cookie: a=b}", "acme.yaml:20: header cookie can't be set"},
		{"a selector that is none", "{status: 200}", "{html: {selector: '..'}}", `acme.yaml:16: selector ".."`},
		{"a JSON path with a filter", "id: $.id", "id: '$[?(@.a)]'", "acme.yaml:18: JSON path"},
		{"a placeholder in a member's name", "form: {u:", "json: {'{{field.username}}':", "acme.yaml:14: a member's name can't have placeholders"},
		{"a base URL of another scheme", "base_url: https:", "base_url: file:", "acme.yaml:5: base URL"},
		{"a base URL with a password", "https://acme", "https://u:p@acme", "acme.yaml:5: base URL"},
		{"a logo that runs a script", "id: acme", `id: acme` + "\nlogo: '<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>'", "logo: the element script"},
		{"a logo with a style sheet", "id: acme", `id: acme` + "\nlogo: '<?xml-stylesheet href=\"x\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>'", "logo: the instruction xml-stylesheet"},
		{"a logo that loads something", "id: acme", `id: acme` + "\nlogo: '<svg xmlns=\"http://www.w3.org/2000/svg\"><use href=\"https://evil.example/\"/></svg>'", "logo: the attribute href"},
		{"a logo that is text", "id: acme", "id: acme\nlogo: Acme", "logo: not well-formed"},
		{"an anchor", "name: Acme", "name: &a Acme", "acme.yaml:2: anchors and aliases are not allowed"},
		{"a date without quotes", "name: Acme", "name: 2026-01-01", "acme.yaml:2: values of type !!timestamp"},
		{"a second document", "id: acme", "---\nid: acme\n---\nid: b", "acme.yaml:1: more than one document"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(least, c.old) {
				t.Fatalf("the recipe has no %q", c.old)
			}
			_, err := recipe.Parse("acme.yaml", []byte(strings.Replace(least, c.old, c.new, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestHostileYAMLIsRefusedQuickly(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x]\n"
	for i := range 20 {
		previous, next := string(rune('a'+i)), string(rune('b'+i))
		bomb += next + ": &" + next + " [" + strings.Repeat("*"+previous+",", 8) + "]\n"
	}
	block := ""
	for i := range 600 {
		block += strings.Repeat(" ", i) + "a:\n"
	}
	for name, text := range map[string]string{
		"nothing":              "",
		"only a comment":       "# nothing\n",
		"a scalar":             "x",
		"a list":               "[1]",
		"null":                 "~",
		"not YAML":             "a: [",
		"not UTF-8":            "id: \xff\xfe\x00",
		"an alias bomb":        bomb,
		"an alias of itself":   "a: &a [*a]",
		"a merge key":          "a: {b: 1}\n<<: {c: 2}",
		"deep flow lists":      strings.Repeat("[", 200_000),
		"deep flow mappings":   strings.Repeat("{a: ", 60_000),
		"deep block lists":     strings.Repeat("- ", 100_000) + "x",
		"deep block mappings":  block,
		"a key that is a list": "? [a, b]\n: c",
		"many keys":            "a:\n" + strings.Repeat("  - 1\n", 40_000),
		"a huge file":          strings.Repeat("#", 300<<10),
		"a foreign type":       "id: !!binary aGk=",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			if _, err := recipe.Parse("x.yaml", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), "x.yaml:") {
				t.Errorf("error %.200v", err)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(least))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("steps: [{when: [{then: {}}]}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := recipe.Parse("x.yaml", text)
		if (r == nil) == (err == nil) {
			t.Fatal("want a recipe or an error")
		}
	})
}

func TestTheBaseURLCanBeSetWhenLoading(t *testing.T) {
	r, err := recipe.Parse("acme.yaml", []byte(least))
	if err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string]string{
		"":                            "https://acme.example/api/",
		"http://127.0.0.1:8080":       "http://127.0.0.1:8080/api/",
		"https://Other.example/sub/":  "https://other.example/sub/api/",
		"https://other.example/?a=b":  "",
		"https://u@other.example":     "",
		"other.example":               "",
		"unix:///run/acme.sock":       "",
		"https://other.example/#frag": "",
	} {
		c, err := recipe.New(r, recipe.Options{BaseURL: given})
		if want == "" {
			if err == nil {
				t.Errorf("%q is accepted", given)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", given, err)
			continue
		}
		if base, _ := c.Base(nil); base.String() != want {
			t.Errorf("%q: base %s, want %s", given, base, want)
		}
	}
}

func TestTheSchemaIsACopy(t *testing.T) {
	clear(recipe.Schema())
	if !slices.Contains(recipe.Schema(), '{') || bytes.Contains(recipe.Schema(), []byte{0}) {
		t.Error("the schema can be changed from outside")
	}
}
