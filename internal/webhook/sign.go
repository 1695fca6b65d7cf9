package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"latchkey"
)

// The sizes of a signing key in bytes (Standard Webhooks 1.0.0, "Signature
// scheme"), and of the keys made here.
const (
	minKey = 24
	maxKey = 64
	newKey = 32
)

// maxID bounds a webhook-id.
const maxID = 255

// errMalformedSecret says nothing about the secret but that it is none.
var errMalformedSecret = errors.New("malformed webhook secret")

// NewSecret makes the signing secret of an endpoint: whsec_ and the base64 of
// 32 random bytes. It panics when the source fails, since nothing safe can be
// done without randomness.
func NewSecret(random io.Reader) latchkey.Secret {
	var key [newKey]byte
	defer clear(key[:])
	if _, err := io.ReadFull(random, key[:]); err != nil {
		panic(fmt.Sprintf("read randomness: %v", err))
	}
	text := make([]byte, 0, len(latchkey.PrefixWebhookSecret)+base64.StdEncoding.EncodedLen(newKey))
	text = append(text, latchkey.PrefixWebhookSecret...)
	return latchkey.NewSecret(base64.StdEncoding.AppendEncode(text, key[:]))
}

// Sign sets the headers that let a receiver check one attempt: webhook-id,
// webhook-timestamp and webhook-signature (Standard Webhooks 1.0.0), the same
// three as svix-…, and OFAuth-Signature. The id names the event and stays the
// same at every attempt; the time is the attempt's. The bytes signed must be
// the bytes sent. During a rotation each of the secrets signs, and a receiver
// that knows either is content.
//
// On an error (no secret, a malformed one, an id that could be mistaken for
// more than an id) no header is set: such an attempt must not be sent.
func Sign(header http.Header, id string, at time.Time, body []byte, secrets ...latchkey.Secret) error {
	if !validID(id) {
		return errors.New("malformed webhook id")
	}
	if len(secrets) == 0 {
		return errors.New("no webhook secret to sign with")
	}
	seconds := strconv.FormatInt(at.Unix(), 10)
	standard := make([]string, 0, len(secrets))
	ofauth := "t=" + seconds
	for _, secret := range secrets {
		key, err := signingKey(secret)
		if err != nil {
			return err
		}
		sum := authenticate(key, body, id, seconds)
		clear(key)
		standard = append(standard, "v1,"+base64.StdEncoding.EncodeToString(sum))
		ofauth += ",v1=" + hex.EncodeToString(authenticate(secret.Reveal(), body, seconds))
	}
	signatures := strings.Join(standard, " ")
	for _, prefix := range []string{"Webhook-", "Svix-"} {
		header.Set(prefix+"Id", id)
		header.Set(prefix+"Timestamp", seconds)
		header.Set(prefix+"Signature", signatures)
	}
	header.Set("OFAuth-Signature", ofauth)
	return nil
}

// authenticate returns the HMAC-SHA256 of the parts and the body, each part
// followed by a full stop.
func authenticate(key, body []byte, parts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		_, _ = io.WriteString(mac, part+".") // a hash never fails to write
	}
	_, _ = mac.Write(body)
	return mac.Sum(nil)
}

// signingKey returns the bytes behind whsec_. The caller zeroes them.
func signingKey(secret latchkey.Secret) ([]byte, error) {
	text := secret.Reveal()
	const prefix = latchkey.PrefixWebhookSecret
	if len(text) <= len(prefix) || string(text[:len(prefix)]) != prefix {
		return nil, errMalformedSecret
	}
	key, err := base64.StdEncoding.Strict().AppendDecode(nil, text[len(prefix):])
	if err != nil || len(key) < minKey || len(key) > maxKey {
		clear(key)
		return nil, errMalformedSecret
	}
	return key, nil
}

// validID reports whether the id is visible ASCII without a full stop, which
// separates the parts of what is signed.
func validID(id string) bool {
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' || id[i] == '.' {
			return false
		}
	}
	return id != "" && len(id) <= maxID
}
