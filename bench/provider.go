package main

import (
	"context"
	"net/http"
	"net/url"

	"latchkey"
	"latchkey/internal/connector"
)

// providerID is the provider whose API is the upstream.
const providerID = "upstream"

// provider takes any login and sends proxied requests to the upstream.
type provider struct{ upstream string }

// Describe returns the provider's facts.
func (p provider) Describe() connector.Description {
	return connector.Description{
		ID: providerID, Name: "Upstream", Domain: "upstream.example", Environments: []latchkey.Environment{latchkey.Sandbox},
		Logo: []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M4 4h16v16H4z"/></svg>`),
	}
}

// Advance asks for a name and a password, and takes both.
func (p provider) Advance(_ context.Context, _ connector.Flow, input connector.Input) (connector.Step, error) {
	username := input.Fields["username"]
	if username.Empty() {
		return connector.Prompt{At: latchkey.StateLogin, Prompt: latchkey.Prompt{Fields: []latchkey.Field{
			{Name: "username", Label: "Username", Type: "text", Autocomplete: "username", Required: true},
			{Name: "password", Label: "Password", Type: "password", Autocomplete: "current-password", Required: true},
		}}}, nil
	}
	name := string(username.Reveal())
	return connector.Done{
		User:       latchkey.UserData{ID: name, Name: name, Username: name},
		Credential: connector.Credential{Secret: []byte("token-of-" + name)},
	}, nil
}

// Base returns the upstream.
func (p provider) Base([]byte) (*url.URL, error) { return url.Parse(p.upstream) }

// Authorize adds the token.
func (p provider) Authorize(out *http.Request, credential []byte) error {
	out.Header.Set("Authorization", "Bearer "+string(credential))
	return nil
}
