package matrix

import (
	"errors"
	"net/url"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/connector/jsonapi"
)

// maxCredential bounds a credential, in bytes.
const maxCredential = 32 << 10

// errCredential is returned for a credential that is not ours.
var errCredential = errors.New("not a credential of this provider")

// credential is what the vault keeps of a session.
type credential struct {
	User       string          `json:"user"`
	Homeserver string          `json:"homeserver"`
	OpenMedia  bool            `json:"openMedia"`
	Access     latchkey.Secret `json:"access"`
	Refresh    latchkey.Secret `json:"refresh"` // empty: the homeserver has none
	base       *url.URL
}

// encode returns the credential's bytes.
func (k credential) encode() ([]byte, error) {
	return new(jsonapi.Object).Word("user", k.User).Word("homeserver", k.Homeserver).Flag("openMedia", k.OpenMedia).
		Text("access", k.Access.Reveal()).Text("refresh", k.Refresh.Reveal()).Bytes()
}

// readCredential reads a credential back. The caller zeroes it.
func (c *Connector) readCredential(encoded []byte) (credential, error) {
	var k credential
	if len(encoded) > maxCredential || json.Unmarshal(encoded, &k) != nil {
		return credential{}, errCredential
	}
	base, ok := c.parseBase(k.Homeserver)
	if _, known := c.parseUserID(k.User); !known || !ok || k.Access.Empty() {
		k.zero()
		return credential{}, errCredential
	}
	k.base = base
	return k, nil
}

// zero ends the tokens.
func (k credential) zero() {
	k.Access.Zero()
	k.Refresh.Zero()
}
