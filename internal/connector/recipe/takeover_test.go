package recipe_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/connector"
)

// takeoverSteps submit the forms of the pages as they are.
const takeoverSteps = `
  - name: enter
    requests:
      - {method: GET, path: /login}
      - form_from: "#login [name=pass]"
        form: {user: "{{field.username}}", pass: "{{field.password}}", extra: "1"}
    when:
      - {if: {html: {selector: "#code"}}, then: {2fa: code}}
      - {if: {html: {selector: "#login"}}, then: {refused: invalid_credentials}}
      - {if: {status: 204}, then: done}
  - name: code
    requests:
      - {form_from: "#code", form: {code: "{{field.code}}"}}
    when:
      - {if: {status: 204}, then: done}
      - {if: {html: {selector: "#code"}}, then: {refused: 2fa_failed}}
      - {then: {refused: 2fa_failed}}
prompts:
  - {name: code, option: phone, fields: [{name: code, type: code, label: Code}], next: code}
`

// everyControl is a form with one input of each kind.
const everyControl = `<base href="/app/">
<form id=other action=/elsewhere><input name=pass></form>
<form id=login method=POST action="enter?from=login">
<input type=hidden name=csrf value="t&amp;1"><input name=user value=nobody><input type=password name=pass value=old>
<input type=checkbox name=on checked><input type=checkbox name=off value=x>
<input type=radio name=r value=1><input type=radio name=r value=2 checked>
<select name=s><option value=a>A<option value=b selected>B</select><select name=s2><option>first<option>second</select>
<select name=none></select><textarea name=t>two
lines</textarea><input name=gone disabled value=1><input value=nameless>
<input type=file name=f><input type=submit name=go value=Go><button name=b value=1>B</button><input type=image name=i>
</form>`

func TestAFormIsSubmittedAsABrowserDoes(t *testing.T) {
	var got url.Values
	var asked, referer string
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) { answerHTML(w, everyControl) })
	mux.HandleFunc("POST /app/enter", func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		got, asked, referer = r.PostForm, r.URL.RequestURI(), r.Referer()
		w.WriteHeader(http.StatusNoContent)
	})
	c := site(t, mux, takeoverSteps)
	step, err := login(t, c, hardPassword)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := step.(connector.Done); !ok {
		t.Fatalf("want Done, have %+v", step)
	}
	want := url.Values{
		"csrf": {"t&1"}, "user": {"ada"}, "pass": {hardPassword}, "on": {"on"}, "r": {"2"}, "s": {"b"}, "s2": {"first"},
		"t": {"two\nlines"}, "extra": {"1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if asked != "/app/enter?from=login" || !strings.HasSuffix(referer, "/login") {
		t.Errorf("asked %s from %s", asked, referer)
	}
}

// codeForm is the page that asks for a code, with a token of its own.
func codeForm(token string) string {
	return `<form id=code method=post action=/code><input type=hidden name=t value="` + token + `"><input name=code></form>`
}

func TestAFormIsKeptWhileThePersonIsAsked(t *testing.T) {
	tokens := 0
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) {
		answerHTML(w, `<form id=login method=post action=/login><input name=user><input name=pass type=password></form>`)
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, _ *http.Request) { answerHTML(w, "%s", codeForm("t0")) })
	mux.HandleFunc("POST /code", func(w http.ResponseWriter, r *http.Request) {
		if want := fmt.Sprintf("t%d", tokens); r.FormValue("t") != want {
			t.Errorf("token %q, want %q", r.FormValue("t"), want)
		}
		switch r.FormValue("code") {
		case "123456":
			w.WriteHeader(http.StatusNoContent)
		case "000000": // a page without the form: the one before is submitted again
			answerHTML(w, "<p>wrong")
		default:
			tokens++
			answerHTML(w, "%s", codeForm(fmt.Sprintf("t%d", tokens)))
		}
	})
	c := site(t, mux, takeoverSteps)
	step, err := login(t, c, "good-password")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"654321", "000000", "654321"} {
		step = submit(t, c, step, map[string]string{"code": code})
		wantPrompt(t, step, latchkey.StateTwoFactor, latchkey.FailureTwoFactor)
	}
	done, ok := submit(t, c, step, map[string]string{"code": "123456"}).(connector.Done)
	if !ok || strings.Contains(string(done.Credential.Secret), "form") {
		t.Errorf("want Done without the form, have %+v", done)
	}
}

func TestAFormThatIsNotWhatItWas(t *testing.T) {
	for name, c := range map[string]struct{ page, want string }{
		"is gone":                    {"<p>We have moved.", `the form "#login [name=pass]" is not on the page: status 200, content type "text/html", to GET /login`},
		"has lost an input":          {`<form id=login method=post><input name=pass><input name=name></form>`, `the form on the page has no input "user"`},
		"leads to another site":      {`<form id=login method=post action="https://evil.example/"><input name=user><input name=pass></form>`, "leads to another site"},
		"leads away by its base":     {`<base href="https://evil.example/"><form id=login method=post action="x"><input name=user><input name=pass></form>`, "leads to another site"},
		"leads to a script":          {`<form id=login method=post action="javascript:alert(1)"><input name=user><input name=pass></form>`, "leads to another site"},
		"is sent in the URL":         {`<form id=login><input name=user><input name=pass></form>`, "is sent by GET: what was submitted would stand in a URL"},
		"has a method of its own":    {`<form id=login method=dialog><input name=user><input name=pass></form>`, "has an unknown method"},
		"is sent in parts":           {`<form id=login method=post enctype=multipart/form-data><input name=user><input name=pass></form>`, "is not sent URL-encoded"},
		"has inputs without an end":  {`<form id=login method=post><input name=pass>` + strings.Repeat("<input name=x>", 200), "has more than 100 inputs"},
		"has an input without bound": {`<form id=login method=post><input name=pass><input name=x value="` + strings.Repeat("x", 9000) + `">`, "8192 bytes"},
	} {
		t.Run("a form that "+name+" leaves the login where it was", func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) { answerHTML(w, "%s", c.page) })
			mux.HandleFunc("POST /login", func(http.ResponseWriter, *http.Request) { t.Error("the form was sent") })
			_, err := login(t, site(t, mux, takeoverSteps), "good-password")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want %s", err, c.want)
			}
			wantNoFailure(t, err)
			if strings.Contains(err.Error(), "good-password") || strings.Contains(err.Error(), "evil") {
				t.Errorf("the error shows too much: %v", err)
			}
		})
	}
}

func TestAPageThatWritesThePasswordIntoItsFormIsNotKept(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) {
		answerHTML(w, `<form id=login method=post action=/login><input name=user><input name=pass type=password></form>`)
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) { answerHTML(w, "%s", codeForm(r.FormValue("pass"))) })
	_, err := login(t, site(t, mux, takeoverSteps), "good-password")
	if err == nil || !strings.Contains(err.Error(), "holds what was submitted") {
		t.Errorf("error %v", err)
	}
}

func TestATokenGoesBackByAFormThatIsSentInTheURL(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, _ *http.Request) {
		answerHTML(w, `<form id=go action="/next?old=1"><input type=hidden name=a value="x&y"></form>`)
	})
	mux.HandleFunc("GET /next", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "a=x%26y&more=1" {
			t.Errorf("query %s", r.URL.RawQuery)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mustLogin(t, site(t, mux, `
  - name: enter
    requests:
      - {method: POST, path: /login, form: {u: "{{field.username}}"}}
      - {form_from: "#go", form: {more: 1}}
    when: [{if: {status: 204}, then: done}]
`))
}

func TestAFormNeedsAPage(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, http.StatusOK, "{}") })
	_, err := login(t, site(t, mux, `
  - name: enter
    requests:
      - {method: POST, path: /login}
      - {form_from: "#go"}
    when: [{if: {status: 204}, then: done}]
`), "good-password")
	if err == nil || errors.Is(err, connector.ErrBlocked) || !strings.Contains(err.Error(), `no page to find the form "#go" on`) {
		t.Errorf("error %v", err)
	}
}
