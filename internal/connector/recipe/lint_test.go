package recipe_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/connector/recipe"
)

// withPrompts is the least recipe with a second factor and an approval.
var withPrompts = strings.NewReplacer(
	"then: done}\n", "then: {2fa: code}}\n      - {if: {status: 202}, then: {wait: approval}}\n",
	"profile:", `  - name: code
    requests: [{method: POST, path: /code, form: {c: "{{field.code}}"}}]
    when: [{then: done}]
  - name: look
    requests: [{method: GET, path: /approval}]
    when: [{then: done}]
prompts:
  - {name: code, option: phone, fields: [{name: code, type: code, label: Code}], next: code}
  - {name: approval, wait: 3s, next: look}
profile:`).Replace(least)

func TestAMistakeSaysWhatToDo(t *testing.T) {
	for _, c := range []struct{ name, text, old, new, want string }{
		{"OAuth", least, "name: Acme", "name: Acme\noauth: true", "acme.yaml:3: oauth: a provider that has OAuth must not be asked for passwords; use an OAuth provider"},
		{"a user agent", least, "path: /me", "path: /me, headers: {user-agent: Mozilla/5.0}", "acme.yaml:18: header user-agent would pretend to be another client: Latchkey says who it is; remove it"},
		{"a sender", least, "id: acme", "id: acme\nheaders: {From: me@acme.example}", "acme.yaml:2: header From would pretend"},
		{"an address", least, "cookies: true", "cookies: true, headers: {X-Forwarded-For: 192.0.2.1}", "header X-Forwarded-For would pretend"},
		{"a browser's header", least, "path: /me", "path: /me, headers: {sec-ch-ua: Chromium}", "header sec-ch-ua would pretend"},
		{"a step misspelt", least, "next: enter", "next: entre", `there is no step "entre"; did you mean "enter"?`},
		{"a step that is nothing like another", least, "next: enter", "next: something", `there is no step "something"; there are: enter`},
		{"a key misspelt", least, "path: /me", "paht: /me", `acme.yaml:18: profile.request: unknown key "paht"; did you mean "path"?`},
		{"a missing key", least, "domain: acme.example\n", "", `missing key "domain"; add it: The site the credentials belong to`},
		{"a span of time in words", least, "id: acme", "id: acme\ncheck_every: an hour", "check_every: 'an hour' does not match pattern '^[1-9][0-9]{0,4}[smhd]$'"},
		{"a pace that is none", least, "id: acme", "id: acme\nrequests_per_minute: 0", "acme.yaml:2: requests_per_minute: minimum"},
		{"a pace without bound", least, "id: acme", "id: acme\nrequests_per_minute: 100000", "acme.yaml:2: requests_per_minute: maximum"},
		{"a renewal without a time", least, "id: acme", "id: acme\nrenew: {requests: [{method: GET, path: /}]}", "acme.yaml:2: renew: nobody knows when to; add session"},
		{"a kept password without a time", least, "  next: enter", "  keep_password: true\n  next: enter", "acme.yaml:7: keep_password: nobody knows when to log in again; add session"},
		{"a kept password that is none", strings.Replace(least, "type: password", "type: code", 1), "  next: enter", "  keep_password: true\n  next: enter", "the login asks for no password"},
		{"a session of seconds", least, "id: acme", "id: acme\nsession: {lifetime: 5s}", "acme.yaml:2: session.lifetime: a session of less than a minute"},
		{"the box's own name", least, "name: username", "name: stay_connected", "acme.yaml:8: login.fields[0].name"},
		{"no place to go to", least, "{method: POST, path: /login, ", "{", "acme.yaml:14: a request needs method and path, or form_from"},
		{"a form before any page", least, "{method: POST, path: /login, ", "{form_from: form, ", "acme.yaml:14: form_from: there is no page before the first request"},
		{"a form with a path", least, "{method: GET, path: /me}", "{form_from: form, path: /me}", "acme.yaml:18: form_from: method, path and body come from the form"},
		{"a form by no selector", least, "{method: GET, path: /me}", "{form_from: '..'}", `acme.yaml:18: selector ".." is not CSS`},
		{"a fact of a field", least, "id: $.id", "id: {field: username}", "acme.yaml:18: profile.id"},
		{"a logout of a field", least, "proxy:", "logout: {requests: [{method: GET, path: /, save: {x: {field: username}}}]}\nproxy:", "acme.yaml:20: {field: username} can't be used where nothing is submitted"},

		{"a prompt that asks for nothing", withPrompts, "wait: 3s, ", "", `prompt "approval": give it one of fields, methods and wait`},
		{"a prompt that asks twice", withPrompts, "wait: 3s, ", "wait: 3s, fields: [{name: a, type: text, label: A}], ", `prompt "approval": give it one of fields, methods and wait`},
		{"a prompt that leads nowhere", withPrompts, "wait: 3s, next: look", "wait: 3s", `prompt "approval": add next`},
		{"a wait without end", withPrompts, "wait: 3s", "wait: 5m", `prompt "approval": wait at most 1m`},
		{"a wait where a code is asked", withPrompts, "{2fa: code}", "{wait: code}", `prompt "code" has no wait: ask it with 2fa or prompt`},
		{"a question where there is a wait", withPrompts, "{wait: approval}", "{2fa: approval}", `prompt "approval" has nothing to fill in: write {wait: approval}`},
		{"a choice that also leads on", withPrompts, "wait: 3s", "methods: {phone: {2fa: code}, app: {2fa: code}}", `each of its methods says what comes next; remove next`},
		{"a choice that ends", withPrompts, "wait: 3s, next: look", "methods: {phone: done, app: {2fa: code}}", `method phone: want {goto: step}, {2fa: prompt} or {wait: prompt}`},
		{"a choice as a login", strings.Replace(withPrompts, "wait: 3s, next: look", "methods: {phone: {2fa: code}, app: {2fa: code}}", 1), "{wait: approval}", "{prompt: approval}", `write {2fa: approval}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(c.text, c.old) {
				t.Fatalf("the recipe has no %q", c.old)
			}
			_, err := recipe.Parse("acme.yaml", []byte(strings.Replace(c.text, c.old, c.new, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v\nwant %s", err, c.want)
			}
		})
	}
	if _, err := recipe.Parse("acme.yaml", []byte(withPrompts)); err != nil {
		t.Errorf("without a mistake: %v", err)
	}
}

func TestEveryMistakeIsToldAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		lines []int
	}{
		"that breaks the schema": {
			strings.NewReplacer("name: Acme", "nmae: Acme", "status: 401}, then", "stats: 401}, then", "id: $.id", "id: id", "cookies: true", "cookies: false").Replace(least),
			[]int{1, 2, 17, 18, 20},
		},
		"of a value": {
			strings.NewReplacer("{{field.password}}", "{{env.HOME}}", "{status: 200}", "{html: {selector: '..'}}", "id: $.id", "id: '$[?(@.a)]'").Replace(least),
			[]int{14, 16, 18},
		},
		"of a name": {
			strings.NewReplacer("next: enter", "next: entre", "then: done", "then: {goto: nowhere}", "path: /me", "path: /me, headers: {Host: x}").Replace(least),
			[]int{7, 16, 18},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := recipe.Parse("acme.yaml", []byte(c.text))
			wrong, ok := errors.AsType[*recipe.Mistakes](err)
			if !ok {
				t.Fatalf("error %v", err)
			}
			var lines []int
			for _, mistake := range wrong.List {
				lines = append(lines, mistake.Line)
			}
			if diff := cmp.Diff(c.lines, lines); diff != "" {
				t.Errorf("lines: %s\n%v", diff, err)
			}
			for _, line := range strings.Split(err.Error(), "\n") {
				if !strings.HasPrefix(line, "acme.yaml:") {
					t.Errorf("a line without its place: %s", line)
				}
			}
		})
	}
}

func TestAProviderThatHasOAuthIsRefused(t *testing.T) {
	r, err := recipe.Parse("acme.yaml", []byte(least))
	if err != nil {
		t.Fatal(err)
	}
	for domain, refused := range map[string]bool{
		"acme.example": true, "ACME.example": true, "example": false, "login.acme.example": false, "me.example": false,
		"other.example": false, "": false,
	} {
		_, err := recipe.New(r, recipe.Options{OAuth: []string{"some.example", domain}})
		if (err != nil) != refused {
			t.Errorf("with OAuth at %q: %v", domain, err)
		}
		if refused && !strings.HasPrefix(fmt.Sprint(err), "acme.yaml:3: domain: acme.example has OAuth") {
			t.Errorf("the mistake is %v", err)
		}
	}
	t.Run("also by the host that is asked", func(t *testing.T) {
		if _, err := recipe.New(r, recipe.Options{BaseURL: "https://login.social.example", OAuth: []string{"social.example"}}); err == nil {
			t.Error("the recipe asks another site for its password")
		}
	})
}

func TestThePaceIsTheRecipes(t *testing.T) {
	r, err := recipe.Parse("acme.yaml", []byte("requests_per_minute: 12\ncheck_every: 6h\n"+least))
	if err != nil {
		t.Fatal(err)
	}
	c, err := recipe.New(r, recipe.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d := c.Describe(); d.RequestsPerMinute != 12 || d.CheckEvery != 6*time.Hour {
		t.Errorf("%d requests a minute, a check every %s", d.RequestsPerMinute, d.CheckEvery)
	}
}

func TestAProfileOfHTML(t *testing.T) {
	page := `<p id=n data-id="17">Ada  &amp; Co</p><img src="/ada.png">`
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /page", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-User", "ada")
		answerHTML(w, "%s", page)
	})
	c := site(t, mux, `
  - name: enter
    requests: [{method: POST, path: /login}]
    when: [{if: {status: 204}, then: done}]
profile:
  request: {method: GET, path: /page}
  id: {html: {selector: "#n", attribute: data-id}}
  username: {header: X-User}
  name: {html: {selector: "#n"}}
  avatar: {html: {selector: img, attribute: src}}
`)
	done := mustLogin(t, c)
	if diff := cmp.Diff(latchkey.UserData{ID: "17", Username: "ada", Name: "Ada  & Co", Avatar: done.User.Avatar}, done.User); diff != "" {
		t.Error(diff)
	}
	if !strings.HasSuffix(done.User.Avatar, "/ada.png") {
		t.Errorf("avatar %q", done.User.Avatar)
	}
	page = "<p>a new design"
	if _, err := login(t, c, "good-password"); err == nil || !strings.Contains(err.Error(), `the answer has no usable id at selector #n: status 200, content type "text/html", to GET /page`) {
		t.Errorf("error %v", err)
	}
}
