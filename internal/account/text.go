package account

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The characters that join or part letters of Persian and Indic words.
const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
)

// textRule is lineRule for prose, which may have the joiners that some
// languages need.
func textRule(text string, most int) string {
	if utf8.RuneCountInString(text) > most {
		return lengthRule(most)
	}
	return lineRule(strings.Map(func(r rune) rune {
		if r == zeroWidthNonJoiner || r == zeroWidthJoiner {
			return -1
		}
		return r
	}, text), most)
}

// lineRule returns the rule that a line of text breaks, or "": 1 to most
// characters, none that are unseen, break the line or change the direction of
// what follows.
func lineRule(text string, most int) string {
	switch {
	case strings.TrimSpace(text) == "", utf8.RuneCountInString(text) > most, !utf8.ValidString(text):
		return lengthRule(most)
	case strings.ContainsFunc(text, isUnseen):
		return "must be one line without control, format or invisible characters"
	}
	return ""
}

func lengthRule(most int) string { return "must have 1 to " + strconv.Itoa(most) + " characters" }

// isUnseen reports whether a character is another space than the common one, or
// is not drawn by itself (Unicode TR 36, section 3.2, and the property
// Default_Ignorable_Code_Point).
func isUnseen(r rune) bool {
	if r == ' ' {
		return false
	}
	return !unicode.IsGraphic(r) || unicode.IsSpace(r) || r == '\u2800' || r == utf8.RuneError ||
		unicode.In(r, unicode.Zs, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}
