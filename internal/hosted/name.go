package hosted

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// How much of a foreign text is drawn, in characters.
const (
	nameLimit     = 64
	domainLimit   = 253 // RFC 1035 §2.3.4; a domain is never cut shorter than it is
	sentenceLimit = 400
	markLimit     = 4 // combining marks on one letter; more of them paint over other lines
)

const (
	zeroWidthNonJoiner = '\u200c' // Persian and Indic names need the joiners
	zeroWidthJoiner    = '\u200d'
)

// clean makes a foreign text fit to stand among ours: one line without control
// or formatting characters, so that it can't turn the direction of what
// follows (Unicode TR36 §3.2), and at most limit characters long.
func clean(text string, limit int) string {
	var b strings.Builder
	length, marks, space := 0, 0, false
	for _, r := range text {
		if unicode.IsSpace(r) {
			space = length > 0
			continue
		}
		if !unicode.IsGraphic(r) && r != zeroWidthJoiner && r != zeroWidthNonJoiner {
			continue
		}
		if unicode.Is(unicode.M, r) {
			if marks++; marks > markLimit {
				continue
			}
		} else {
			marks = 0
		}
		if length >= limit {
			return b.String() + "…"
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
		length++
	}
	return b.String()
}

// monogram is the letter drawn where a logo is missing.
func monogram(name string) string {
	r, _ := utf8.DecodeRuneInString(name)
	if r == utf8.RuneError {
		return "·"
	}
	return string(unicode.ToUpper(r))
}
