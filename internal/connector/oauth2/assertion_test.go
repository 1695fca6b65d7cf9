package oauth2

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"latchkey"
)

// sealed returns a private key as PEM.
func sealed(t *testing.T, key any) latchkey.Secret {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return latchkey.NewSecret(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func TestAnAssertionIsTheClientsOwn(t *testing.T) {
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	curveKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	for algorithm, key := range map[jose.SignatureAlgorithm]crypto.Signer{jose.RS256: rsaKey, jose.ES256: curveKey, jose.EdDSA: edKey} {
		t.Run(string(algorithm), func(t *testing.T) {
			s, err := newSigner(sealed(t, key), "key-7")
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for range 2 {
				signed, err := s.assertion("our-id", "https://acme.example", now)
				if err != nil {
					t.Fatal(err)
				}
				token, err := jwt.ParseSigned(signed, []jose.SignatureAlgorithm{algorithm})
				if err != nil || token.Headers[0].KeyID != "key-7" {
					t.Fatalf("%v, %v", token, err)
				}
				var claims jwt.Claims
				if err := token.Claims(key.Public(), &claims); err != nil {
					t.Fatal(err)
				}
				err = claims.ValidateWithLeeway(jwt.Expected{
					Issuer: "our-id", Subject: "our-id", AnyAudience: jwt.Audience{"https://acme.example"}, Time: now.Add(time.Minute),
				}, 0)
				if err != nil || claims.ID == "" || seen[claims.ID] || claims.Expiry.Time().After(now.Add(5*time.Minute)) {
					t.Errorf("%+v, %v", claims, err)
				}
				seen[claims.ID] = true
			}
		})
	}
}

func TestAKeyThatIsNoGoodIsRefused(t *testing.T) {
	small, _ := rsa.GenerateKey(rand.Reader, 1024)
	other, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	for name, key := range map[string]latchkey.Secret{
		"small":            sealed(t, small),
		"on another curve": sealed(t, other),
		"no PEM":           latchkey.NewSecret([]byte("MIIB")),
		"no key":           latchkey.NewSecret([]byte("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n")),
	} {
		if _, err := newSigner(key, ""); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
}
