package oauth2_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/oauth2"
	"latchkey/internal/latchtest/hostiletest"
)

// A server that refuses a verifier and makes ID tokens without a nonce.
const exception = "pkce: unsupported\nid_token: ignored\nclient_authentication: client_secret_post\nprofile: {from: userinfo, id: $.sub}\ndiscovery: openid"

func TestAServerThatRefusesAVerifierIsSentNone(t *testing.T) {
	s := hostiletest.Start(t)
	s.Bend(hostiletest.Mode{
		Careless: true, Token: func(m map[string]any) { m["id_token"] = "of.no.use" },
		Metadata: func(m map[string]any) { m["code_challenge_methods_supported"] = []string{"plain"} },
	})
	done := link(t, provider(t, s.URL, exception))
	if done.User.ID != hostiletest.Subject || done.User.Name != "Jo Doe" {
		t.Errorf("linked %+v", done.User)
	}
	asked, exchanged := s.Seen("/authorize")[0].Values, s.Seen("/token")[0].Values
	for _, name := range []string{"code_challenge", "code_challenge_method", "nonce", "code_verifier"} {
		if asked.Has(name) || exchanged.Has(name) {
			t.Errorf("%s was sent", name)
		}
	}
	if asked.Get("scope") != "openid profile" || asked.Get("state") == "" || exchanged.Get("client_secret") == "" {
		t.Error("the scopes, the state or the client's secret were not sent")
	}
}

func TestTheStateStillBindsALoginWithoutPKCE(t *testing.T) {
	s := hostiletest.Start(t)
	s.Bend(hostiletest.Mode{Careless: true})
	c := provider(t, s.URL, exception)
	ours, theirs := mustBegin(t, c), mustBegin(t, c)
	if _, err := ours.callback(theirs.approve()); err == nil {
		t.Error("another login's answer was taken")
	}
}

func TestWithoutPKCETheClientMustAuthenticateItself(t *testing.T) {
	const head = "id: acme\nname: Acme\ndomain: acme.example\nauthorization_endpoint: https://acme.example/a\n" +
		"token_endpoint: https://acme.example/t\nprofile: {url: 'https://acme.example/me', id: $.id}\npkce: unsupported\n"
	for lines, good := range map[string]bool{
		"client_authentication: client_secret_basic": true,
		"client_authentication: private_key_jwt":     true,
		"client_authentication: none":                false,
		"":                                           false,
	} {
		_, err := oauth2.Parse("acme.yaml", []byte(head+lines))
		if (err == nil) != good || err != nil && !strings.HasPrefix(err.Error(), "acme.yaml:7: pkce: ") {
			t.Errorf("%q: %v", lines, err)
		}
	}
}

func TestARevocationNamesTheTokenAsTheFileSays(t *testing.T) {
	s := hostiletest.Start(t)
	done := link(t, provider(t, s.URL))
	for lines, want := range map[string]struct{ method, kind, hint, header string }{
		"{tokens: [access_token]}":                                {"POST", "token", "access_token", "Basic "},
		"{tokens: [access_token], token_parameter: access_token}": {"POST", "access_token", "", "Basic "},
		"{tokens: [access_token], token_parameter: none, authorization: access_token, method: DELETE}": {
			"DELETE", "", "", "Bearer at-",
		},
		"{tokens: [access_token], token_parameter: none, authorization: access_token}": {"POST", "", "", "Bearer at-"},
	} {
		var method, contentType, authorization string
		var form map[string][]string
		var body []byte
		s.Bend(hostiletest.Mode{Revoke: func(_ http.ResponseWriter, r *http.Request) {
			method, contentType, authorization = r.Method, r.Header.Get("Content-Type"), r.Header.Get("Authorization")
			form = r.PostForm
			body, _ = io.ReadAll(r.Body)
		}})
		if err := provider(t, s.URL, "revocation: "+lines).(connector.Revoker).Revoke(t.Context(), access(noFollow(), done)); err != nil {
			t.Errorf("%s: %v", lines, err)
		}
		hint := strings.Join(form["token_type_hint"], " ")
		named := want.kind == "" || len(form[want.kind]) == 1 && strings.HasPrefix(form[want.kind][0], "at-")
		if method != want.method || !strings.HasPrefix(authorization, want.header) || hint != want.hint || !named {
			t.Errorf("%s: %s, %v, hint %q", lines, method, form, hint)
		}
		if want.kind == "" && (len(form) > 0 || len(body) > 0 || contentType != "") {
			t.Errorf("%s: a body of %q was sent", lines, contentType)
		}
	}
}

func TestADomainMayBeTheCustomersOwn(t *testing.T) {
	const text = "id: acme\nname: Acme\ndomain: '{{shop}}'\nvariables: {shop: {description: its host}}\n" +
		"authorization_endpoint: https://{{shop}}/a\ntoken_endpoint: https://{{shop}}/t\nprofile: {url: 'https://{{shop}}/me', id: $.id}\n"
	config, err := oauth2.Parse("acme.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	client := oauth2.Client{ID: "one", Secret: latchkey.NewSecret([]byte("s")), Variables: map[string]string{"shop": "Shop.Example:8443"}}
	c, err := oauth2.New(config, client, oauth2.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if domain := c.Describe().Domain; domain != "shop.example" {
		t.Errorf("the domain is %q", domain)
	}
	if _, err := oauth2.Parse("acme.yaml", []byte(strings.Replace(text, "'{{shop}}'", "'{{ship}}'", 1))); err == nil {
		t.Error("a variable that is none was taken")
	}
}
