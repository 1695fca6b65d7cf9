package vault

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/vault/seal"
)

// maxTransitAnswer bounds an answer of the service, in bytes.
const maxTransitAnswer = 64 << 10

// TransitConfig says where a key management service is that speaks the API of
// HashiCorp Vault's transit engine, as OpenBao does.
type TransitConfig struct {
	URL    *url.URL // of the server, without /v1
	Mount  string   // where the engine is mounted, like "transit"
	Key    string   // the name of an encryption key there, of a type that takes associated data
	Token  func() (latchkey.Secret, error)
	Client *http.Client
}

// Transit wraps data keys by a key that never leaves the service.
type Transit struct{ config TransitConfig }

// NewTransit returns a client of the service. It asks nothing yet.
func NewTransit(config TransitConfig) *Transit { return &Transit{config: config} }

// Wrap has the service encrypt a data key (POST /v1/<mount>/encrypt/<key>).
func (t *Transit) Wrap(ctx context.Context, b seal.Binding, key []byte) ([]byte, error) {
	encoded := make([]byte, base64.StdEncoding.EncodedLen(len(key)))
	defer clear(encoded)
	base64.StdEncoding.Encode(encoded, key)
	answer, err := t.ask(ctx, "encrypt", "plaintext", encoded, b)
	if err != nil {
		return nil, err
	}
	defer clear(answer)
	var said struct {
		Data struct {
			Ciphertext string `json:"ciphertext"`
		} `json:"data"`
	}
	if err := json.Unmarshal(answer, &said); err != nil || !strings.HasPrefix(said.Data.Ciphertext, "vault:v") {
		return nil, errors.New("the KMS answered encrypt with something else than a ciphertext: is kms.url its address?")
	}
	return []byte(said.Data.Ciphertext), nil
}

// Unwrap has the service decrypt what Wrap returned (POST
// /v1/<mount>/decrypt/<key>).
func (t *Transit) Unwrap(ctx context.Context, b seal.Binding, wrapped []byte) ([]byte, error) {
	if !isTransitText(wrapped) {
		return nil, seal.ErrOpen
	}
	answer, err := t.ask(ctx, "decrypt", "ciphertext", wrapped, b)
	if err != nil {
		return nil, err
	}
	defer clear(answer)
	var said struct {
		Data struct {
			Plaintext []byte `json:"plaintext"`
		} `json:"data"`
	}
	if err := json.Unmarshal(answer, &said); err != nil || len(said.Data.Plaintext) == 0 {
		return nil, errors.New("the KMS answered decrypt with something else than a plaintext: is kms.url its address?")
	}
	return said.Data.Plaintext, nil
}

// isTransitText reports whether wrapped is of the alphabet of a ciphertext of
// the engine ("vault:v1:" and base64), and so may stand in JSON as it is.
func isTransitText(wrapped []byte) bool {
	return bytes.HasPrefix(wrapped, []byte("vault:v")) && !bytes.ContainsFunc(wrapped, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("+/=:", r)
	})
}

// ask sends one field and the binding as associated data, and returns the
// answer. No text of an answer is in an error.
func (t *Transit) ask(ctx context.Context, verb, field string, value []byte, b seal.Binding) ([]byte, error) {
	token, err := t.config.Token()
	if err != nil {
		return nil, fmt.Errorf("read kms.token_file: %w", err)
	}
	defer token.Zero()
	bound := base64.StdEncoding.EncodeToString(b.AssociatedData())
	body := make([]byte, 0, len(value)+len(bound)+64)
	defer func() { clear(body[:cap(body)]) }()
	body = append(append(append(append(body, `{"`...), field...), `":"`...), value...)
	body = append(append(append(body, `","associated_data":"`...), bound...), `"}`...)
	where := t.config.URL.JoinPath("v1", t.config.Mount, verb, t.config.Key)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, where.String(), connector.NewSecretBody(body))
	if err != nil {
		return nil, fmt.Errorf("ask the KMS to %s: %w", verb, err)
	}
	request.ContentLength = int64(len(body))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Vault-Token", string(token.Reveal()))
	request.Header.Set("X-Vault-Request", "true")
	response, err := t.config.Client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("the KMS can't be reached; check kms.url, the network and kms.ca_file: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxTransitAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the answer of the KMS: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		clear(answer)
		return nil, t.refusal(verb, response.StatusCode)
	}
	return answer, nil
}

// refusal says what a status of the service means here, and the way out.
// https://developer.hashicorp.com/vault/api-docs, "HTTP status codes".
func (t *Transit) refusal(verb string, status int) error {
	path := t.config.Mount + "/" + verb + "/" + t.config.Key
	switch status {
	case http.StatusBadRequest:
		return fmt.Errorf("the KMS refuses to %s with the key %q (400): is there such a key, of type aes256-gcm96, and are all its versions that were used still allowed?",
			verb, t.config.Key)
	case http.StatusForbidden:
		return fmt.Errorf("the KMS refuses the token (403): renew the one in kms.token_file, or let its policy allow update on %s", path)
	case http.StatusNotFound:
		return fmt.Errorf("the KMS has no %s (404): enable the transit engine at kms.mount", path)
	case http.StatusTooManyRequests:
		return fmt.Errorf("the KMS is asked too often (429): raise its rate limit for %s", path)
	case http.StatusServiceUnavailable:
		return errors.New("the KMS is sealed or in maintenance (503): unseal it")
	}
	return fmt.Errorf("the KMS failed to %s (%d): see its log", verb, status)
}
