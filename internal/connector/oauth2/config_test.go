package oauth2

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// example is the file with every key.
func example(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheExampleIsRead(t *testing.T) {
	config, err := Parse("example.yaml", []byte(example(t)))
	if err != nil {
		t.Fatal(err)
	}
	if found := config.Lint(); len(found) > 0 {
		t.Errorf("lint: %q", found)
	}
	if config.Profile.URL != "https://api.acme.example/v1/me?fields=all" || config.Profile.Username[1] != "$.data.emails[0].value" {
		t.Errorf("profile: %+v", config.Profile)
	}
}

func TestAWrongFileIsRefusedWithItsLineAndField(t *testing.T) {
	for name, wrong := range map[string]struct{ old, new, want string }{
		"an unknown key":               {"scope_separator: \" \"", "scope_seperator: \" \"", "acme.yaml:33: key scope_seperator is unknown"},
		"an unknown key in a section":  {"  format: form # or json", "  formt: form", "acme.yaml:41: key formt is unknown in Token"},
		"a key twice":                  {"name: Acme\n", "name: Acme\nname: Acme\n", "already defined"},
		"a wrong type":                 {"requests_per_minute: 60", "requests_per_minute: many", "cannot unmarshal"},
		"a wrong id":                   {"id: acme\n", "id: Acme\n", "acme.yaml:4: id: "},
		"an endpoint in clear":         {"token_endpoint: https://", "token_endpoint: http://", "acme.yaml:17: token_endpoint: want https"},
		"an unknown variable":          {"issuer: https://{{tenant}}", "issuer: https://{{tenent}}", `issuer: there is no variable "tenent"`},
		"a symmetric algorithm":        {"[RS256, ES256]", "[HS256]", "id_token_signing_alg_values_supported: HS256"},
		"no algorithm":                 {"[RS256, ES256]", "[none]", "id_token_signing_alg_values_supported: none"},
		"a reserved parameter":         {"{prompt: consent,", "{state: fixed,", "authorization_parameters.state: "},
		"a reserved header":            {"headers: {Acme-Client:", "headers: {Authorization:", "api.headers.Authorization: "},
		"a path that is none":          {"id: $.data.id", "id: $..id", "profile.id: "},
		"a picture that is a constant": {"{$.data.id}/{$.data.picture}", "a/b", "profile.avatar: "},
		"a profile from nowhere":       {"from: url", "from: moon", `profile.from: "moon"`},
		"an anchor":                    {"scopes: [", "scopes: &s [", "anchors and aliases"},
		"a logo with a script":         {"<circle", "<script/><circle", "logo: the element script"},
		"a scope with a space":         {"[posts.read,", "[posts read,", "is not a scope"},
		"a revocation retried never":   {"ended: [404]", "ended: [503]", "revocation.ended: "},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(example(t), wrong.old, wrong.new, 1)
			_, err := Parse("acme.yaml", []byte(text))
			if err == nil || !strings.Contains(err.Error(), wrong.want) || !strings.HasPrefix(err.Error(), "acme.yaml:") {
				t.Errorf("got %v, want %s", err, wrong.want)
			}
		})
	}
}

func TestEveryMistakeIsTold(t *testing.T) {
	text := example(t)
	for old, planted := range map[string]string{
		"name: Acme\n":             "nmae: Acme\n",
		"token_endpoint: https://": "token_endpoint: http://",
		"  format: form # or json": "  format: xml",
		"  id: $.data.id":          "  id: $..id",
	} {
		text = strings.Replace(text, old, planted, 1)
	}
	mistakes, doubts := Inspect("acme.yaml", []byte(text))
	want := []string{
		"acme.yaml:5: key nmae is unknown in Config", "acme.yaml:4: name: want 1 to 64 bytes",
		"acme.yaml:17: token_endpoint: want https", `acme.yaml:41: token.format: "xml": want form, json`, "acme.yaml:64: profile.id: ",
	}
	if len(mistakes) != len(want) || len(doubts) > 0 {
		t.Fatalf("%q, %q", mistakes, doubts)
	}
	for i := range want {
		if !strings.HasPrefix(mistakes[i], want[i]) {
			t.Errorf("got %s, want %s", mistakes[i], want[i])
		}
	}
}

func TestWhatIsDoubtfulIsToldWithItsLine(t *testing.T) {
	lines := strings.Split(example(t), "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool {
		return strings.HasPrefix(line, "documentation:") || strings.HasPrefix(line, "logo:")
	})
	text := strings.Replace(strings.Join(lines, "\n"), "{description: The name before .acme.example, default: login}", "{default: login}", 1)
	mistakes, doubts := Inspect("acme.yaml", []byte(text))
	want := []string{
		"acme.yaml:4: documentation: missing: nobody can look up what the file says",
		"acme.yaml:4: logo: missing: a plain one is shown",
		"acme.yaml:9: variables.tenant: no description: the operator must guess",
	}
	if len(mistakes) > 0 || !slices.Equal(doubts, want) {
		t.Errorf("%q, %q", mistakes, doubts)
	}
}
