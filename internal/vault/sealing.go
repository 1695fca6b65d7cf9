package vault

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"

	"latchkey"
	"latchkey/internal/vault/seal"
)

// SealFlow seals what a connector wants to remember of a session between
// steps.
func (v *Vault) SealFlow(organisationID, sessionID string, state []byte) ([]byte, error) {
	sealed, err := v.config.Keys.Seal(flowBinding(organisationID, sessionID), state)
	if err != nil {
		return nil, fmt.Errorf("seal flow of %s: %w", sessionID, err)
	}
	return sealed, nil
}

// OpenFlow is the inverse of SealFlow.
func (v *Vault) OpenFlow(organisationID, sessionID string, sealed []byte) ([]byte, error) {
	state, err := v.config.Keys.Open(flowBinding(organisationID, sessionID), sealed)
	if err != nil {
		return nil, fmt.Errorf("open flow of %s: %w", sessionID, err)
	}
	return state, nil
}

// SealCredential seals a connection's credential. There is no public inverse:
// Open is.
func (v *Vault) SealCredential(organisationID, connectionID string, secret []byte) ([]byte, error) {
	sealed, err := v.config.Keys.Seal(credentialBinding(organisationID, connectionID), secret)
	if err != nil {
		return nil, fmt.Errorf("seal credential of %s: %w", connectionID, err)
	}
	return sealed, nil
}

// SealClientSecret seals a session's client secret, for the one init that may
// be asked for again.
func (v *Vault) SealClientSecret(organisationID, sessionID string, secret []byte) ([]byte, error) {
	sealed, err := v.config.Keys.Seal(clientSecretBinding(organisationID, sessionID), secret)
	if err != nil {
		return nil, fmt.Errorf("seal client secret of %s: %w", sessionID, err)
	}
	return sealed, nil
}

// OpenClientSecret is the inverse of SealClientSecret.
func (v *Vault) OpenClientSecret(organisationID, sessionID string, sealed []byte) ([]byte, error) {
	secret, err := v.config.Keys.Open(clientSecretBinding(organisationID, sessionID), sealed)
	if err != nil {
		return nil, fmt.Errorf("open client secret of %s: %w", sessionID, err)
	}
	return secret, nil
}

// Fingerprint returns a keyed hash (HMAC-SHA-256, base64url) of a text. Texts
// of different kinds never share one.
func (v *Vault) Fingerprint(kind, text string) string {
	mac := hmac.New(sha256.New, v.config.FingerprintKey)
	_, _ = io.WriteString(mac, kind+"\x00"+text)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// SealEndpointSecret seals the signing secret of a webhook endpoint.
func (v *Vault) SealEndpointSecret(organisationID, endpointID string, secret []byte) ([]byte, error) {
	sealed, err := v.config.Keys.Seal(endpointBinding(organisationID, endpointID), secret)
	if err != nil {
		return nil, fmt.Errorf("seal secret of %s: %w", endpointID, err)
	}
	return sealed, nil
}

// OpenEndpointSecret opens the signing secret of a webhook endpoint, for the
// deliverer alone. Zero it after signing.
func (v *Vault) OpenEndpointSecret(endpoint latchkey.WebhookEndpoint) (latchkey.Secret, error) {
	secret, err := v.config.Keys.Open(endpointBinding(endpoint.OrganisationID, endpoint.ID), endpoint.SealedSecret)
	if err != nil {
		return latchkey.Secret{}, fmt.Errorf("open secret of %s: %w", endpoint.ID, err)
	}
	return latchkey.NewSecret(secret), nil
}

func flowBinding(organisationID, sessionID string) seal.Binding {
	return seal.Binding{Organisation: organisationID, Subject: sessionID, Field: fieldFlow, Schema: schema}
}

func clientSecretBinding(organisationID, sessionID string) seal.Binding {
	return seal.Binding{Organisation: organisationID, Subject: sessionID, Field: fieldClientSecret, Schema: schema}
}

func credentialBinding(organisationID, connectionID string) seal.Binding {
	return seal.Binding{Organisation: organisationID, Subject: connectionID, Field: fieldCredential, Schema: schema}
}

func endpointBinding(organisationID, endpointID string) seal.Binding {
	return seal.Binding{Organisation: organisationID, Subject: endpointID, Field: fieldEndpointSecret, Schema: schema}
}
