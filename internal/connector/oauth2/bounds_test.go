package oauth2

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestATreeIsForgotten(t *testing.T) {
	tree, err := parseObject([]byte(`{"access_token":"at","nested":[{"refresh_token":"rt"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	access, refresh := tree["access_token"].(text), Path("$.nested[0].refresh_token").find(tree).(text)
	zero(tree)
	if string(access) != "\x00\x00" || string(refresh) != "\x00\x00" {
		t.Error("a token is still there")
	}
}

func TestACredentialIsWrittenAndRead(t *testing.T) {
	given := &tokens{access: []byte(`a"b\c`), refresh: []byte("r"), expiresAt: time.Unix(1_800_000_000, 0)}
	kept, err := (&credential{facts: facts{Scope: "a b", Subject: "s"}}).renew(given)
	if err != nil || !kept.ExpiresAt.Equal(given.expiresAt) {
		t.Fatal(err)
	}
	read, err := openCredential(kept.Secret)
	if err != nil {
		t.Fatal(err)
	}
	if string(read.Access.Reveal()) != `a"b\c` || string(read.Refresh.Reveal()) != "r" || read.Scope != "a b" || read.Expiry != 1_800_000_000 {
		t.Errorf("read %+v", read.facts)
	}
	access := read.Access.Reveal()
	read.close()
	if strings.Trim(string(access), "\x00") != "" {
		t.Error("the token is still there")
	}
	for _, damaged := range []string{"", "{}", `{"access":""}`, `{"access":1}`, `{"access":"a b"}`, "at-secret"} {
		if _, err := openCredential([]byte(damaged)); err == nil || strings.Contains(err.Error(), "at-secret") {
			t.Errorf("%q: %v", damaged, err)
		}
	}
}

func TestACacheForgets(t *testing.T) {
	var c cached[string]
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	if _, ok := c.get(now, time.Hour); ok {
		t.Error("an empty cache had something")
	}
	c.put("a", now)
	for after, want := range map[time.Duration]bool{0: true, time.Hour: true, time.Hour + 1: false, -time.Second: false} {
		if _, ok := c.get(now.Add(after), time.Hour); ok != want {
			t.Errorf("after %s: %t", after, ok)
		}
	}
}

func FuzzAFile(f *testing.F) {
	f.Add([]byte(plainFile))
	f.Add([]byte("id: [[[[{{{{"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		config, err := Parse("f.yaml", text)
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, "f.yaml:") {
					t.Errorf("a line without its place: %q", line)
				}
			}
			return
		}
		config.Lint()
		_, _ = New(config, Client{ID: "a"}, Options{})
	})
}

func FuzzAnAnswerIsToThisRequestOrRefused(f *testing.F) {
	f.Add("code=a&state=the-state&iss=https%3A%2F%2Facme.example")
	f.Add("code=a&code=b&state=the-state")
	f.Fuzz(func(t *testing.T, raw string) {
		query, err := url.ParseQuery(raw)
		if err != nil || checkState("the-state", query) != nil {
			return
		}
		code, err := checkAnswer(&server{issuer: "https://acme.example", issuerInResponse: true}, query)
		if err == nil && (query.Get("state") != "the-state" || query.Get("iss") != "https://acme.example" || code != query.Get("code") || code == "") {
			t.Errorf("taken: %q", raw)
		}
	})
}

func FuzzAnIDTokenIsBoundedAndNeverPanics(f *testing.F) {
	f.Add("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.x")
	f.Add("e30.e30.")
	f.Fuzz(func(_ *testing.T, raw string) {
		header, claims, _, err := splitToken(raw)
		if err != nil {
			return
		}
		v := &visit{Connector: &Connector{client: Client{ID: "a"}}}
		_ = v.checkClaims(&server{issuer: "https://acme.example"}, claims)
		_, _ = (&keySet{}).find(header)
	})
}
