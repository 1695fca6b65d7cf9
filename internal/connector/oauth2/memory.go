package oauth2

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/go-json-experiment/json"
)

// memory is what a login in progress remembers, sealed, in its state. The
// verifier and the nonce are nowhere else.
type memory struct {
	Verifier    string `json:"verifier"` // of PKCE: 64 characters, new for every login
	Nonce       string `json:"nonce,omitzero"`
	RedirectURI string `json:"redirect_uri"`
	Scope       string `json:"scope,omitzero"` // as it was asked for, with spaces
}

// random returns 64 characters of 384 random bits.
func random() string {
	var b [48]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// challenge returns the S256 challenge of the verifier (RFC 7636, section
// 4.2).
func (m memory) challenge() string {
	sum := sha256.Sum256([]byte(m.Verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// encode returns the memory as a state.
func (m memory) encode() ([]byte, error) { return json.Marshal(m) }

// remember reads a state.
func remember(state []byte) (memory, error) {
	var m memory
	if err := json.Unmarshal(state, &m); err != nil || len(m.Verifier) < 43 || m.RedirectURI == "" {
		return memory{}, errors.New("the state of the login is unreadable")
	}
	return m, nil
}
