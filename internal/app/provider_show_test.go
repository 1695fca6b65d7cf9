package app

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"latchkey/internal/connector/catalogue"
)

// filling are what an operator puts into a block that was shown.
var filling = regexp.MustCompile(`(?m)^( +(?:client_id|key_id|[a-z_]+): )""`)

// The block that is shown of a provider is a configuration's, and with the
// blanks filled in it makes the provider.
func TestTheBlockOfEveryProviderIsAConfiguration(t *testing.T) {
	folder := t.TempDir()
	secret := filepath.Join(folder, "secret")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, id := range catalogue.IDs() {
		t.Run(id, func(t *testing.T) {
			var page strings.Builder
			if err := ShowProvider(t.Context(), &page, id, nil); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(page.String(), "not tested against the live service") || !strings.Contains(page.String(), "/callback/"+id+"/") {
				t.Errorf("shown:\n%s", page.String())
			}
			_, block, found := strings.Cut(page.String(), "For latchkey.yaml\n\n")
			if !found {
				t.Fatal("there is no block")
			}
			blank := filepath.Join(folder, id+".blank.yaml")
			completed := filepath.Join(folder, id+".yaml")
			text := strings.ReplaceAll(filling.ReplaceAllString(block, `${1}"acme.example"`), "/etc/latchkey/"+id+".secret", secret)
			for path, text := range map[string]string{blank: block, completed: text} {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			entries, err := ReadProviders(completed)
			if err != nil || len(entries) != 1 {
				t.Fatalf("%v\n%s", err, block)
			}
			made, err := oauthProvider(entries[0], false)
			if err != nil {
				t.Fatalf("%v\n%s", err, block)
			}
			if made.Describe().ID != id {
				t.Errorf("it makes %s", made.Describe().ID)
			}
			if entries, err = ReadProviders(blank); err != nil {
				t.Fatal(err)
			}
			if _, err := oauthProvider(entries[0], false); err == nil {
				t.Error("a block that nobody completed makes a provider")
			}
		})
	}
}

func TestAProviderIsFoundInTheCatalogueAlone(t *testing.T) {
	for _, id := range []string{"", "GitHub", "github.yaml", "../github", "sandbox"} {
		if _, err := (OAuthProvider{ID: id}).describe(); err == nil {
			t.Errorf("%q is in the catalogue", id)
		}
		if err := ShowProvider(t.Context(), nil, id, nil); err == nil {
			t.Errorf("%q was shown", id)
		}
		if _, err := ProviderFile(id); err == nil {
			t.Errorf("%q has a file", id)
		}
	}
}
