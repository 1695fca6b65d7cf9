package oauth2_test

import (
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/connectortest"
	"latchkey/internal/connector/oauth2"
	"latchkey/internal/latchtest/glewlwydtest"
)

func TestGlewlwyd(t *testing.T) {
	server := glewlwydtest.Start(t)
	person := glewlwydtest.User{Username: "jo", Password: "jos-password-42", Name: "Jo Doe", Email: "jo@example.com"}
	server.CreateUser(t, person)
	peer := server.EnableOIDC(t, person, callbackURL)
	config, err := oauth2.Parse("glewlwyd.yaml", []byte(strings.ReplaceAll(`
id: glewlwyd
name: Glewlwyd
domain: glewlwyd.example
issuer: ISSUER
scopes: [openid]
api: {base_url: ISSUER/userinfo}
`, "ISSUER", peer.Issuer)))
	if err != nil {
		t.Fatal(err)
	}
	client := oauth2.Client{ID: peer.ID, Secret: latchkey.NewSecret([]byte(peer.Secret))}
	connectortest.Run(t, connectortest.Case{
		New: func(func() time.Time) connector.Connector {
			c, err := oauth2.New(config, client, oauth2.Options{Development: true})
			if err != nil {
				t.Fatal(err)
			}
			return c
		},
		Start: time.Now(), HTTP: noFollow(), CallbackURL: callbackURL,
		Walk: []connectortest.Submission{{Callback: peer.Authorize}},
	})
}
