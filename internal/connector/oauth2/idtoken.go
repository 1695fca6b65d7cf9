package oauth2

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

const (
	clockSkew  = time.Minute      // by which the server's clock may differ
	oldestIDT  = 10 * time.Minute // since an ID token was issued
	maxSubject = 255              // bytes (OpenID Connect Core 1.0, section 2)
	maxKeyID   = 256
)

// tokenHeader is what counts of a JOSE header (RFC 7515, section 4.1).
type tokenHeader struct{ Algorithm, KeyID string }

// idToken is the ID token of a login, checked.
type idToken struct {
	subject string
	claims  object
	raw     []byte // the claims as JSON
}

// verify checks an ID token (OpenID Connect Core 1.0, section 3.1.3.7): first
// by our own rules, which tell the operator what is wrong, then with go-oidc,
// which also checks the signature.
func (v *visit) verify(ctx context.Context, s *server, m memory, t *tokens) (*idToken, error) {
	header, claims, payload, err := splitToken(t.idToken)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(asymmetric, header.Algorithm) || !slices.Contains(s.algorithms, header.Algorithm) {
		return nil, violated("ID token: its algorithm is not one that the server may use")
	}
	if err := v.checkClaims(s, claims); err != nil {
		return nil, err
	}
	if nonce, _ := textOf(claims["nonce"]); m.Nonce == "" || subtle.ConstantTimeCompare([]byte(nonce), []byte(m.Nonce)) != 1 {
		return nil, violated("ID token: the nonce is not this login's")
	}
	key, err := v.key(ctx, s, header)
	if err != nil {
		return nil, err
	}
	verifier := oidc.NewVerifier(s.issuer, &chosenKey{key, header.Algorithm}, &oidc.Config{
		ClientID: v.client.ID, SupportedSigningAlgs: []string{header.Algorithm},
		Now: func() time.Time { return v.now.Add(-clockSkew) },
	})
	verified, err := verifier.Verify(ctx, t.idToken)
	if err != nil {
		return nil, violated("ID token: the signature, or what it signs, is not good")
	}
	if verified.AccessTokenHash != "" && verified.VerifyAccessToken(string(t.access)) != nil {
		return nil, violated("ID token: at_hash is another access token's")
	}
	return &idToken{subject: verified.Subject, claims: claims, raw: payload}, nil
}

// splitToken reads a token's header and claims. Nothing is believed yet.
func splitToken(raw string) (header tokenHeader, claims object, payload []byte, err error) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return header, nil, nil, violated("ID token: missing, or not signed as one is")
	}
	var decoded [2][]byte
	for i := range decoded {
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(parts[i]); err != nil {
			return header, nil, nil, violated("ID token: not base64url")
		}
	}
	members, err := parseObject(decoded[0])
	if err != nil {
		return header, nil, nil, violated("ID token: the header is %v", err)
	}
	if header, err = readHeader(members); err != nil {
		return header, nil, nil, err
	}
	if claims, err = parseObject(decoded[1]); err != nil {
		return header, nil, nil, violated("ID token: the claims are %v", err)
	}
	return header, claims, bytes.Clone(decoded[1]), nil
}

// readHeader refuses a header that brings or points to a key of its own, that
// wants something understood which is not, or that is of another kind of token
// (RFC 8725, sections 3.8 to 3.12).
func readHeader(members object) (tokenHeader, error) {
	for _, name := range []string{"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"} {
		if _, there := members[name]; there {
			return tokenHeader{}, violated("ID token: the header has %s", name)
		}
	}
	if kind, told := members["typ"]; told {
		if named, _ := textOf(kind); !strings.EqualFold(named, "JWT") {
			return tokenHeader{}, violated("ID token: it is another kind of token")
		}
	}
	algorithm, _ := members["alg"].(text)
	id, isText := members["kid"].(text)
	if _, told := members["kid"]; told && (!isText || len(id) == 0 || len(id) > maxKeyID) {
		return tokenHeader{}, violated("ID token: the header's kid is no usable name")
	}
	return tokenHeader{Algorithm: string(algorithm), KeyID: string(id)}, nil
}

// checkClaims checks for whom, by whom and when a token was made.
func (v *visit) checkClaims(s *server, claims object) error {
	if issuer, ok := claims["iss"].(text); !ok || string(issuer) != s.issuer {
		return violated("ID token: another issuer's")
	}
	if err := v.checkAudience(claims); err != nil {
		return err
	}
	if subject, ok := claims["sub"].(text); !ok || len(subject) == 0 || len(subject) > maxSubject {
		return violated("ID token: no usable subject")
	}
	expires, err := timeClaim(claims, "exp")
	if err != nil {
		return err
	}
	issued, err := timeClaim(claims, "iat")
	if err != nil {
		return err
	}
	switch {
	case !expires.After(v.now.Add(-clockSkew)):
		return violated("ID token: it has expired")
	case issued.After(v.now.Add(clockSkew)):
		return violated("ID token: it is from the future")
	case issued.Before(v.now.Add(-oldestIDT)):
		return violated("ID token: it is older than this login")
	case !expires.After(issued):
		return violated("ID token: it has expired before it was issued")
	}
	if _, there := claims["nbf"]; there {
		if from, err := timeClaim(claims, "nbf"); err != nil || from.After(v.now.Add(clockSkew)) {
			return violated("ID token: it is not valid yet")
		}
	}
	return nil
}

// checkAudience checks that a token was made for this client (OpenID Connect
// Core 1.0, section 3.1.3.7, points 3 to 5).
func (v *visit) checkAudience(claims object) error {
	audience := texts(claims["aud"])
	if single, ok := claims["aud"].(text); ok {
		audience = []string{string(single)}
	}
	party, told := claims["azp"]
	named, _ := party.(text)
	switch {
	case !slices.Contains(audience, v.client.ID):
		return violated("ID token: made for another client")
	case told && string(named) != v.client.ID, !told && len(audience) > 1:
		return violated("ID token: the authorized party is another client")
	}
	return nil
}

// timeClaim returns a claim in seconds since 1970.
func timeClaim(claims object, name string) (time.Time, error) {
	told, _ := claims[name].(number)
	seconds, err := strconv.ParseFloat(string(told), 64)
	if err != nil || seconds < 0 || seconds > 1<<40 {
		return time.Time{}, violated("ID token: no usable %s", name)
	}
	return time.Unix(int64(seconds), 0), nil
}

// sameSubject checks an ID token that came with renewed tokens: it must be of
// the same person, from the same issuer and for this client (OpenID Connect
// Core 1.0, section 12.2). It came from the token endpoint itself, over TLS.
func (v *visit) sameSubject(raw, subject string) error {
	_, claims, _, err := splitToken(raw)
	if err != nil {
		return err
	}
	issuer, _ := textOf(claims["iss"])
	renewed, _ := textOf(claims["sub"])
	if issuer != v.config.Issuer || renewed != subject {
		return errors.New("ID token: another person's, or another issuer's")
	}
	return v.checkAudience(claims)
}
