package app

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey"
)

// tried is a recipe with every kind of question, for practiceSite.
const tried = `id: practice
name: Practice
domain: practice.example
environments: [sandbox]
base_url: https://practice.example
login:
  fields:
    - {name: username, type: text, label: User}
    - {name: password, type: password, label: Password}
  keep_password: true
  next: enter
steps:
  - name: enter
    requests:
      - {method: POST, path: /login, json: {u: "{{field.username}}", p: "{{field.password}}"}, save: {ticket: {json: $.x}}}
    when:
      - {if: {status: 401}, then: {refused: invalid_credentials}}
      - {if: {status: 200}, then: {wait: approval}}
  - name: look
    requests: [{method: GET, path: /approval, headers: {x-ticket: "{{saved.ticket}}"}}]
    when:
      - {if: {status: 202}, then: {wait: approval}}
      - {if: {status: 200}, then: {2fa: code}}
  - name: code
    requests: [{method: POST, path: /code, form: {c: "{{field.code}}"}}]
    when: [{if: {status: 200}, then: done}]
  - name: again
    requests: [{method: POST, path: /again}]
    when: [{then: {2fa: code}}]
prompts:
  - {name: approval, option: push, message: Approve it., wait: 1s, next: look}
  - {name: code, option: phone, fields: [{name: code, type: code, label: Code}], next: code, resend: again}
profile: {request: {method: GET, path: /me}, id: $.id, username: $.login}
check: {dead: {status: 401}}
session: {lifetime: 1h}
renew: {requests: [{method: GET, path: /renew}]}
proxy: {path: /, cookies: true}
logout: {requests: [{method: POST, path: /logout}]}
`

// practiceSite answers the recipe. What it says to a login is up to the test.
type practiceSite struct {
	login http.HandlerFunc // nil: 200 for the right password
	looks int
	paths []string
}

const practicePassword = `open "sesame" & more`

func (s *practiceSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.paths = append(s.paths, r.Method+" "+r.URL.Path)
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.URL.Path == "/login" && s.login != nil:
		s.login(w, r)
	case r.URL.Path == "/login" && !strings.Contains(string(body), `sesame`):
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path == "/login":
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "cookie-of-the-site", Path: "/"})
		_, _ = io.WriteString(w, `{"x":"ticket-of-the-login"}`)
	case r.URL.Path == "/approval":
		if s.looks++; s.looks == 1 || r.Header.Get("X-Ticket") == "" {
			w.WriteHeader(http.StatusAccepted)
		}
	case r.URL.Path == "/me":
		_, _ = io.WriteString(w, `{"id":7,"login":"ali-baba","email":"ali@cave.example","twice":"ticket-of-the-login"}`)
	default:
		_, _ = io.WriteString(w, `{}`)
	}
}

// tryAt tries the recipe at a site as somebody who types answers.
func tryAt(t *testing.T, site http.Handler, answers ...RecipeAnswer) (try RecipeTry, shown *[]RecipeExchange, told *[]string) {
	t.Helper()
	server := httptest.NewServer(site)
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "practice.yaml")
	if err := os.WriteFile(path, []byte(tried), 0o600); err != nil {
		t.Fatal(err)
	}
	shown, told = &[]RecipeExchange{}, &[]string{}
	return RecipeTry{
		Path: path, BaseURL: server.URL, Development: true,
		Show: func(exchange RecipeExchange) { *shown = append(*shown, exchange) },
		Tell: func(what string) { *told = append(*told, what) },
		Ask: func(context.Context, RecipeQuestion) (RecipeAnswer, error) {
			if len(answers) == 0 {
				return RecipeAnswer{}, errors.New("asked once more than there are answers")
			}
			next := answers[0]
			answers = answers[1:]
			return next, nil
		},
	}, shown, told
}

// fields is an answer of pairs of name and value.
func fields(pairs ...string) RecipeAnswer {
	answer := RecipeAnswer{Fields: map[string]latchkey.Secret{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		answer.Fields[pairs[i]] = latchkey.NewSecret([]byte(pairs[i+1]))
	}
	return answer
}

// goodAnswers are those of somebody who mistypes the password once and wants
// the code sent again.
func goodAnswers() []RecipeAnswer {
	return []RecipeAnswer{
		fields("username", "ali-baba", "password", "close sesam"), fields("username", "ali-baba", "password", practicePassword, "stay_connected", "true"),
		{Action: latchkey.ActionResend}, fields("code", "424242"),
	}
}

func TestATryDoesWhatAConnectionDoes(t *testing.T) {
	site := &practiceSite{}
	try, shown, told := tryAt(t, site, goodAnswers()...)
	result, err := TryRecipe(t.Context(), try)
	if err != nil {
		t.Fatal(err)
	}
	if result.User.ID != "7" || result.User.Username != "ali-baba" || time.Until(result.ExpiresAt) > time.Hour {
		t.Errorf("result %+v", result)
	}
	want := "POST /login,POST /login,GET /approval,GET /approval,POST /again,POST /code,GET /me,GET /me,GET /renew,POST /logout"
	if got := strings.Join(site.paths, ","); got != want {
		t.Errorf("requests %s\nwant     %s", got, want)
	}
	if got := strings.Join(*told, ","); got != "Approve it.,Approve it.,check,renew,log out" {
		t.Errorf("told %s", got)
	}
	if len(*shown) != len(site.paths) {
		t.Errorf("%d exchanges were shown", len(*shown))
	}
	text := ""
	for _, exchange := range *shown {
		text += fmt.Sprint(exchange.URL, exchange.RequestHeader, string(exchange.RequestBody), exchange.Header, string(exchange.Body))
	}
	for _, secret := range []string{"sesam", "424242", "cookie-of-the-site", "ticket-of-the-login"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is shown", secret)
		}
	}
	for _, open := range []string{"ali-baba", "[password]", "[code]", "[cookie-sid]", "[ticket]"} {
		if !strings.Contains(text, open) {
			t.Errorf("%q is not shown", open)
		}
	}
}

func TestATryThatEnds(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"at a captcha": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, "<div class=h-captcha>")
		}, "provider_unavailable, and nobody tries again for a while: "},
		"at a fault":                      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, "provider_unavailable: step enter: no rule holds"},
		"at a question without an answer": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, "asked once more"},
	} {
		t.Run(name, func(t *testing.T) {
			try, shown, _ := tryAt(t, &practiceSite{login: c.answer}, fields("username", "ali-baba", "password", practicePassword))
			if _, err := TryRecipe(t.Context(), try); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v", err)
			}
			if len(*shown) != 1 {
				t.Errorf("%d exchanges were shown", len(*shown))
			}
		})
	}
}

func TestARecordingHoldsNoSecretAndIsReplayed(t *testing.T) {
	site := &practiceSite{}
	try, _, _ := tryAt(t, site, goodAnswers()...)
	folder := filepath.Join(t.TempDir(), "recording")
	if _, err := RecordRecipe(t.Context(), try, folder); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(files) != 2*7+1 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"sesam", "424242", "cookie-of-the-site", "ticket-of-the-login", "ali-baba", "ali@cave"} {
			if strings.Contains(string(text), secret) {
				t.Errorf("%q stands in %s", secret, filepath.Base(file))
			}
		}
	}
	before := len(site.paths)
	result, err := ReplayRecipe(t.Context(), try.Path, folder)
	if err != nil || result.User.Username != "recorded-username" || len(site.paths) != before {
		t.Errorf("replayed %+v, %v, %d requests to the site", result, err, len(site.paths)-before)
	}
	t.Run("and not by a recipe that asks for something else", func(t *testing.T) {
		other := strings.Replace(tried, "path: /code,", "path: /pin,", 1)
		if err := os.WriteFile(try.Path, []byte(other), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReplayRecipe(t.Context(), try.Path, folder); err == nil || !strings.Contains(err.Error(), "POST /pin, recorded POST /code") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("nor by one that reads somebody else out of the answers", func(t *testing.T) {
		other := strings.Replace(tried, "username: $.login", "username: $.id", 1)
		if err := os.WriteFile(try.Path, []byte(other), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReplayRecipe(t.Context(), try.Path, folder); err == nil || !strings.Contains(err.Error(), "another account") {
			t.Errorf("error %v", err)
		}
	})
}

func TestARecordingThatWouldLeakIsRemoved(t *testing.T) {
	echoing := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"x":"ticket-of-the-login","debug":"`+base64.StdEncoding.EncodeToString([]byte("u:"+practicePassword+"!"))+`"}`)
	}
	try, _, _ := tryAt(t, &practiceSite{login: echoing}, goodAnswers()[1:]...)
	folder := filepath.Join(t.TempDir(), "recording")
	_, err := RecordRecipe(t.Context(), try, folder)
	if err == nil || !strings.Contains(err.Error(), "a secret is left in the recording: 01.response.http") || strings.Contains(err.Error(), "sesame") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the recording is still there: %v", err)
	}
}

func TestATooShortNameIsNotRecorded(t *testing.T) {
	site := &practiceSite{}
	try, _, _ := tryAt(t, site, fields("username", "ali", "password", practicePassword))
	folder := filepath.Join(t.TempDir(), "recording")
	if _, err := RecordRecipe(t.Context(), try, folder); err == nil || !strings.Contains(err.Error(), "at least 4 letters") {
		t.Errorf("error %v", err)
	}
	if len(site.paths) != 0 {
		t.Errorf("the site was asked: %s", site.paths)
	}
}
