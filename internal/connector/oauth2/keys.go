package oauth2

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	keysLife  = time.Hour       // how long keys are believed
	keysRetry = 1 * time.Minute // how old they must be to be asked for again, for an unknown key
	maxKeys   = 64
	minRSA    = 2048 // bits
)

// keySet is the server's public keys. It never changes.
type keySet struct{ keys []jose.JSONWebKey }

// key returns the one key that a token's header means. Where the keys are kept
// and the token names another one, they are asked for again: servers rotate
// them.
func (v *visit) key(ctx context.Context, s *server, header tokenHeader) (*jose.JSONWebKey, error) {
	if known, ok := v.keys.get(v.now, keysLife); ok {
		key, err := known.find(header)
		if _, fresh := v.keys.get(v.now, keysRetry); err == nil || fresh {
			return key, err
		}
	}
	fetched, err := v.fetchKeys(ctx, s.keys)
	if err != nil {
		return nil, err
	}
	v.keys.put(fetched, v.now)
	return fetched.find(header)
}

// fetchKeys asks for the server's keys (RFC 7517, section 5). Those that are
// not public keys for signatures are left out.
func (v *visit) fetchKeys(ctx context.Context, address string) (*keySet, error) {
	a, err := v.fetch(ctx, request{endpoint: "jwks_uri", method: http.MethodGet, address: address})
	if err != nil {
		return nil, err
	}
	if _, err := a.object(); err != nil {
		return nil, err
	}
	var published struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := json.Unmarshal(a.body, &published); err != nil || len(published.Keys) > maxKeys {
		return nil, violated("jwks_uri: want a list of at most %d keys", maxKeys)
	}
	set := &keySet{}
	for _, value := range published.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(value) == nil && key.IsPublic() && key.Valid() && (key.Use == "" || key.Use == "sig") && !weak(key) {
			set.keys = append(set.keys, key)
		}
	}
	return set, nil
}

// weak reports whether a key is too small to be believed.
func weak(key jose.JSONWebKey) bool {
	public, ok := key.Key.(*rsa.PublicKey)
	return ok && (public.N.BitLen() < minRSA || public.N.BitLen() > 8*minRSA)
}

// find returns the key of a header: by its id, or the only one there is.
func (k *keySet) find(header tokenHeader) (*jose.JSONWebKey, error) {
	var found []*jose.JSONWebKey
	for i, key := range k.keys {
		if (header.KeyID == "" || key.KeyID == header.KeyID) && goesWith(key, header.Algorithm) {
			found = append(found, &k.keys[i])
		}
	}
	if len(found) != 1 {
		return nil, violated("ID token: no key, or more than one, goes with its header")
	}
	return found[0], nil
}

// goesWith reports whether a key can have made a signature of the algorithm.
func goesWith(key jose.JSONWebKey, algorithm string) bool {
	if key.Algorithm != "" && key.Algorithm != algorithm {
		return false
	}
	switch key.Key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS")
	case *ecdsa.PublicKey:
		return strings.HasPrefix(algorithm, "ES")
	}
	return algorithm == "EdDSA"
}

// VerifySignature checks a signature with the one key and returns the payload.
// It is the key set of go-oidc's verifier.
func (k *chosenKey) VerifySignature(_ context.Context, raw string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(k.algorithm)})
	if err != nil {
		return nil, errors.New("not a signed token")
	}
	payload, err := signed.Verify(k.key.Key)
	if err != nil {
		return nil, errors.New("the signature is not the server's")
	}
	return payload, nil
}

// chosenKey is the key that a token must be signed with.
type chosenKey struct {
	key       *jose.JSONWebKey
	algorithm string
}
