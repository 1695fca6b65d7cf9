package tape

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// spelling is one way in which a text can stand in an exchange.
type spelling func(string) string

// spellings are the ways in which a value is written whole: what is replaced,
// each by the same spelling of its stand-in.
var spellings = []spelling{
	func(s string) string { return s },
	url.QueryEscape,
	url.PathEscape,
	func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "%2A", "*") }, // as forms are (URL standard, 5.2)
	func(s string) string { return lowerEscapes(url.QueryEscape(s)) },
	func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
	inJSON,
	func(s string) string { return escapedJSON(inJSON(s)) },
	html.EscapeString,
	func(s string) string {
		return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#039;").Replace(s)
	},
	func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) },
	func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	func(s string) string { return hex.EncodeToString([]byte(s)) },
	func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
}

// lowerEscapes writes the hexadecimal digits of percent escapes small.
func lowerEscapes(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], strings.ToLower(string(b[i+1:i+3])))
		}
	}
	return string(b)
}

// inJSON writes a text as it stands between the quotes of a JSON string.
func inJSON(s string) string {
	quoted, err := jsontext.AppendQuote(nil, s)
	if err != nil || len(quoted) < 2 {
		return s
	}
	return string(quoted[1 : len(quoted)-1])
}

// escapedJSON escapes what many encoders do in a JSON string for HTML's sake.
func escapedJSON(s string) string {
	return strings.NewReplacer("&", `\u0026`, "<", `\u003c`, ">", `\u003e`, "'", `\u0027`, "/", `\/`).Replace(s)
}

// shortestPiece is the shortest piece of base64 that is looked for, in bytes:
// shorter ones turn up by chance.
const shortestPiece = 6

// traces returns what would betray a value in a text: every spelling, and the
// middle of its base64 at each of the three alignments, as it stands within a
// longer encoded text.
func traces(value string) []string {
	var found []string
	for _, spell := range spellings {
		found = append(found, spell(value))
	}
	for shift := range 3 {
		padded := append(make([]byte, shift), value...)
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			whole := encoding.EncodeToString(padded)
			// The letters at both ends mix with the neighbours.
			if piece := whole[(shift*8+5)/6 : len(padded)*8/6]; len(piece) >= shortestPiece {
				found = append(found, piece)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
