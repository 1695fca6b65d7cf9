package app_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"latchkey/internal/app"
)

// started tells how a server starts with the providers, and stops it again.
func started(t *testing.T, development bool, providers ...app.OAuthProvider) error {
	t.Helper()
	latch, err := app.New(t.Context(), app.Config{Data: t.TempDir(), Providers: providers, Development: development}, app.Parts{})
	if err == nil {
		err = errors.Join(latch.Stop(context.WithoutCancel(t.Context())))
	}
	return err
}

func TestAProviderOfTheConfiguration(t *testing.T) {
	const file = "id: acme\nname: Acme\ndomain: acme.example\ndocumentation: https://acme.example/docs\n" +
		"authorization_endpoint: https://acme.example/authorize\ntoken_endpoint: https://acme.example/token\n" +
		"profile: {url: https://acme.example/me, id: $.id}\n"
	own := write(t, "acme.yaml", file)
	secret := write(t, "secret", "a secret\n")
	empty := write(t, "empty", "\n")
	for name, c := range map[string]struct {
		entry app.OAuthProvider
		want  string // of the error; "" when it starts
	}{
		"of the catalogue":            {app.OAuthProvider{ID: "github", ClientID: "abc", ClientSecretFile: secret}, ""},
		"of one's own":                {app.OAuthProvider{File: own, ClientID: "abc", ClientSecretFile: secret}, ""},
		"that nobody knows":           {app.OAuthProvider{ID: "nobody", ClientID: "abc"}, "latchkey providers list"},
		"without a client":            {app.OAuthProvider{ID: "github", ClientSecretFile: secret}, "client_id is missing"},
		"named twice":                 {app.OAuthProvider{ID: "github", File: own, ClientID: "abc"}, "set id or file"},
		"with a file that is missing": {app.OAuthProvider{File: own + "x", ClientID: "abc"}, "no such file"},
		"with a secret that is empty": {app.OAuthProvider{File: own, ClientID: "abc", ClientSecretFile: empty}, "is empty"},
		"with a key that is none":     {app.OAuthProvider{File: own, ClientID: "abc", PrivateKeyFile: secret}, "private key"},
	} {
		t.Run(name, func(t *testing.T) {
			err := started(t, false, c.entry)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "a secret") {
				t.Error("the error shows the secret")
			}
		})
	}
	t.Run("twice the same", func(t *testing.T) {
		entry := app.OAuthProvider{File: own, ClientID: "abc", ClientSecretFile: secret}
		if err := started(t, false, entry, entry); err == nil || !strings.Contains(err.Error(), "two providers called acme") {
			t.Errorf("error %v", err)
		}
	})
}

func TestAFileOfProvidersIsRead(t *testing.T) {
	read, err := app.ReadProviders(write(t, "providers.yaml", "providers:\n  - {id: github, client_id: abc, client_secret: s3cret}\n"))
	if err != nil || len(read) != 1 || read[0].ID != "github" || string(read[0].ClientSecret.Reveal()) != "s3cret" {
		t.Errorf("read %v, error %v", read, err)
	}
	for name, text := range map[string]string{
		"an unknown key": "providers:\n  - {id: github, secret: s3cret}\n", "another key beside": "listen: 127.0.0.1:1\n",
	} {
		if _, err := app.ReadProviders(write(t, "providers.yaml", text)); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if none, err := app.ReadProviders(write(t, "providers.yaml", "")); err != nil || len(none) != 0 {
		t.Errorf("an empty file: %v, error %v", none, err)
	}
}
