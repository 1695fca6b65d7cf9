package recipe_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/connector"
)

// formSteps log in by an HTML form with a hidden field and a cookie that must
// belong together, then by a code that can be sent again.
const formSteps = `
  - name: enter
    requests:
      - method: GET
        path: /login
        save: {csrf: {html: {selector: "form#login input[name=csrf]", attribute: value}}, user: {field: username}}
      - method: POST
        path: /login
        headers: {x-csrf: "{{cookie.visit}}", x-user: "{{saved.user}}"}
        form: {csrf: "{{saved.csrf}}", username: "{{field.username}}", password: "{{field.password}}", remember: true}
    when:
      - {if: {html: {selector: .error, contains: locked}}, then: locked}
      - {if: {html: {selector: .error, contains: banned}}, then: denied}
      - {if: {html: {selector: .error, contains: maintenance}}, then: unavailable}
      - {if: {html: {selector: .error}}, then: {refused: invalid_credentials}}
      - {if: {all: [{status: 302}, {header: {name: location, contains: /code}}]}, then: {2fa: code}}
      - {if: {any: [{status: 204}, {not: {status: [200, 302, 500]}}]}, then: done}
  - name: code
    requests: [{method: POST, path: /code, form: {code: "{{field.code}}"}}]
    when:
      - {if: {header: {name: location, equals: /home}}, then: done}
      - {then: {refused: 2fa_failed}}
  - name: again
    requests: [{method: POST, path: /again}]
    when: [{if: {status: 204}, then: {2fa: code}}]
prompts:
  - {name: code, option: phone, message: We sent a code., fields: [{name: code, type: code, label: Code}], next: code, resend: again}
`

// formSite is the site that formSteps log in to.
func formSite(t *testing.T, resent *int) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "visit", Value: "v1", Path: "/"})
		answerHTML(w, `<form id=other><input name=csrf value=wrong></form>
			<form id=login><input type=hidden name=csrf value="a&amp;b=&quot;c&quot;"></form>`)
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		cookie, _ := r.Cookie("visit")
		if cookie == nil || cookie.Value != "v1" || r.FormValue("csrf") != `a&b="c"` || r.FormValue("remember") != "true" ||
			r.Header.Get("X-Csrf") != "v1" || r.Header.Get("X-User") != "ada" {
			t.Errorf("form %v, cookie %v, headers %v", r.Form, cookie, r.Header)
		}
		switch password := r.FormValue("password"); password {
		case "good-password":
			w.Header().Set("Location", "/code?step=2")
			w.WriteHeader(http.StatusFound)
		case hardPassword:
			w.WriteHeader(http.StatusNoContent)
		case "teapot":
			w.WriteHeader(http.StatusTeapot)
		case "broken":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			answerHTML(w, `<p class=error>This account is <b>%s</b></p>`, password)
		}
	})
	mux.HandleFunc("POST /code", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("code") == "123456" {
			w.Header().Set("Location", "/home")
		}
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("POST /again", func(w http.ResponseWriter, _ *http.Request) {
		*resent++
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func TestAnHTMLForm(t *testing.T) {
	resent := 0
	c := site(t, formSite(t, &resent), formSteps)

	t.Run("the hidden field and its cookie come back, and the second factor ends the login", func(t *testing.T) {
		step, err := login(t, c, "good-password")
		if err != nil {
			t.Fatal(err)
		}
		asked := wantPrompt(t, step, latchkey.StateTwoFactor, "")
		want := latchkey.Prompt{
			Message: "We sent a code.", CanResend: true, TwoFactor: &latchkey.TwoFactorState{Options: []string{"phone"}},
			Fields: []latchkey.Field{{Name: "code", Type: latchkey.FieldCode, Label: "Code", Autocomplete: "one-time-code", Required: true}},
		}
		if diff := cmp.Diff(want, asked.Prompt); diff != "" {
			t.Error(diff)
		}
		step = submit(t, c, step, map[string]string{"code": "654321"})
		wantPrompt(t, step, latchkey.StateTwoFactor, latchkey.FailureTwoFactor)
		step, err = advance(t, c, step, connector.Input{Action: latchkey.ActionResend})
		if err != nil {
			t.Fatal(err)
		}
		wantPrompt(t, step, latchkey.StateTwoFactor, "")
		if resent != 1 {
			t.Errorf("the code was sent again %d times", resent)
		}
		done, ok := submit(t, c, step, map[string]string{"code": "123456"}).(connector.Done)
		if !ok {
			t.Fatal("the right code does not end the login")
		}
		if diff := cmp.Diff(latchkey.UserData{ID: "12345678901234567890", Name: "ada", Username: "ada"}, done.User); diff != "" {
			t.Error(diff)
		}
		if bytes.Contains(done.Credential.Secret, []byte("csrf")) || bytes.Contains(done.Credential.Secret, []byte("good-password")) {
			t.Error("the credential keeps what a live connection does not need")
		}
	})
	t.Run("a password of odd letters arrives as it is", func(t *testing.T) {
		step, err := login(t, c, hardPassword)
		if _, ok := step.(connector.Done); !ok {
			t.Errorf("%T, %v", step, err)
		}
	})
	t.Run("a negated condition holds", func(t *testing.T) {
		step, err := login(t, c, "teapot")
		if _, ok := step.(connector.Done); !ok {
			t.Errorf("%T, %v", step, err)
		}
	})
	t.Run("an error on the page is a refusal", func(t *testing.T) {
		step, err := login(t, c, "wrong")
		if err != nil {
			t.Fatal(err)
		}
		wantPrompt(t, step, latchkey.StateLogin, latchkey.FailureInvalidCredentials)
	})
	t.Run("back leads to the first question with nothing remembered", func(t *testing.T) {
		step, _ := login(t, c, "good-password")
		back, err := advance(t, c, step, connector.Input{Action: latchkey.ActionBack})
		if err != nil {
			t.Fatal(err)
		}
		if state := wantPrompt(t, back, latchkey.StateLogin, "").State; bytes.Contains(state, []byte("v1")) {
			t.Errorf("the state is %s", state)
		}
	})
	t.Run("what a recipe can't do is an error", func(t *testing.T) {
		step, _ := login(t, c, "good-password")
		if _, err := advance(t, c, step, connector.Input{Action: latchkey.ActionCallback}); err == nil {
			t.Error("a callback is accepted")
		}
	})
}

func TestTheEndsOfALogin(t *testing.T) {
	resent := 0
	c := site(t, formSite(t, &resent), formSteps)
	for password, code := range map[string]latchkey.FailureCode{
		"locked": latchkey.FailureAccountLocked,
		"banned": latchkey.FailureAccessDenied,
	} {
		t.Run(password+" ends the login", func(t *testing.T) {
			wantFailure(t, c, password, code)
		})
	}
	for password, reason := range map[string]string{
		"maintenance": `step enter: unavailable by the recipe: status 200, content type "text/html", to POST /login`,
		"broken": `step enter: no rule holds for the answer: status 500, content type "none", to POST /login; looked for ` +
			`html .error; html .error; html .error; html .error; all status 302 and all header location; any status 204 and any not status 200 302 500`,
	} {
		t.Run(password+" leaves the login where it was", func(t *testing.T) {
			_, err := login(t, c, password)
			if err == nil || !strings.HasSuffix(err.Error(), reason) {
				t.Errorf("error %v, want %s", err, reason)
			}
			wantNoFailure(t, err)
		})
	}
}

func TestAStepStopsAtARequestThatFails(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /form", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	mux.HandleFunc("POST /form", func(http.ResponseWriter, *http.Request) { t.Error("the password was sent") })
	_, err := login(t, site(t, mux, `
  - name: enter
    requests: [{method: GET, path: /form}, {method: POST, path: /form, form: {p: "{{field.password}}"}}]
    when: [{then: done}]
`), "good-password")
	if err == nil || !strings.Contains(err.Error(), "step enter: request 1: unexpected answer: status 403") {
		t.Errorf("error %v", err)
	}
}
