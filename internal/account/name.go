package account

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The bounds of a client app's name.
const (
	maxName  = 64 // characters
	maxMarks = 4  // combining marks on one letter; more of them paint over other lines
)

// punctuation is what a name may have of it beside ASCII's.
const punctuation = "‘’“”„«»–—·¡¿、。「」・"

// nameRule returns the rule that the name of a client app breaks, or "". The
// name is what people decide by at consent, so it must be what it looks like
// (Unicode TR 36 and 39). Where it is approved, symbols and mixed scripts pass;
// what hides or turns text never does.
func nameRule(name string, isApproved bool) string {
	if rule := lineRule(name, maxName); rule != "" {
		return rule
	}
	if strings.TrimSpace(name) != name || strings.Contains(name, "  ") {
		return "must not begin or end with a space or have two in a row"
	}
	if isApproved {
		return ""
	}
	marks, letters, onLetter := 0, 0, false
	for _, r := range name {
		isLetter := unicode.IsLetter(r)
		switch {
		case unicode.Is(unicode.M, r):
			if marks++; !onLetter || marks > maxMarks || unicode.Is(unicode.Me, r) {
				return "must have accents on letters only"
			}
			continue
		case isLetter:
			letters++
		case r == ' ', r >= '0' && r <= '9':
		case r < utf8.RuneSelf && unicode.IsPunct(r), strings.ContainsRune(punctuation, r):
		default:
			return "must have only letters, the digits 0 to 9, spaces and plain punctuation: no symbols"
		}
		marks, onLetter = 0, isLetter
	}
	switch {
	case letters == 0:
		return "must have a letter in it"
	case !norm.NFKC.IsNormalString(name):
		return "must be in Unicode normal form NFKC, without special forms of letters"
	case !isOneScript(name):
		return "must have letters of one script only"
	}
	return ""
}

// scripts are those in everyday use (Unicode UAX 31, table 5).
var scripts = []*unicode.RangeTable{
	unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Armenian, unicode.Hebrew, unicode.Arabic, unicode.Thaana,
	unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu,
	unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Thai, unicode.Lao, unicode.Tibetan, unicode.Myanmar,
	unicode.Georgian, unicode.Ethiopic, unicode.Khmer, unicode.Hangul, unicode.Han, unicode.Hiragana, unicode.Katakana,
	unicode.Bopomofo,
}

// systems are the scripts that are written together.
var systems = [][]*unicode.RangeTable{
	{unicode.Han, unicode.Hiragana, unicode.Katakana}, // Japanese
	{unicode.Han, unicode.Bopomofo},                   // Chinese
	{unicode.Han, unicode.Hangul},                     // Korean
}

// latinLookalikes are Latin letters of phonetic alphabets that are drawn like
// everyday ones, or like signs.
var latinLookalikes = &unicode.RangeTable{R16: []unicode.Range16{
	{0x01c0, 0x01c3, 1}, {0x0251, 0x0251, 1}, {0x0261, 0x0262, 1}, {0x0269, 0x026a, 1}, {0x0274, 0x0274, 1},
	{0x0280, 0x0280, 1}, {0x028f, 0x028f, 1}, {0x0299, 0x0299, 1}, {0x029c, 0x029c, 1}, {0x029f, 0x029f, 1},
	{0x1d00, 0x1dbf, 1}, {0xa730, 0xa731, 1},
}}

// isOneScript reports whether all letters and marks are of one script, or of
// scripts that are written together. Other characters have none.
func isOneScript(text string) bool {
	var found []*unicode.RangeTable
	for _, r := range text {
		if !unicode.IsLetter(r) && !unicode.Is(unicode.M, r) || unicode.Is(unicode.Inherited, r) || r == 'ー' {
			continue
		}
		i := slices.IndexFunc(scripts, func(script *unicode.RangeTable) bool { return unicode.Is(script, r) })
		if i < 0 || unicode.Is(latinLookalikes, r) {
			return false
		}
		if !slices.Contains(found, scripts[i]) {
			found = append(found, scripts[i])
		}
	}
	if len(found) <= 1 {
		return true
	}
	return slices.ContainsFunc(systems, func(system []*unicode.RangeTable) bool {
		return !slices.ContainsFunc(found, func(script *unicode.RangeTable) bool { return !slices.Contains(system, script) })
	})
}
