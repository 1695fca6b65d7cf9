package latchkey

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
)

// The prefixes of ids. What follows is only [0-9A-Za-z].
const (
	PrefixOrganisation    = "org_"
	PrefixKey             = "key_"
	PrefixClientApp       = "app_"
	PrefixSession         = "ls_"    // names a session, is not secret
	PrefixClientSecret    = "cs_"    // opens a session; 256 random bits
	PrefixConnection      = "conn_"  //
	PrefixRequest         = "req_"   //
	PrefixEvent           = "evt_"   //
	PrefixWebhookEndpoint = "we_"    //
	PrefixWebhookSecret   = "whsec_" // followed by base64, as Standard Webhooks says
	PrefixSandboxKey      = "sk_sandbox_"
	PrefixLiveKey         = "sk_live_"
)

const (
	idLength     = 22 // 62^22 > 2^130
	secretLength = 43 // 62^43 > 2^256
	alphabet     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// NewID returns the prefix with at least 130 random bits in base 62.
func NewID(random io.Reader, prefix string) string {
	return randomText(random, prefix, idLength)
}

// NewSecretID returns the prefix with at least 256 random bits in base 62: a
// client secret or an API key. Store only its HashSecret.
func NewSecretID(random io.Reader, prefix string) string {
	return randomText(random, prefix, secretLength)
}

// randomText returns the prefix and n letters of the alphabet, drawn without
// bias: bytes of 248 (the largest multiple of 62 in a byte) and above are thrown
// away. It panics when the source fails, since nothing safe can be done without
// randomness.
func randomText(random io.Reader, prefix string, n int) string {
	var space [64]byte
	text := append(space[:0], prefix...)
	n += len(text)
	var pool [64]byte
	for len(text) < n {
		if _, err := io.ReadFull(random, pool[:]); err != nil {
			panic(fmt.Sprintf("read randomness: %v", err))
		}
		for _, b := range pool {
			if b < 248 && len(text) < n {
				text = append(text, alphabet[b%62])
			}
		}
	}
	return string(text)
}

// HashSecret returns the base64url SHA-256 of a client secret or key: what is
// stored and looked up in its place.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	var text [43]byte // 32 bytes in base64
	base64.RawURLEncoding.Encode(text[:], sum[:])
	return string(text[:])
}

// ValidID reports whether id is the prefix followed by 1 to 64 characters of
// [0-9A-Za-z].
func ValidID(id, prefix string) bool {
	rest, found := strings.CutPrefix(id, prefix)
	if !found || rest == "" || len(rest) > 64 {
		return false
	}
	for i := range len(rest) {
		c := rest[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}
