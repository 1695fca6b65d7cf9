package oauth2

import (
	"strings"
	"testing"

	"latchkey"
)

// plainFile is a file of the least length, with a tenant.
const plainFile = `
id: acme
name: Acme
domain: acme.example
variables: {tenant: {description: The tenant}}
authorization_endpoint: https://{{tenant}}.acme.example/authorize
token_endpoint: https://{{tenant}}.acme.example/token
profile: {url: "https://api.acme.example/{{tenant}}/me", id: $.id}
`

func TestVariablesAreFilledIn(t *testing.T) {
	config, err := Parse("acme.yaml", []byte(plainFile))
	if err != nil {
		t.Fatal(err)
	}
	client := Client{ID: "a/b", Secret: latchkey.NewSecret([]byte("s"))}
	for name, given := range map[string]map[string]string{
		"none":                     nil,
		"another one":              {"tenant": "t", "region": "eu"},
		"one that leaves its host": {"tenant": "evil.example/"},
		"one with a password":      {"tenant": "a@evil.example"},
		"one with a query":         {"tenant": "a?b"},
	} {
		client.Variables = given
		if _, err := New(config, client, Options{}); err == nil || !strings.Contains(err.Error(), "variable") {
			t.Errorf("%s: %v", name, err)
		}
	}
	client.Variables = map[string]string{"tenant": "eu-1"}
	c, err := New(config, client, Options{})
	if err != nil {
		t.Fatal(err)
	}
	filled := c.(*Connector).config
	if filled.TokenEndpoint != "https://eu-1.acme.example/token" || filled.Profile.URL != "https://api.acme.example/eu-1/me" {
		t.Errorf("%s, %s", filled.TokenEndpoint, filled.Profile.URL)
	}
	if strings.Contains(config.TokenEndpoint, "eu-1") {
		t.Error("the file itself was changed")
	}
	d := c.Describe()
	if !d.OwnPage || len(d.Logo) == 0 || d.Environments[0] != latchkey.Live {
		t.Errorf("%+v", d)
	}
}

func TestAClientThatCanNotAuthenticateItselfIsRefused(t *testing.T) {
	secret := latchkey.NewSecret([]byte("s"))
	for name, wrong := range map[string]struct {
		how    string
		client Client
		want   string
	}{
		"no id":              {"none", Client{}, "client id"},
		"an id with a break": {"none", Client{ID: "a\nb"}, "client id"},
		"basic, no secret":   {"client_secret_basic", Client{ID: "a"}, "client secret"},
		"posted, no secret":  {"client_secret_post", Client{ID: "a"}, "client secret"},
		"a JWT, no key":      {"private_key_jwt", Client{ID: "a", Secret: secret}, "private key"},
		"a JWT, no such key": {"private_key_jwt", Client{ID: "a", PrivateKey: secret}, "private key"},
	} {
		config, err := Parse("acme.yaml", []byte(strings.ReplaceAll(plainFile, "{{tenant}}", "t")+"client_authentication: "+wrong.how))
		if err != nil {
			t.Fatal(err)
		}
		config.Variables = nil
		if _, err := New(config, wrong.client, Options{}); err == nil || !strings.Contains(err.Error(), wrong.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOnlyDevelopmentSpeaksHTTP(t *testing.T) {
	text := strings.ReplaceAll(strings.ReplaceAll(plainFile, "{{tenant}}", "t"), "https://t.acme.example", "http://127.0.0.1:8080")
	config, err := Parse("acme.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	config.Variables = nil
	client := Client{ID: "a"}
	if _, err := New(config, client, Options{}); err == nil || !strings.Contains(err.Error(), "https") {
		t.Errorf("got %v", err)
	}
	if _, err := New(config, client, Options{Development: true}); err != nil {
		t.Error(err)
	}
}

func TestALintedFileSaysWhatIsProbablyMissing(t *testing.T) {
	config, err := Parse("acme.yaml", []byte(plainFile))
	if err != nil {
		t.Fatal(err)
	}
	found := strings.Join(config.Lint(), "\n")
	for _, want := range []string{"documentation: ", "logo: ", "scopes: ", "api.base_url: ", "revocation_endpoint: "} {
		if !strings.Contains(found, want) {
			t.Errorf("nothing is said of %s", want)
		}
	}
}
