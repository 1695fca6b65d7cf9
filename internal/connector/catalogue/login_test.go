package catalogue_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/catalogue"
	"latchkey/internal/connector/oauth2"
)

const (
	clientID     = "client-one"
	clientSecret = "s3cret"
	callbackURL  = "https://link.latchkey.example/callback/test/org_1"
)

// linked is one connection to a provider of the catalogue.
type linked struct {
	testing.TB
	peer      *peer
	connector connector.Connector
	flow      connector.Flow
	done      connector.Done
}

// Every file links, is checked, renewed and ended at a peer that answers as the
// documentation shows.
func TestEveryProviderIsLinkedAsItsDocumentationShows(t *testing.T) {
	shown := readAnswers(t)
	for _, id := range catalogue.IDs() {
		t.Run(id, func(t *testing.T) {
			found, ok := shown[id]
			if !ok {
				t.Fatal("testdata/answers.yaml has no answers of it")
			}
			l := link(t, id, found)
			l.checkUser()
			l.checkExchange()
			l.checkCheck()
			l.checkRefresh()
			l.checkRevoke()
			l.checkAPI()
		})
	}
	for id := range shown {
		if _, ok := catalogue.Find(id); !ok {
			t.Errorf("testdata/answers.yaml has answers of %s, which is not in the catalogue", id)
		}
	}
}

// filled returns a file with the variables in its addresses filled in, and an
// endpoint wherever it leaves one to the metadata.
func filled(config oauth2.Config, variables map[string]string) oauth2.Config {
	values := map[string]string{"client_id": clientID}
	for name, variable := range config.Variables {
		values[name] = orElse(variables[name], variable.Default)
	}
	for _, address := range []*string{
		&config.Issuer, &config.AuthorizationEndpoint, &config.TokenEndpoint, &config.UserinfoEndpoint, &config.RevocationEndpoint,
		&config.JWKSURI, &config.Refresh.Endpoint, &config.Profile.URL, &config.Check.URL, &config.API.BaseURL,
	} {
		*address = variable.ReplaceAllStringFunc(*address, func(place string) string { return values[place[2:len(place)-2]] })
	}
	if config.Issuer != "" && config.TokenEndpoint == "" {
		config.AuthorizationEndpoint, config.TokenEndpoint = config.Issuer+"/authorize", config.Issuer+"/token"
		config.UserinfoEndpoint, config.JWKSURI, config.RevocationEndpoint = config.Issuer+"/userinfo", config.Issuer+"/keys", config.Issuer+"/revoke"
	}
	return config
}

// link goes through a login.
func link(t *testing.T, id string, shown answers) *linked {
	t.Helper()
	config, _ := catalogue.Find(id)
	client := oauth2.Client{ID: clientID, Secret: latchkey.NewSecret([]byte(clientSecret)), Variables: shown.Variables}
	made, err := oauth2.New(config, client, oauth2.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := &linked{TB: t, connector: made, peer: newPeer(t, filled(config, shown.Variables), shown)}
	l.flow = connector.Flow{
		Permissions: []string{"profile:read", "email:read"}, CallbackURL: callbackURL, RedirectState: strings.Repeat("s", 43),
		HTTP: &http.Client{Transport: l.peer}, Now: time.Now(),
	}
	step, err := made.Advance(t.Context(), l.flow, connector.Input{})
	if err != nil {
		t.Fatal(err)
	}
	redirect, ok := step.(connector.Redirect)
	if !ok {
		t.Fatalf("the first step is a %T", step)
	}
	l.checkRedirect(redirect.URL)
	l.flow.State = redirect.State
	query := url.Values{"code": {"code-1"}, "state": {l.flow.RedirectState}}
	step, err = made.Advance(t.Context(), l.flow, connector.Input{Action: latchkey.ActionCallback, Query: query})
	if err != nil {
		t.Fatal(err)
	}
	if l.done, ok = step.(connector.Done); !ok {
		t.Fatalf("the last step is a %T", step)
	}
	return l
}

// access returns what a skill works with.
func (l *linked) access() connector.Access {
	return connector.Access{Credential: bytes.Clone(l.done.Credential.Secret), HTTP: l.flow.HTTP, Now: time.Now()}
}

// checkRedirect checks that people are sent to the provider's own page with all
// that it needs, and nothing that it does not.
func (l *linked) checkRedirect(redirect string) {
	l.Helper()
	config := l.peer.config
	target, err := url.Parse(redirect)
	if err != nil {
		l.Fatal(err)
	}
	query := target.Query()
	l.peer.nonce = query.Get("nonce")
	target.RawQuery = ""
	if target.String() != config.AuthorizationEndpoint {
		l.Errorf("people are sent to %s", target)
	}
	separator := orElse(config.ScopeSeparator, " ")
	for _, scope := range append(config.Scopes, config.Permissions["email:read"]...) {
		sent := strings.Split(query.Get(orElse(config.ScopeParameter, "scope")), separator)
		if !bytes.Contains([]byte(separator+strings.Join(sent, separator)+separator), []byte(separator+scope+separator)) {
			l.Errorf("the scope %s is not asked for in %q", scope, sent)
		}
	}
	for name, want := range config.AuthorizationParameters {
		if query.Get(name) != want {
			l.Errorf("%s is %q, want %q", name, query.Get(name), want)
		}
	}
	if query.Get(orElse(config.ClientIDParameter, "client_id")) != clientID || query.Get("redirect_uri") != callbackURL ||
		query.Get("state") != l.flow.RedirectState || query.Get("response_type") != "code" {
		l.Errorf("the request is %v", query)
	}
	if challenged := query.Get("code_challenge_method") == "S256" && len(query.Get("code_challenge")) == 43; challenged == (config.PKCE == "unsupported") {
		l.Errorf("challenged: %t", challenged)
	}
}

// checkUser checks who has been linked.
func (l *linked) checkUser() {
	l.Helper()
	want := l.peer.answers.User
	if got := l.done.User; got.ID != want.ID || got.Name != want.Name || got.Username != want.Username || got.Avatar != want.Avatar {
		l.Errorf("linked %+v, want %+v", got, want)
	}
}

// checkExchange checks what the code was exchanged with.
func (l *linked) checkExchange() {
	l.Helper()
	config := l.peer.config
	sent := l.peer.to(config.TokenEndpoint)
	if len(sent) != 1 {
		l.Fatalf("the token endpoint was asked %d times", len(sent))
	}
	got := sent[0]
	_, hasVerifier := got.values["code_verifier"]
	if got.method != http.MethodPost || got.values.Get("code") != "code-1" || hasVerifier == (config.PKCE == "unsupported") {
		l.Errorf("the exchange is a %s with %v", got.method, got.values)
	}
	l.checkClient(got)
	for name, want := range config.Token.Parameters {
		if got.values.Get(name) != want {
			l.Errorf("%s is %q", name, got.values.Get(name))
		}
	}
	if json := strings.HasPrefix(got.header.Get("Content-Type"), "application/json"); json != (config.Token.Format == "json") {
		l.Errorf("the exchange is %s", got.header.Get("Content-Type"))
	}
}

// checkClient checks that a request carries the client's authentication.
func (l *linked) checkClient(got asked) {
	l.Helper()
	config := l.peer.config
	basic := &http.Request{Header: got.header}
	id, secret, hasBasic := basic.BasicAuth()
	if config.ClientAuthentication == "client_secret_post" {
		id, secret = got.values.Get(orElse(config.ClientIDParameter, "client_id")), got.values.Get("client_secret")
	}
	if id != clientID || secret != clientSecret || hasBasic == (config.ClientAuthentication == "client_secret_post") {
		l.Errorf("%s: the client is %q, by %s", got.url, id, config.ClientAuthentication)
	}
}

// checkCheck checks that a living and a dead token are told apart.
func (l *linked) checkCheck() {
	l.Helper()
	checker := l.connector.(connector.Checker)
	if profile, err := checker.Check(l.Context(), l.access()); err != nil || profile.User.ID != l.done.User.ID {
		l.Errorf("a living token: %v", err)
	}
	if l.peer.config.ID == "apple" { // which has nobody to ask
		return
	}
	l.peer.mu.Lock()
	l.peer.dead = true
	l.peer.mu.Unlock()
	if _, err := checker.Check(l.Context(), l.access()); !errors.Is(err, connector.ErrDead) {
		l.Errorf("a dead token: %v", err)
	}
}

// checkRefresh checks that a token is renewed where the file says so.
func (l *linked) checkRefresh() {
	l.Helper()
	config := l.peer.config
	address := orElse(config.Refresh.Endpoint, config.TokenEndpoint)
	before := len(l.peer.to(address))
	_, err := l.connector.(connector.Refresher).Refresh(l.Context(), l.access())
	sent := l.peer.to(address)[before:]
	hasToken := l.peer.answers.Token == nil || l.peer.answers.Token["refresh_token"] != nil
	if config.Refresh.Unsupported || !hasToken {
		if !errors.Is(err, connector.ErrDead) || len(sent) > 0 {
			l.Errorf("what can't be renewed was: %v, %v", sent, err)
		}
		return
	}
	if err != nil || len(sent) != 1 || sent[0].values.Get("refresh_token") != "rt-1" || sent[0].values.Get("grant_type") != "refresh_token" {
		l.Fatalf("renewal: %v, %v", sent, err)
	}
	l.checkClient(sent[0])
}

// checkRevoke checks that the token is ended at the provider where it can be.
func (l *linked) checkRevoke() {
	l.Helper()
	config := l.peer.config
	before := len(l.peer.seen)
	if err := l.connector.(connector.Revoker).Revoke(l.Context(), l.access()); err != nil {
		l.Errorf("revoke: %v", err)
	}
	if config.Revocation.Unsupported {
		if len(l.peer.seen) != before {
			l.Error("a provider without revocation was asked for it")
		}
		return
	}
	sent := l.peer.to(config.RevocationEndpoint)
	if len(sent) == 0 {
		l.Fatal("nothing was revoked")
	}
	for _, got := range sent {
		token := got.values.Get(orElse(config.Revocation.TokenParameter, "token"))
		if config.Revocation.TokenParameter == "none" {
			_, token, _ = strings.Cut(got.header.Get("Authorization"), " ")
		}
		if token != "at-1" && token != "rt-1" || got.method != orElse(config.Revocation.Method, http.MethodPost) {
			l.Errorf("a %s with %v", got.method, got.values)
		}
		if how := config.Revocation.Authorization; how == "" || how == "client" {
			l.checkClient(got)
		}
	}
}

// checkAPI checks where proxied calls go, and that they carry the token.
func (l *linked) checkAPI() {
	l.Helper()
	authorizer, ok := l.connector.(connector.Authorizer)
	if !ok {
		if l.peer.config.ID != "apple" {
			l.Error("the API can't be called")
		}
		return
	}
	base, err := authorizer.Base(l.done.Credential.Secret)
	if err != nil {
		l.Fatal(err)
	}
	if want := orElse(l.peer.answers.Base, l.peer.config.API.BaseURL); base.String() != want {
		l.Errorf("the API is at %s, want %s", base, want)
	}
	out := httptest.NewRequest(http.MethodGet, base.String(), nil)
	if err := authorizer.Authorize(out, l.done.Credential.Secret); err != nil {
		l.Fatal(err)
	}
	how := l.peer.config.API.Authorization
	want := orElse(how.Prefix, "Bearer ") + "at-1"
	if how.Header != "" {
		want = how.Prefix + "at-1"
	}
	if got := out.Header.Get(orElse(how.Header, "Authorization")); got != want {
		l.Errorf("the API is called with %q", got)
	}
}
