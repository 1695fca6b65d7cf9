package glewlwydtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/pquerna/otp/totp"
)

// OIDC is a client that is registered at the server's OpenID provider.
type OIDC struct {
	Issuer    string
	ID        string
	Secret    string
	server    *Server
	person    User
	back      string
	wantsCode bool
	secret    string // of the person's one-time codes
}

// EnableOIDC makes the server an OpenID provider and registers a client whose
// logins end at the callback. The person, who must exist, has allowed it
// everything.
func (s *Server) EnableOIDC(t testing.TB, person User, callback string) *OIDC {
	t.Helper()
	o := &OIDC{Issuer: s.URL + "/api/oidc", ID: "latchkey", Secret: rand.Text(), server: s, person: person, back: callback}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for path, body := range map[string]values{
		"/api/mod/plugin/": {"module": "oidc", "name": "oidc", "display_name": "OpenID Connect", "parameters": o.parameters(t, key)},
		"/api/client/": {
			"client_id": o.ID, "name": "Latchkey", "confidential": true, "password": o.Secret, "client_secret": o.Secret, "enabled": true,
			"redirect_uri": []string{callback}, "authorization_type": []string{"code", "refresh_token", "delete_token"},
			"token_endpoint_auth_method": []string{"client_secret_basic", "client_secret_post"},
			"scope":                      []string{"openid"},
		},
	} {
		if err := s.call(t.Context(), http.MethodPost, path, body); err != nil {
			t.Fatal(err)
		}
	}
	return o.As(t, person)
}

// As is the client with another person, who must exist, before its pages. Only
// who has the scope can be asked for it.
func (o *OIDC) As(t testing.TB, person User) *OIDC {
	t.Helper()
	scoped := values{"name": person.Name, "email": person.Email, "enabled": true, "scope": []string{"g_profile", "openid"}}
	if err := o.server.call(t.Context(), http.MethodPut, "/api/user/"+url.PathEscape(person.Username), scoped); err != nil {
		t.Fatal(err)
	}
	other := *o
	other.person = person
	if o.wantsCode { // another secret each time, since the server takes one code in a while
		o.server.forgetTOTP(t, person.Username)
		other.secret = o.server.RegisterTOTP(t, person.Username)
	}
	return &other
}

// RequireCode makes the provider want a one-time code of everybody, beside the
// password.
func (o *OIDC) RequireCode(t testing.TB) {
	t.Helper()
	o.server.RequireOTP(t)
	err := o.server.call(t.Context(), http.MethodPut, "/api/scope/openid", values{
		"display_name": "OpenID", "description": "OpenID Connect", "password_required": true, "password_max_age": 600,
		"scheme":          values{"2": []values{{"scheme_type": "otp", "scheme_name": "otp"}}},
		"scheme_required": values{"2": 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	o.wantsCode = true
}

// enterCode submits the one-time code of the person.
func (o *OIDC) enterCode(ctx context.Context, browser *http.Client) error {
	code, err := totp.GenerateCode(o.secret, time.Now())
	if err != nil {
		return err
	}
	return o.submit(ctx, browser, http.MethodPost, "/api/auth/", values{
		"username": o.person.Username, "scheme_type": "otp", "scheme_name": "otp", "value": values{"value": code},
	})
}

// parameters are those of the plugin. Refresh tokens are good once.
func (o *OIDC) parameters(t testing.TB, key *rsa.PrivateKey) values {
	t.Helper()
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return values{
		"iss": o.Issuer, "jwt-type": "rsa", "jwt-key-size": "256", "key": string(private), "cert": string(public), "jwks-show": true,
		"access-token-duration": 3600, "refresh-token-duration": 86400, "code-duration": 600, "allow-non-oidc": false,
		"auth-type-code-enabled": true, "auth-type-refresh-enabled": true, "refresh-token-one-use": "always",
		"name-claim": "mandatory", "email-claim": "on-demand", "allowed-scope": []string{"openid"},
		"pkce-allowed": true, "pkce-mandatory": true, "pkce-method-plain-allowed": false,
		"introspection-revocation-allowed": true, "introspection-revocation-allow-target-client": true,
		"oauth-as-iss-id": true, "subject-type": "public",
	}
}

// Authorize lets the person log in with the password, allow the client, and go
// where a redirect leads. It returns the answer that the browser brings back.
func (o *OIDC) Authorize(ctx context.Context, target string) (url.Values, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	browser := &http.Client{
		Transport: &http.Transport{}, Jar: jar, Timeout: starting,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer browser.CloseIdleConnections()
	login := values{"username": o.person.Username, "password": o.person.Password}
	if err := o.submit(ctx, browser, http.MethodPost, "/api/auth/", login); err != nil {
		return nil, err
	}
	if o.wantsCode {
		if _, err := o.answer(ctx, browser, target); err == nil {
			return nil, errors.New("the provider lets people in without the code")
		}
		if err := o.enterCode(ctx, browser); err != nil {
			return nil, err
		}
	}
	if err := o.submit(ctx, browser, http.MethodPut, "/api/auth/grant/"+o.ID+"/", values{"scope": "openid"}); err != nil {
		return nil, err
	}
	return o.answer(ctx, browser, target)
}

// answer goes where the redirect leads, and returns what is brought back.
func (o *OIDC) answer(ctx context.Context, browser *http.Client, target string) (url.Values, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target+"&g_continue", nil)
	if err != nil {
		return nil, err
	}
	answer, err := browser.Do(request)
	if err != nil {
		return nil, err
	}
	_ = answer.Body.Close()
	back, err := answer.Location()
	if err != nil {
		return nil, errors.New("the page leads nowhere: " + answer.Status)
	}
	if !strings.HasPrefix(back.String(), o.back) {
		return nil, errors.New("the page leads elsewhere: " + back.Path)
	}
	return back.Query(), nil
}

// submit sends what a form of the server's own pages would.
func (o *OIDC) submit(ctx context.Context, browser *http.Client, method, path string, body values) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, o.server.URL+path, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := browser.Do(request)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: status %d", method, path, answer.StatusCode)
	}
	return nil
}
