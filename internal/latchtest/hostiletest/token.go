package hostiletest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"time"
)

// token exchanges codes and refresh tokens.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	mode := s.bent()
	if r.Form.Get("grant_type") == "refresh_token" {
		s.renew(w, r)
		return
	}
	found, refused := s.redeem(r)
	if refused != "" {
		answer(w, http.StatusBadRequest, members{"error": refused, "error_description": "its code: " + r.Form.Get("code")})
		return
	}
	access := "at-" + rand.Text()
	s.mu.Lock()
	s.bearers[access] = found
	s.mu.Unlock()
	issued := members{
		"access_token": access, "token_type": "Bearer", "expires_in": 3600, "refresh_token": "rt-" + rand.Text(), "scope": found.scope,
	}
	if strings.Contains(found.scope, "openid") {
		issued["id_token"] = s.idToken(mode, found, access)
	}
	if mode.Token != nil {
		mode.Token(issued)
	}
	if mode.TokenText != "" {
		_, _ = w.Write([]byte(mode.TokenText))
		return
	}
	answer(w, http.StatusOK, issued)
}

// renew answers a refresh token with a new access token and no refresh token.
func (s *Server) renew(w http.ResponseWriter, r *http.Request) {
	if _, ok := client(r); !ok {
		answer(w, http.StatusUnauthorized, members{"error": "invalid_client"})
		return
	}
	access := "at-" + rand.Text()
	s.mu.Lock()
	s.bearers[access] = &grant{scope: "openid", client: ClientID}
	s.mu.Unlock()
	issued := members{"access_token": access, "token_type": "bearer", "expires_in": 3600}
	mode := s.bent()
	if mode.Token != nil {
		mode.Token(issued)
	}
	if mode.TokenText != "" {
		status := mode.TokenStatus
		if status == 0 {
			status = http.StatusOK
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(mode.TokenText))
		return
	}
	answer(w, http.StatusOK, issued)
}

// userinfo tells who a bearer is.
func (s *Server) userinfo(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	known := s.bearers[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	s.mu.Unlock()
	if known == nil {
		answer(w, http.StatusUnauthorized, members{"error": "invalid_token"})
		return
	}
	who := members{"sub": Subject, "name": "Jo Doe", "preferred_username": "jo", "picture": "https://example.com/jo.png"}
	if bend := s.bent().Userinfo; bend != nil {
		bend(who)
	}
	answer(w, http.StatusOK, who)
}

// revoke forgets a token.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	if bend := s.bent().Revoke; bend != nil {
		bend(w, r)
		return
	}
	s.mu.Lock()
	delete(s.bearers, r.Form.Get("token"))
	s.mu.Unlock()
	w.WriteHeader(http.StatusOK)
}

// keySet publishes the keys.
func (s *Server) keySet(w http.ResponseWriter, _ *http.Request) {
	encode := base64.RawURLEncoding.EncodeToString
	point, err := s.curve.PublicKey.Bytes()
	if err != nil {
		s.Error(err)
		return
	}
	published := members{"keys": []any{
		public(&s.key.PublicKey, "key1"), public(&s.small.PublicKey, "small"),
		members{"kty": "EC", "crv": "P-256", "kid": "curve", "use": "sig", "x": encode(point[1:33]), "y": encode(point[33:])},
		members{"kty": "oct", "kid": "oct", "k": encode([]byte("a symmetric key that is known to all"))},
		members{"kty": "moon", "kid": "unreadable"},
	}}
	if bend := s.bent().Keys; bend != nil {
		bend(s, published)
	}
	answer(w, http.StatusOK, published)
}

// public returns a key as a JWK.
func public(key *rsa.PublicKey, id string) members {
	encode := base64.RawURLEncoding.EncodeToString
	return members{"kty": "RSA", "kid": id, "use": "sig", "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes())}
}

// idToken makes an ID token, as the mode wants it.
func (s *Server) idToken(mode Mode, found *grant, access string) string {
	now := time.Now()
	sum := sha256.Sum256([]byte(access))
	header := members{"alg": "RS256", "kid": "key1", "typ": "JWT"}
	claims := members{
		"iss": s.URL, "aud": found.client, "sub": Subject, "nonce": found.nonce, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]),
	}
	if mode.Claims != nil {
		mode.Claims(claims)
	}
	if mode.Header != nil {
		mode.Header(s, header)
	}
	head, _ := json.Marshal(header)
	body, _ := json.Marshal(claims)
	if mode.Body != nil {
		body = mode.Body(body)
	}
	encode := base64.RawURLEncoding.EncodeToString
	input := encode(head) + "." + encode(body)
	sign := mode.Sign
	if sign == nil {
		sign = honest
	}
	return sign(s, input)
}

// honest signs as the header says.
func honest(s *Server, input string) string { return signRSA(s.key, input) }

// signRSA signs with RS256.
func signRSA(key *rsa.PrivateKey, input string) string {
	sum := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// signHMAC signs with HS256.
func signHMAC(key []byte, input string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// signECDSA signs with ES256.
func signECDSA(key *ecdsa.PrivateKey, input string) string {
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		panic(err)
	}
	size := (elliptic.P256().Params().BitSize + 7) / 8
	signature := make([]byte, 2*size)
	r.FillBytes(signature[:size])
	s.FillBytes(signature[size:])
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}
