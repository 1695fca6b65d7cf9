package connectortest

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
)

// shortestSecret is the shortest secret that is looked for: shorter ones turn
// up by chance.
const shortestSecret = 6

// holds reports whether a text holds a secret: in clear, in hexadecimal, as it
// stands in a URL, or in base64 at any of its three alignments.
func holds(text string, secret []byte) bool {
	if len(secret) < shortestSecret {
		return false
	}
	forms := []string{
		string(secret), url.QueryEscape(string(secret)), url.PathEscape(string(secret)),
		hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)),
	}
	for shift := range 3 {
		padded := append(make([]byte, shift), secret...)
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			// The letters at both ends mix with the neighbours: only those
			// in between belong to the secret alone.
			whole := encoding.EncodeToString(padded)
			forms = append(forms, whole[(shift*8+5)/6:len(padded)*8/6])
		}
	}
	for _, form := range forms {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}
