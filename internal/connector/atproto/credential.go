package atproto

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/url"
	"time"

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
	DID     string          `json:"did"`
	Handle  string          `json:"handle"` // confirmed; "" when there is none
	PDS     string          `json:"pds"`
	Access  latchkey.Secret `json:"access"`
	Refresh latchkey.Secret `json:"refresh"`
	pds     *url.URL
}

// credentialOf returns the credential of an account's new session. It shares
// the session's tokens.
func credentialOf(who account, made session) credential {
	return credential{
		DID: who.DID, Handle: who.Handle, PDS: who.PDS.String(), pds: who.PDS, Access: made.Access, Refresh: made.Refresh,
	}
}

// encode returns the credential's bytes.
func (k credential) encode() ([]byte, error) {
	return new(jsonapi.Object).Word("did", k.DID).Word("handle", k.Handle).Word("pds", k.PDS).
		Text("access", k.Access.Reveal()).Text("refresh", k.Refresh.Reveal()).Bytes()
}

// readCredential reads a credential back. The caller zeroes it.
func (c *Connector) readCredential(encoded []byte) (credential, error) {
	var k credential
	if len(encoded) > maxCredential || json.Unmarshal(encoded, &k) != nil {
		return credential{}, errCredential
	}
	pds, err := url.Parse(k.PDS)
	if err != nil || !c.mayCall(pds) || k.DID == "" || k.Access.Empty() || k.Refresh.Empty() {
		k.zero()
		return credential{}, errCredential
	}
	k.pds = pds
	return k, nil
}

// zero ends the tokens.
func (k credential) zero() {
	k.Access.Zero()
	k.Refresh.Zero()
}

// The life of an access token: what is assumed where it can't be read, and the
// most that is believed.
const (
	assumedLife = 10 * time.Minute
	longestLife = 365 * 24 * time.Hour
)

// expiryOf returns when an access token ends: the exp of its claims (RFC 7519,
// section 4.1.4). The token is the PDS's own to verify; here it is only read.
func expiryOf(token []byte, now time.Time) time.Time {
	var claims struct {
		Expiry float64 `json:"exp"`
	}
	parts := bytes.Split(token, []byte("."))
	if len(parts) == 3 {
		if text, err := base64.RawURLEncoding.AppendDecode(nil, parts[1]); err == nil {
			_ = json.Unmarshal(text, &claims) // what can't be read is zero
		}
	}
	if claims.Expiry <= 0 || claims.Expiry > float64(now.Add(longestLife).Unix()) {
		return now.Add(assumedLife)
	}
	return time.Unix(int64(claims.Expiry), 0).UTC()
}
