package oidcpeertest_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/connectortest"
	"latchkey/internal/connector/oauth2"
	"latchkey/internal/latchtest/oidcpeertest"
)

// registration is a client with what it authenticates itself with.
type registration struct {
	oidcpeertest.Client
	key   crypto.Signer
	lines string // of the provider's file
}

// registrations are one client for every way.
func registrations(t *testing.T) []registration {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	curveKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const secret = "a secret: with + odd/signs & a length of forty"
	keyed := func(algorithm string, key crypto.Signer) registration {
		return registration{key: key, Client: oidcpeertest.Client{
			ID: "with-" + strings.ToLower(algorithm), Authentication: "private_key_jwt", Algorithm: algorithm, Keys: published(t, key, algorithm),
		}}
	}
	return []registration{
		{Client: oidcpeertest.Client{ID: "with-basic", Secret: secret, Authentication: "client_secret_basic"}},
		{Client: oidcpeertest.Client{ID: "with-post", Secret: secret, Authentication: "client_secret_post", IDToken: "RS256"}},
		{Client: oidcpeertest.Client{ID: "with-nothing", Authentication: "none"}},
		{Client: oidcpeertest.Client{ID: "with-par", Secret: secret, Authentication: "client_secret_basic", Pushed: true},
			lines: "pushed_authorization_request_endpoint: ISSUER/request\n"},
		keyed("RS256", rsaKey), keyed("ES256", curveKey), keyed("EdDSA", edKey),
	}
}

// published returns the public key as a key set.
func published(t *testing.T, key crypto.Signer, algorithm string) map[string]any {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Use: "sig", Algorithm: algorithm}}})
	if err != nil {
		t.Fatal(err)
	}
	var set map[string]any
	if err := json.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	return set
}

// connector returns a connector for the client.
func (r registration) connector(t *testing.T, issuer string) connector.Connector {
	t.Helper()
	text := "id: peer\nname: Peer\ndomain: peer.example\nissuer: ISSUER\nscopes: [openid, profile, offline_access]\n" +
		"authorization_parameters: {prompt: consent}\nclient_authentication: " + r.Authentication + "\napi: {base_url: ISSUER/me}\n" + r.lines
	config, err := oauth2.Parse("peer.yaml", []byte(strings.ReplaceAll(text, "ISSUER", issuer)))
	if err != nil {
		t.Fatal(err)
	}
	client := oauth2.Client{ID: r.ID}
	if r.Secret != "" {
		client.Secret = latchkey.NewSecret([]byte(r.Secret))
	}
	if r.key != nil {
		der, err := x509.MarshalPKCS8PrivateKey(r.key)
		if err != nil {
			t.Fatal(err)
		}
		client.PrivateKey, client.KeyID = latchkey.NewSecret(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "k1"
	}
	c, err := oauth2.New(config, client, oauth2.Options{Development: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestACertifiedProviderIsLinkedInEveryWay(t *testing.T) {
	all := registrations(t)
	clients := make([]oidcpeertest.Client, len(all))
	for i, r := range all {
		clients[i] = r.Client
	}
	peer := oidcpeertest.Start(t, clients...)
	way := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(way.CloseIdleConnections)
	refused := 0
	for _, r := range all {
		linked := t.Run(r.ID, func(t *testing.T) {
			connectortest.Run(t, connectortest.Case{
				New:   func(func() time.Time) connector.Connector { return r.connector(t, peer.URL) },
				Start: time.Now(), HTTP: way, CallbackURL: oidcpeertest.CallbackURL,
				Walk: []connectortest.Submission{{Callback: peer.Follow}},
			})
		})
		if !linked {
			refused++
		}
	}
	fmt.Printf("RESULT R-12.oidc-provider %d 0\n", refused)
	t.Run("a refresh token that was used before ends the connection", func(t *testing.T) {
		reuse(t, all[0].connector(t, peer.URL), peer, way)
	})
}

// reuse renews a connection twice with the same refresh token: the server
// rotates them and takes the second use for a theft (RFC 9700, section 4.14).
func reuse(t *testing.T, c connector.Connector, peer *oidcpeertest.Peer, way *http.Client) {
	flow := connector.Flow{CallbackURL: oidcpeertest.CallbackURL, RedirectState: "the-state-of-this-login", HTTP: way, Now: time.Now()}
	step, err := c.Advance(t.Context(), flow, connector.Input{})
	if err != nil {
		t.Fatal(err)
	}
	redirect := step.(connector.Redirect)
	query, err := peer.Follow(t.Context(), redirect.URL)
	if err != nil {
		t.Fatal(err)
	}
	flow.State = redirect.State
	step, err = c.Advance(t.Context(), flow, connector.Input{Action: latchkey.ActionCallback, Query: query})
	if err != nil {
		t.Fatal(err)
	}
	old := step.(connector.Done).Credential.Secret
	renew := func() (connector.Credential, error) {
		return c.(connector.Refresher).Refresh(t.Context(), connector.Access{Credential: bytes.Clone(old), HTTP: way, Now: time.Now()})
	}
	if renewed, err := renew(); err != nil || bytes.Equal(renewed.Secret, old) {
		t.Fatalf("the first renewal: %v", err)
	}
	if _, err := renew(); !errors.Is(err, connector.ErrDead) || connector.ReasonOf(err) != connector.DeadRevoked {
		t.Errorf("the second renewal: %v", err)
	}
}
