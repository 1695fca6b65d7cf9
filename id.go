package latchkey

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"
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
	timeLength   = 8  // 62^8 milliseconds are 6,900 years
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

// NewTimedID returns the prefix, the millisecond, and at least 83 random bits, in
// base 62 and as long as another id: one of what there are millions of. Such ids
// sort by time, so that the rows and the index entries of a moment lie side by
// side in a database, however large it is (the reason of UUID version 7, RFC 9562
// section 5.7).
func NewTimedID(random io.Reader, prefix string, now time.Time) string {
	return randomText(random, prefix+millisecond(now), idLength-timeLength)
}

// NewClientSecret returns a secret that opens a session: the millisecond, which
// is not secret, and at least 256 random bits in base 62. Store only its
// HashClientSecret.
func NewClientSecret(random io.Reader, now time.Time) string {
	return randomText(random, PrefixClientSecret+millisecond(now), secretLength)
}

// millisecond returns a time in base 62, with leading zeros. Times before 1970 are 0.
func millisecond(now time.Time) string {
	var text [timeLength]byte
	left := max(0, now.UnixMilli())
	for i := timeLength - 1; i >= 0; i-- {
		text[i] = alphabet[left%62]
		left /= 62
	}
	return string(text[:])
}

// randomText returns the prefix and n letters of the alphabet, drawn without
// bias: bytes of 248 (the largest multiple of 62 in a byte) and above are thrown
// away. It panics when the source fails, since nothing safe can be done without
// randomness.
func randomText(random io.Reader, prefix string, n int) string {
	var space [72]byte
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

// HashClientSecret returns HashSecret behind the millisecond of the client secret,
// if it has one: what is stored of it sorts by time.
func HashClientSecret(secret string) string {
	rest := strings.TrimPrefix(secret, PrefixClientSecret)
	return rest[:max(0, min(timeLength, len(rest)-secretLength))] + HashSecret(secret)
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
