package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey/internal/connector"
)

// A credential is prefix, payload, ".", tag: it looks like a provider's access
// token, so that what hunts for leaked tokens finds it.
const (
	credentialPrefix = "sbx_"
	maxCredential    = 1 << 10
	tagLength        = 16
)

// expiringLife is how long the credential of an expiring account is good.
const expiringLife = 60 * time.Second

// tagKey is public: the tag tells a damaged credential from a whole one and
// protects nothing. What a sandbox credential opens are fixtures that anyone
// can derive.
var tagKey = []byte("latchkey sandbox credential 1")

// errMalformed is what any credential that is not ours is told.
var errMalformed = errors.New("read sandbox credential: it is not ours")

// payload is what a credential says. The handler keeps nothing, so everything
// it must know is here.
type payload struct {
	Seed   string      `json:"seed"`
	Type   accountType `json:"type"`
	Link   string      `json:"link"`         // tells two logins of one account apart
	Issued int64       `json:"iat"`          // Unix milliseconds
	Ends   int64       `json:"exp,omitzero"` // Unix milliseconds; zero: never
}

// issue makes the credential of a finished login, its own for each session. The
// end of an expiring one is told to the vault, which has no way to renew it.
func issue(who account, session string, now time.Time) (connector.Credential, error) {
	link := sha256.Sum256(fmt.Appendf(nil, "sandbox link\x00%s\x00%s\x00%d", session, who.Seed, now.UnixNano()))
	p := payload{Seed: who.Seed, Type: who.Type, Link: hex.EncodeToString(link[:8]), Issued: now.UnixMilli()}
	if who.Behaviour == expiring {
		p.Ends = now.Add(expiringLife).UnixMilli()
	}
	encoded, err := json.Marshal(p)
	if err != nil {
		return connector.Credential{}, fmt.Errorf("encode sandbox credential: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString(encoded)
	token := credentialPrefix + text + "." + base64.RawURLEncoding.EncodeToString(tagOf(text))
	return connector.Credential{Secret: []byte(token), ExpiresAt: p.expiry()}, nil
}

// parseCredential reads a credential. Its errors never show it.
func parseCredential(token string) (payload, error) {
	if len(token) > maxCredential {
		return payload{}, errMalformed
	}
	body, found := strings.CutPrefix(token, credentialPrefix)
	text, tagText, dotted := strings.Cut(body, ".")
	tag, tagErr := base64.RawURLEncoding.DecodeString(tagText)
	encoded, textErr := base64.RawURLEncoding.DecodeString(text)
	if !found || !dotted || tagErr != nil || textErr != nil || !hmac.Equal(tag, tagOf(text)) {
		return payload{}, errMalformed
	}
	var p payload
	if err := json.Unmarshal(encoded, &p); err != nil {
		return payload{}, errMalformed
	}
	return p, nil
}

// live reads a credential and demands that it is still good: past its end, the
// error wraps connector.ErrDead.
func live(token string, now time.Time) (payload, error) {
	p, err := parseCredential(token)
	if err != nil {
		return payload{}, err
	}
	if end := p.expiry(); !end.IsZero() && !now.Before(end) {
		return payload{}, fmt.Errorf("use sandbox credential: %w", connector.ErrDead)
	}
	return p, nil
}

// expiry returns when the credential ends; the zero time when it never does.
func (p payload) expiry() time.Time {
	if p.Ends == 0 {
		return time.Time{}
	}
	return time.UnixMilli(p.Ends).UTC()
}

// tagOf returns the tag of an encoded payload.
func tagOf(text string) []byte {
	mac := hmac.New(sha256.New, tagKey)
	mac.Write([]byte(text))
	return mac.Sum(nil)[:tagLength]
}
