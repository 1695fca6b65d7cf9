package connectortest

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"testing"
)

func TestASecretIsFoundHoweverItIsWritten(t *testing.T) {
	const secret = "p4ss wörd/+?&="
	for name, write := range map[string]func(string) string{
		"in clear":       func(s string) string { return "before " + s + " after" },
		"in hexadecimal": func(s string) string { return hex.EncodeToString([]byte("x" + s)) },
		"in a query":     func(s string) string { return "?" + url.Values{"p": {s}}.Encode() },
		"in a path":      func(s string) string { return "/" + url.PathEscape(s) },
	} {
		t.Run(name, func(t *testing.T) {
			if !holds(write(secret), []byte(secret)) {
				t.Error("it was not")
			}
		})
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		for _, before := range []string{"", "a", "ab", "abc", "user:"} {
			for _, after := range []string{"", "z", "zy"} {
				if !holds(encoding.EncodeToString([]byte(before+secret+after)), []byte(secret)) {
					t.Errorf("not in base64 between %q and %q", before, after)
				}
			}
		}
	}
}

func TestWhatIsNoSecretIsNotFound(t *testing.T) {
	if holds("an innocent text about 12345", []byte("another secret")) {
		t.Error("another text was taken for the secret")
	}
	if holds("an innocent text about 12345", []byte("12345")) || holds("anything", nil) {
		t.Error("something too short was looked for")
	}
}
