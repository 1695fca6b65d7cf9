package leaktest_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/oauth2"
	"latchkey/internal/connector/recipe"
	"latchkey/internal/latchtest/leaktest"
)

// How a vase behaves.
const (
	honest   = "honest"
	refusing = "refusing" // 400, 401 or 403, with the whole request in header and body
	broken   = "broken"   // 500, the same
	noHTTP   = "no HTTP"  // the request comes back as it was
	moved    = "moved"    // a redirect with the request in its address
)

// vase is a site that repeats what it is told wherever it can: a login with
// password, code and cookies, and an OAuth server with an API.
type vase struct {
	url     string
	secrets *leaktest.Secrets
	mu      sync.Mutex
	mode    string
}

func newVase(t *testing.T) *vase {
	v := &vase{secrets: &leaktest.Secrets{}, mode: honest}
	server := httptest.NewServer(http.HandlerFunc(v.serve))
	t.Cleanup(server.Close)
	v.url = server.URL
	return v
}

// behave sets the mode.
func (v *vase) behave(mode string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.mode = mode
}

// made makes a secret of a kind. Each encoding writes it in its own way.
func (v *vase) made(kind string) string {
	secret := latchkey.NewSecretID(rand.Reader, "") + "/+=&<x>"
	v.secrets.Add(kind, secret)
	return secret
}

func (v *vase) serve(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	mode := v.mode
	v.mu.Unlock()
	if mode != honest {
		v.repeat(w, r, mode)
		return
	}
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case "/api/login":
		http.SetCookie(w, &http.Cookie{Name: "pending", Value: v.made("cookie of a login")[:22]})
		v.secrets.Add("hidden field", "seed-of-the-form-0815")
		_, _ = io.WriteString(w, `{"form":"seed-of-the-form-0815"}`)
	case "/api/code":
		session := v.made("session cookie")
		w.Header().Add("Set-Cookie", "session="+strings.ReplaceAll(session, ",", "")+"; HttpOnly")
	case "/token":
		form, _ := url.ParseQuery(string(body))
		v.secrets.Add("authorization code", form.Get("code"))
		v.secrets.Add("PKCE verifier", form.Get("code_verifier"))
		_, _ = fmt.Fprintf(w, `{"access_token":%q,"refresh_token":%q,"token_type":"Bearer","expires_in":3600}`,
			v.made("access token"), v.made("refresh token"))
	case "/me":
		w.Header().Add("Set-Cookie", "renewed="+v.made("cookie of an answer"))
		_, _ = fmt.Fprintf(w, `{"id":"4711","login":"ada","echo":%q}`, r.Header.Get("Cookie")+r.Header.Get("Authorization"))
	}
}

// repeat answers with the request.
func (v *vase) repeat(w http.ResponseWriter, r *http.Request, mode string) {
	whole, _ := httputil.DumpRequest(r, true)
	line := strings.NewReplacer("\r", "", "\n", " ").Replace(string(whole))
	w.Header().Set("X-Request", line)
	w.Header().Set("Www-Authenticate", `Bearer error="invalid_token", error_description="`+line+`"`)
	switch mode {
	case noHTTP:
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = conn.Write(append(whole, " is no HTTP\r\n\r\n"...))
			_ = conn.Close()
		}
	case moved:
		w.Header().Set("Location", v.url+"/moved?"+url.QueryEscape(string(whole)))
		w.WriteHeader(http.StatusFound)
	case broken:
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write(whole)
	default:
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprintf(w, `{"error":"invalid_grant","error_description":%q}`, whole)
	}
}

// theRecipe logs in with a password and a code.
const theRecipe = `
id: vase
name: Vase
domain: vase.example
environments: [sandbox]
base_url: URL
login:
  fields:
    - {name: username, type: text, label: Username}
    - {name: password, type: password, label: Password}
  next: enter
prompts:
  - name: code
    option: app
    fields: [{name: code, type: code, label: Code}]
    next: code
steps:
  - name: enter
    requests:
      - method: POST
        path: /api/login
        json: {username: "{{field.username}}", password: "{{field.password}}"}
    when:
      - if: {status: 200}
        then: {2fa: code}
      - if: {status: 401}
        then: {refused: invalid_credentials}
  - name: code
    requests:
      - {method: POST, path: /api/code, json: {code: "{{field.code}}"}}
    when:
      - if: {status: 200}
        then: done
      - if: {status: 401}
        then: {refused: 2fa_failed}
profile:
  request: {method: GET, path: /me}
  id: $.id
  name: $.login
  username: $.login
check:
  dead: {status: 401}
session:
  lifetime: 28d
proxy:
  path: /
  cookies: true
logout:
  requests:
    - {method: DELETE, path: /api/login}
`

// theFile is an OAuth provider.
const theFile = `
id: vaseoauth
name: Vase
domain: vase.example
environments: [sandbox]
authorization_endpoint: URL/authorize
token_endpoint: URL/token
revocation_endpoint: URL/revoke
scopes: [all]
profile:
  url: URL/me
  id: $.id
  name: $.login
  username: $.login
api: {base_url: URL}
`

// connectors are the vase by the two engines, and one that panics.
func (v *vase) connectors(t *testing.T) []connector.Connector {
	t.Helper()
	text := strings.ReplaceAll(theRecipe, "URL", v.url)
	parsed, err := recipe.Parse("vase.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	byForm, err := recipe.New(parsed, recipe.Options{BaseURL: v.url})
	if err != nil {
		t.Fatal(err)
	}
	config, err := oauth2.Parse("vaseoauth.yaml", []byte(strings.ReplaceAll(theFile, "URL", v.url)))
	if err != nil {
		t.Fatal(err)
	}
	byOAuth, err := oauth2.New(config, oauth2.Client{
		ID: "client-1", Secret: latchkey.NewSecret([]byte(v.made("OAuth client secret"))),
	}, oauth2.Options{Development: true})
	if err != nil {
		t.Fatal(err)
	}
	return []connector.Connector{byForm, byOAuth, shard{byForm}}
}
