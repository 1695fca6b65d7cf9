package latchkey

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The ways in which a message is no webhook of the server's. A receiver
// answers all of them alike.
var (
	ErrWebhookUnsigned  = errors.New("latchkey: the webhook is not signed, or its headers are malformed")
	ErrWebhookSignature = errors.New("latchkey: the webhook's signature is not of this secret")
	ErrWebhookExpired   = errors.New("latchkey: the webhook's timestamp is too far off")
)

// errWebhookSecret says nothing about the secret but that it is none.
var errWebhookSecret = errors.New("latchkey: a webhook secret is whsec_ and base64 of 24 to 64 bytes")

// defaultTolerance is how far a webhook's timestamp may be off, both ways.
const defaultTolerance = 5 * time.Minute

// prefixWebhookSecret begins every signing secret.
const prefixWebhookSecret = "whsec_" //nolint:gosec // what a secret begins with

// VerifyWebhook checks that the body, byte for byte as it came, was signed
// lately with one of the endpoint's secrets, and reads it. During a rotation
// there are two secrets. The tolerance is how far the timestamp may be off,
// both ways; 0 is five minutes.
//
// Of the signatures that the headers carry it takes the first of Standard
// Webhooks 1.0.0 (webhook-id, webhook-timestamp, webhook-signature), the same
// as svix-…, and OFAuth-Signature; when that one fails no other is tried.
// A webhook may come more than once: remember the Event's ID.
func VerifyWebhook(body []byte, header http.Header, secrets []string, tolerance time.Duration) (*Event, error) {
	if len(secrets) == 0 {
		return nil, errors.New("latchkey: there is no webhook secret")
	}
	if tolerance <= 0 {
		tolerance = defaultTolerance
	}
	message, err := readSigned(header)
	if err != nil {
		return nil, err
	}
	good := false
	for _, secret := range secrets {
		key, err := signingKey(secret)
		if err != nil {
			return nil, err
		}
		if message.id == "" {
			key = []byte(secret) // OFAuth-Signature
		}
		good = message.isSignedBy(key, body) || good
	}
	if !good {
		return nil, ErrWebhookSignature
	}
	if time.Since(time.Unix(message.seconds, 0)).Abs() > tolerance {
		return nil, ErrWebhookExpired
	}
	var event Event
	if err := json.Unmarshal(body, &event); err != nil {
		return nil, fmt.Errorf("latchkey: the webhook is signed but no event: %w", err)
	}
	return &event, nil
}

// signed is what the headers say of a message.
type signed struct {
	id         string // empty: OFAuth-Signature, which signs none
	timestamp  string // as it was signed
	seconds    int64  // since 1970
	signatures [][]byte
}

// readSigned reads the first signature that the headers carry.
func readSigned(header http.Header) (signed, error) {
	for _, prefix := range []string{"Webhook-", "Svix-"} {
		if list := header.Get(prefix + "Signature"); list != "" {
			message := signed{id: header.Get(prefix + "Id"), timestamp: header.Get(prefix + "Timestamp")}
			if message.id == "" || strings.Contains(message.id, ".") { // which separates the parts of what is signed
				return message, ErrWebhookUnsigned
			}
			for one := range strings.FieldsSeq(list) {
				if text, ok := strings.CutPrefix(one, "v1,"); ok {
					message.add(base64.StdEncoding.DecodeString(text))
				}
			}
			return message.check()
		}
	}
	var message signed
	for part := range strings.SplitSeq(header.Get("Ofauth-Signature"), ",") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(part), "="); name {
		case "t":
			message.timestamp = value
		case "v1":
			message.add(hex.DecodeString(value))
		}
	}
	return message.check()
}

// add keeps a signature that could be decoded; of others none could be good.
func (s *signed) add(signature []byte, err error) {
	if err == nil {
		s.signatures = append(s.signatures, signature)
	}
}

// check refuses headers with which nothing can be verified.
func (s signed) check() (signed, error) {
	seconds, err := strconv.ParseInt(s.timestamp, 10, 64)
	if err != nil || seconds < 0 || len(s.signatures) == 0 {
		return s, ErrWebhookUnsigned
	}
	s.seconds = seconds
	return s, nil
}

// isSignedBy reports whether one of the signatures is the key's, in a time
// that tells nothing of how close the others are.
func (s signed) isSignedBy(key, body []byte) bool {
	mac := hmac.New(sha256.New, key)
	if s.id != "" {
		mac.Write([]byte(s.id + "."))
	}
	mac.Write([]byte(s.timestamp + "."))
	mac.Write(body)
	want := mac.Sum(nil)
	good := false
	for _, signature := range s.signatures {
		good = hmac.Equal(signature, want) || good
	}
	return good
}

// signingKey returns the bytes behind whsec_ (Standard Webhooks 1.0.0,
// "Signature scheme").
func signingKey(secret string) ([]byte, error) {
	text, ok := strings.CutPrefix(secret, prefixWebhookSecret)
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errWebhookSecret
	}
	return key, nil
}
