package app

import (
	"fmt"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/catalogue"
	"latchkey/internal/connector/oauth2"
)

// OAuthProvider is a provider of OAuth 2.0 or OpenID Connect with the client
// that the operator has registered there.
type OAuthProvider struct {
	ID   string `yaml:"id"`   // of the catalogue
	File string `yaml:"file"` // of a provider of one's own, in place of ID

	ClientID         string          `yaml:"client_id"`
	ClientSecret     latchkey.Secret `yaml:"client_secret"`
	ClientSecretFile string          `yaml:"client_secret_file"` // file that holds it, in its place
	PrivateKeyFile   string          `yaml:"private_key_file"`   // PEM; for private_key_jwt
	KeyID            string          `yaml:"key_id"`             // as the provider knows the private key

	Variables    map[string]string      `yaml:"variables"`    // of the provider, as a tenant
	Environments []latchkey.Environment `yaml:"environments"` // that are served; none: as the provider says, usually live
}

// oauthProvider makes the connector of one entry.
func oauthProvider(entry OAuthProvider, development bool) (connector.Connector, error) {
	description, err := entry.describe()
	if err != nil {
		return nil, err
	}
	if len(entry.Environments) > 0 {
		description.Environments = entry.Environments
	}
	client := oauth2.Client{ID: entry.ClientID, Secret: entry.ClientSecret, KeyID: entry.KeyID, Variables: entry.Variables}
	if entry.ClientID == "" {
		return nil, fmt.Errorf("provider %s: client_id is missing: it is what the provider gave you when you registered", description.ID)
	}
	if entry.ClientSecretFile != "" {
		if !entry.ClientSecret.Empty() {
			return nil, fmt.Errorf("provider %s: set client_secret or client_secret_file, not both", description.ID)
		}
		if client.Secret, err = readSecretFile(entry.ClientSecretFile); err != nil {
			return nil, fmt.Errorf("provider %s: client_secret_file: %w", description.ID, err)
		}
	}
	if entry.PrivateKeyFile != "" {
		if client.PrivateKey, err = readSecretFile(entry.PrivateKeyFile); err != nil {
			return nil, fmt.Errorf("provider %s: private_key_file: %w", description.ID, err)
		}
	}
	return oauth2.New(description, client, oauth2.Options{Development: development})
}

// describe finds the entry's provider in the catalogue, or reads its file.
func (p OAuthProvider) describe() (oauth2.Config, error) {
	switch {
	case p.ID != "" && p.File != "":
		return oauth2.Config{}, fmt.Errorf("providers: set id or file, not both: %s, %s", p.ID, p.File)
	case p.File != "":
		text, err := readBounded(p.File, maxRecipe)
		if err != nil {
			return oauth2.Config{}, fmt.Errorf("read provider: %w", err)
		}
		return oauth2.Parse(p.File, text)
	}
	found, ok := catalogue.Find(p.ID)
	if !ok {
		return oauth2.Config{}, fmt.Errorf("providers: there is no provider %q in the catalogue; "+
			"`latchkey providers list` shows those that are, and `file` takes one of your own", p.ID)
	}
	return found, nil
}

// ReadProviders reads a file with nothing but the key "providers", as a
// configuration has it.
func ReadProviders(path string) ([]OAuthProvider, error) {
	var held struct {
		Providers []OAuthProvider `yaml:"providers"`
	}
	if err := readYAML(path, &held); err != nil {
		return nil, fmt.Errorf("read providers: %w", err)
	}
	return held.Providers, nil
}
