package oauth2

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"latchkey"
)

// assertionLife is how long an assertion may be used, in time of both clocks.
const assertionLife = 2 * time.Minute

// signer signs a client's assertions.
type signer struct{ signer jose.Signer }

// newSigner reads a private key and chooses the algorithm that goes with it.
func newSigner(key latchkey.Secret, id string) (*signer, error) {
	block, _ := pem.Decode(key.Reveal())
	if block == nil {
		return nil, errors.New("want PEM")
	}
	defer clear(block.Bytes)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("want a PKCS #8 key: BEGIN PRIVATE KEY")
	}
	var algorithm jose.SignatureAlgorithm
	switch parsed := parsed.(type) {
	case *rsa.PrivateKey:
		if parsed.N.BitLen() < minRSA {
			return nil, errors.New("want an RSA key of at least 2048 bits")
		}
		algorithm = jose.RS256
	case *ecdsa.PrivateKey:
		if parsed.Curve != elliptic.P256() {
			return nil, errors.New("want an ECDSA key on P-256")
		}
		algorithm = jose.ES256
	case ed25519.PrivateKey:
		algorithm = jose.EdDSA
	default:
		return nil, errors.New("want an RSA, ECDSA or Ed25519 key")
	}
	options := (&jose.SignerOptions{}).WithType("JWT")
	if id != "" {
		options = options.WithHeader("kid", id)
	}
	made, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: parsed}, options)
	if err != nil {
		return nil, errors.New("the key can't sign")
	}
	return &signer{made}, nil
}

// assertion returns a JWT by which the client proves to be itself, once (RFC
// 7523, section 3).
func (s *signer) assertion(client, audience string, now time.Time) (string, error) {
	return jwt.Signed(s.signer).Claims(jwt.Claims{
		Issuer: client, Subject: client, Audience: jwt.Audience{audience}, ID: random(),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(assertionLife)),
	}).Serialize()
}
