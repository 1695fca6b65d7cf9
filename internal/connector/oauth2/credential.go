package oauth2

import (
	"errors"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"latchkey"
	"latchkey/internal/connector"
)

// facts are what a credential tells beside its tokens.
type facts struct {
	Expiry  int64             `json:"expiry,omitzero"`  // of the access token, in seconds since 1970; 0: unknown or never
	Asked   string            `json:"asked,omitzero"`   // the scopes that were asked for
	Scope   string            `json:"scope,omitzero"`   // the scopes that were granted, perhaps fewer
	Subject string            `json:"subject,omitzero"` // of the ID token
	User    latchkey.UserData `json:"user"`             // as at the login
	Base    string            `json:"base,omitzero"`    // of the API, where each customer has one
}

// credential is what the vault keeps of a login.
type credential struct {
	Access  latchkey.Secret `json:"access"`
	Refresh latchkey.Secret `json:"refresh"`
	facts
}

// openCredential reads a credential. The caller closes it.
func openCredential(secret []byte) (*credential, error) {
	c := &credential{}
	err := json.Unmarshal(secret, c)
	if err != nil || !goodToken(c.Access.Reveal()) {
		c.close()
		return nil, errors.New("the credential is unreadable")
	}
	return c, nil
}

// close zeroes the tokens.
func (c *credential) close() {
	c.Access.Zero()
	c.Refresh.Zero()
}

// expires returns when the access token expires; zero: unknown or never.
func (c *credential) expires() time.Time {
	if c.Expiry == 0 {
		return time.Time{}
	}
	return time.Unix(c.Expiry, 0)
}

// renew returns the credential with new tokens. It keeps the old refresh token
// where there is no new one, and shares no bytes with either.
func (c *credential) renew(t *tokens) (connector.Credential, error) {
	fresh := c.facts
	fresh.Expiry = 0
	if !t.expiresAt.IsZero() {
		fresh.Expiry = t.expiresAt.Unix()
	}
	refresh := t.refresh
	if refresh == nil {
		refresh = c.Refresh.Reveal()
	}
	told, err := json.Marshal(fresh)
	if err != nil {
		return connector.Credential{}, err
	}
	secret := make([]byte, 0, 64+6*(len(t.access)+len(refresh))+len(told)) // never grows, so that no copy is left behind
	secret = append(secret, `{"access":`...)
	if secret, err = jsontext.AppendQuote(secret, t.access); err == nil && len(refresh) > 0 {
		secret, err = jsontext.AppendQuote(append(secret, `,"refresh":`...), refresh)
	}
	if err != nil {
		clear(secret)
		return connector.Credential{}, errors.New("a token is not UTF-8")
	}
	secret = append(append(secret, ','), told[1:]...)
	return connector.Credential{Secret: secret, ExpiresAt: t.expiresAt}, nil
}
