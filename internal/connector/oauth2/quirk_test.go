package oauth2_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/oauth2"
)

// odd is a provider without OpenID Connect and with habits of its own: what it
// answers at a path, and what it was sent.
type odd struct {
	testing.TB
	*httptest.Server
	answers map[string]string // by path; "401" and the like are statuses
	refuse  int               // a status for every answer; 0: 200
	mu      sync.Mutex
	sent    map[string]sent
}

// sent is a request that came in.
type sent struct {
	method, body string
	header       http.Header
	query        url.Values
}

// newOdd starts the provider.
func newOdd(t *testing.T, answers map[string]string) *odd {
	t.Helper()
	o := &odd{TB: t, answers: answers, sent: map[string]sent{}}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		o.mu.Lock()
		o.sent[r.URL.Path] = sent{r.Method, string(body), r.Header, r.URL.Query()}
		o.mu.Unlock()
		if o.answers[r.URL.Path] == "401" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if o.refuse != 0 {
			w.WriteHeader(o.refuse)
		}
		_, _ = io.WriteString(w, o.answers[r.URL.Path])
	}))
	t.Cleanup(o.Close)
	return o
}

// at returns what was last sent to a path.
func (o *odd) at(path string) sent {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sent[path]
}

// connector returns a connector for the file's lines, in which BASE stands for
// the provider.
func (o *odd) connector(client oauth2.Client, lines string) connector.Connector {
	o.Helper()
	text := "id: odd\nname: Odd\ndomain: odd.example\nauthorization_endpoint: BASE/authorize\ntoken_endpoint: BASE/token\n" + lines
	config, err := oauth2.Parse("odd.yaml", []byte(strings.ReplaceAll(text, "BASE", o.URL)))
	if err != nil {
		o.Fatal(err)
	}
	c, err := oauth2.New(config, client, oauth2.Options{Development: true})
	if err != nil {
		o.Fatal(err)
	}
	return c
}

// registered is the client that is registered there.
func registered() oauth2.Client {
	return oauth2.Client{ID: "our-id", Secret: latchkey.NewSecret([]byte("our secret+"))}
}

// arrive hands in a good answer of the authorization endpoint.
func (o *odd) arrive(c connector.Connector) (connector.Done, error) {
	o.Helper()
	l := mustBegin(o, c)
	step, err := l.callback(url.Values{"code": {"the code"}, "state": {l.flow.RedirectState}})
	done, _ := step.(connector.Done)
	return done, err
}

// mustArrive is arrive at a provider that is content.
func (o *odd) mustArrive(c connector.Connector) connector.Done {
	o.Helper()
	done, err := o.arrive(c)
	if err != nil {
		o.Fatal(err)
	}
	return done
}

func TestAProviderThatNestsItsTokens(t *testing.T) {
	o := newOdd(t, map[string]string{
		"/token": `{"ok":true,"authed_user":{"id":"U1","access_token":"nested-a","refresh_token":"nested-r","token_type":"user","scope":"a,b"},"expires":"43200","token_type":"user"}`,
		"/me":    `{"data":{"id":12345678901234567890,"emails":[{"value":"jo@odd.example"}],"picture":"p"}}`,
	})
	c := o.connector(registered(), `
client_authentication: client_secret_post
client_id_parameter: client_key
scopes: [a]
token:
  format: json
  headers: {Odd-Version: "7"}
  parameters: {audience: "{{client_id}}-api"}
  access_token: $.authed_user.access_token
  refresh_token: $.authed_user.refresh_token
  expires_in: $.expires
  scope: $.authed_user.scope
  types: [user]
profile: {url: BASE/me, id: $.data.id, username: [$.data.login, "$.data.emails[0].value"], avatar: "https://cdn.odd.example/{$.data.id}/{$.data.picture}.png"}
`)
	done := o.mustArrive(c)
	want := latchkey.UserData{
		ID: "12345678901234567890", Name: "jo@odd.example", Username: "jo@odd.example", Avatar: "https://cdn.odd.example/12345678901234567890/p.png",
	}
	if done.User != want {
		t.Errorf("linked %+v", done.User)
	}
	kept := held(t, done.Credential.Secret)
	if kept["access"] != "nested-a" || kept["refresh"] != "nested-r" || kept["scope"] != "a b" {
		t.Errorf("kept %v", kept)
	}
	if left := time.Until(done.Credential.ExpiresAt); left < 11*time.Hour || left > 12*time.Hour {
		t.Errorf("it expires in %s", left)
	}
	asked := o.at("/token")
	for _, part := range []string{`"client_key":"our-id"`, `"client_secret":"our secret+"`, `"audience":"our-id-api"`, `"code":"the code"`} {
		if !strings.Contains(asked.body, part) {
			t.Errorf("the request lacks %s", part)
		}
	}
	if asked.header.Get("Odd-Version") != "7" || asked.header.Get("Content-Type") != "application/json" {
		t.Errorf("header %v", asked.header)
	}
	if o.at("/me").header.Get("Authorization") != "Bearer nested-a" {
		t.Error("the profile was asked for with another token")
	}
}

func TestAProviderWhoseProfileIsAQuery(t *testing.T) {
	o := newOdd(t, map[string]string{
		"/token": `{"access_token":"a-token"}`, "/graphql": `{"data":{"viewer":{"id":"u1","name":"Jo"}}}`,
	})
	c := o.connector(registered(), `
token: {type_optional: true, lifetime: 2h}
profile:
  url: BASE/graphql
  method: POST
  body: '{"query":"{ viewer { id name } }"}'
  headers: {Odd-Client: "{{client_id}}"}
  dead: {path: "$.errors[0].code", values: [AUTH]}
  id: $.data.viewer.id
  name: $.data.viewer.name
api: {base_url: BASE, authorization: {query: access_token}}
`)
	done := o.mustArrive(c)
	if done.User != (latchkey.UserData{ID: "u1", Name: "Jo", Username: "u1"}) {
		t.Errorf("linked %+v", done.User)
	}
	if left := time.Until(done.Credential.ExpiresAt); left < 119*time.Minute || left > 2*time.Hour {
		t.Errorf("it expires in %s", left)
	}
	asked := o.at("/graphql")
	if asked.method != http.MethodPost || asked.query.Get("access_token") != "a-token" || asked.header.Get("Authorization") != "" ||
		!strings.Contains(asked.body, "viewer") || asked.header.Get("Odd-Client") != "our-id" {
		t.Errorf("asked with %+v", asked)
	}
	o.answers["/graphql"] = `{"errors":[{"code":"AUTH"}]}`
	if _, err := c.(connector.Checker).Check(t.Context(), access(noFollow(), done)); !errors.Is(err, connector.ErrDead) {
		t.Errorf("an answer of the file's: %v", err)
	}
	o.answers["/graphql"] = `{"errors":[{"code":"BUSY"}]}`
	if _, err := c.(connector.Checker).Check(t.Context(), access(noFollow(), done)); err == nil || errors.Is(err, connector.ErrDead) {
		t.Errorf("another answer: %v", err)
	}
	o.Close()
	_, err := c.(connector.Checker).Check(t.Context(), access(noFollow(), done))
	if err == nil || strings.Contains(err.Error(), "a-token") {
		t.Errorf("the error of a request with the token in its query: %v", err)
	}
}

func TestAProviderThatTellsAllWithItsTokens(t *testing.T) {
	o := newOdd(t, map[string]string{
		"/token": `{"access_token":"a-token","token_type":"bearer","owner":{"id":"w1","name":"Jo's place"},"instance_url":"https://eu9.odd.example"}`,
		"/ping":  `{"ok":true}`,
	})
	lines := `
profile: {from: token, id: $.owner.id, name: $.owner.name, username: $.owner.name}
check: {url: BASE/ping}
api: {base_url: /services, base_url_from: {token: $.instance_url, domains: [odd.example]}}
revocation_endpoint: BASE/grants/{{client_id}}
revocation: {method: DELETE, format: json, token_parameter: access_token, tokens: [access_token], authorization: access_token}
`
	c := o.connector(registered(), lines)
	done := o.mustArrive(c)
	base, err := c.(connector.Authorizer).Base(done.Credential.Secret)
	if err != nil || base.String() != "https://eu9.odd.example/services" {
		t.Errorf("base %v, %v", base, err)
	}
	profile, err := c.(connector.Checker).Check(t.Context(), access(noFollow(), done))
	if err != nil || profile.User != done.User || done.User.Name != "Jo's place" {
		t.Errorf("check %+v, %v", profile.User, err)
	}
	if err := c.(connector.Revoker).Revoke(t.Context(), access(noFollow(), done)); err != nil {
		t.Error(err)
	}
	ended := o.at("/grants/our-id")
	if ended.method != http.MethodDelete || ended.header.Get("Authorization") != "Bearer a-token" || !strings.Contains(ended.body, `"access_token":"a-token"`) {
		t.Errorf("revoked with %+v", ended)
	}
	o.answers["/grants/our-id"] = "401"
	if err := c.(connector.Revoker).Revoke(t.Context(), access(noFollow(), done)); err != nil {
		t.Errorf("a token that was dead before: %v", err)
	}
	for _, where := range []string{"https://evil.example", "https://odd.example.evil.example", "http://eu9.odd.example", "https://eu9.odd.example:8443",
		"https://a@eu9.odd.example", "https://notodd.example", "file:///etc"} {
		o.answers["/token"] = `{"access_token":"a-token","token_type":"bearer","owner":{"id":"w1"},"instance_url":"` + where + `"}`
		if _, err := o.arrive(o.connector(registered(), lines)); err == nil {
			t.Errorf("the API was believed to be at %s", where)
		}
	}
}

func TestHowAClientAuthenticatesItself(t *testing.T) {
	o := newOdd(t, map[string]string{"/token": `{"access_token":"a","token_type":"bearer"}`, "/me": `{"id":"u1"}`})
	const profile = "\nprofile: {url: BASE/me, id: $.id}\n"
	public := oauth2.Client{ID: "our-id"}
	for name, how := range map[string]struct {
		client         oauth2.Client
		lines, want    string
		basic, without string
	}{
		"a secret, as usual": {client: registered(), basic: "Basic b3VyLWlkOm91ciUyMHNlY3JldCUyQg==", without: "client_secret"},
		"a secret, posted":   {client: registered(), lines: "client_authentication: client_secret_post", want: "client_secret=our%20secret%2B"},
		"none":               {client: public, want: "client_id=our-id", without: "client_secret"},
	} {
		o.mustArrive(o.connector(how.client, how.lines+profile))
		asked := o.at("/token")
		if asked.header.Get("Authorization") != how.basic || !strings.Contains(asked.body, how.want) ||
			(how.without != "" && strings.Contains(asked.body, how.without)) {
			t.Errorf("%s: %q, %q", name, asked.header.Get("Authorization"), asked.body)
		}
	}
}

func TestMetadataOfAnAuthorizationServer(t *testing.T) {
	o := newOdd(t, nil)
	o.answers = map[string]string{
		"/.well-known/oauth-authorization-server/tenant": `{"issuer":"` + o.URL + `/tenant","authorization_endpoint":"` + o.URL +
			`/a","token_endpoint":"` + o.URL + `/t","token_endpoint_auth_methods_supported":["client_secret_post"]}`,
		"/t": `{"access_token":"a","token_type":"bearer"}`, "/me": `{"id":"u1"}`,
	}
	config, err := oauth2.Parse("odd.yaml", []byte("id: odd\nname: Odd\ndomain: odd.example\nissuer: "+o.URL+
		"/tenant\ndiscovery: oauth\nprofile: {url: "+o.URL+"/me, id: $.id}\n"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := oauth2.New(config, registered(), oauth2.Options{Development: true})
	if err != nil {
		t.Fatal(err)
	}
	if done := o.mustArrive(c); done.User.ID != "u1" || !strings.Contains(o.at("/t").body, "client_secret=") {
		t.Errorf("linked %+v", done.User)
	}
}

func TestACancelledRenewalKillsNothing(t *testing.T) {
	o := newOdd(t, map[string]string{"/token": `{"access_token":"a","refresh_token":"r","token_type":"bearer"}`, "/me": `{"id":"u1"}`})
	c := o.connector(registered(), "profile: {url: BASE/me, id: $.id}\n")
	done := o.mustArrive(c)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.(connector.Refresher).Refresh(over, access(noFollow(), done)); err == nil || errors.Is(err, connector.ErrDead) {
		t.Errorf("got %v", err)
	}
}
