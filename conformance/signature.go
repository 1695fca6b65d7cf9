package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// standardSigned reports whether the three headers with the prefix sign the
// hook with the secret, as Standard Webhooks 1.0.0 says.
func (h hook) standardSigned(prefix, secret string) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(h.header.Get(prefix+"-id") + "." + h.header.Get(prefix+"-timestamp") + "."))
	mac.Write(h.body)
	wanted := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for given := range strings.SplitSeq(h.header.Get(prefix+"-signature"), " ") {
		if hmac.Equal([]byte(given), []byte(wanted)) {
			return true
		}
	}
	return false
}

// ofauthSigned reports whether OFAuth-Signature signs the hook with the
// secret: t=<unix>,v1=<hex HMAC-SHA256 of "{t}.{body}">.
func (h hook) ofauthSigned(secret string) bool {
	first, rest, _ := strings.Cut(h.header.Get("OFAuth-Signature"), ",")
	seconds, found := strings.CutPrefix(first, "t=")
	if !found {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(seconds + "."))
	mac.Write(h.body)
	wanted := "v1=" + hex.EncodeToString(mac.Sum(nil))
	for given := range strings.SplitSeq(rest, ",") {
		if hmac.Equal([]byte(given), []byte(wanted)) {
			return true
		}
	}
	return false
}

// signed fails the row unless every family of headers signs the hook with the
// secret.
func (s *suite) signed(h hook, secret string) {
	for _, prefix := range []string{"webhook", "svix"} {
		if !h.standardSigned(prefix, secret) {
			s.failf("%s-signature does not sign the body with the secret", prefix)
		}
	}
	if !h.ofauthSigned(secret) {
		s.failf("OFAuth-Signature does not sign the body with the secret")
	}
}

// sentAt returns the attempt's own time, or fails the row.
func (s *suite) sentAt(h hook) time.Time {
	seconds, err := strconv.ParseInt(h.header.Get("webhook-timestamp"), 10, 64)
	if err != nil {
		s.failf("webhook-timestamp is %q", h.header.Get("webhook-timestamp"))
	}
	return time.Unix(seconds, 0)
}
