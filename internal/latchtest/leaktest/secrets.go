// Package leaktest finds secrets in what a program leaves behind: its log, its
// database, its answers. It knows each secret in the forms in which programs
// write text, and looks into what is packed.
//
//	Secrets.Add(kind, value) ─▶ Secrets.Find(content) ─▶ what stands there
package leaktest

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"net/url"
	"strings"
	"sync"
	"unicode/utf16"
)

// shortest is the length of the shortest secret that is looked for as text:
// shorter ones turn up by chance. Numbers may be shorter.
const shortest = 8

// Secrets are the secrets to look for. The zero value has none; its methods are
// safe for concurrent use.
type Secrets struct {
	mu      sync.Mutex
	kinds   map[string]string // by value
	numbers map[string]string // the same of codes, which are numbers
	index   *index            // of the forms; nil until it is needed
}

// Add takes up a secret. The kind says what it is, in findings.
func (s *Secrets) Add(kind, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	into := &s.kinds
	if strings.Trim(value, "0123456789") == "" {
		into = &s.numbers
	} else if len(value) < shortest {
		return
	}
	if *into == nil {
		*into = map[string]string{}
	}
	if _, known := (*into)[value]; value != "" && !known {
		(*into)[value], s.index = kind, nil
	}
}

// Kinds returns how many secrets of each kind there are.
func (s *Secrets) Kinds() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[string]int{}
	for _, kinds := range []map[string]string{s.kinds, s.numbers} {
		for _, kind := range kinds {
			counts[kind]++
		}
	}
	return counts
}

// Encodings are the names of the forms, for counting.
var Encodings = []string{"as it is", "JSON", "URL", "HTML", "hexadecimal", "base64", "base64 for URLs", "UTF-16"}

// Forms returns the ways in which a secret may be written, by encoding. Packed
// content is unpacked before it is searched.
func Forms(secret string) map[string][]string {
	quoted := strings.Trim(fmt.Sprintf("%q", secret), `"`)
	forHTML := strings.NewReplacer("&", `\u0026`, "<", `\u003c`, ">", `\u003e`)
	escaped := []string{url.QueryEscape(secret), url.PathEscape(secret)}
	forms := map[string][]string{
		"as it is": {secret},
		"JSON":     {quoted, forHTML.Replace(quoted), strings.ReplaceAll(quoted, "/", `\/`), strings.Trim(fmt.Sprintf("%+q", secret), `"`)},
		"URL":      append(escaped, lowerHex(escaped[0]), lowerHex(escaped[1])),
		"HTML":     {html.EscapeString(secret)},
		"hexadecimal": {
			hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))),
		},
	}
	for name, encoding := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64 for URLs": base64.RawURLEncoding} {
		for before := range 3 { // bytes of something else within the first group of three
			encoded := encoding.EncodeToString(append(make([]byte, before), secret...))
			skip := []int{0, 2, 3}[before] // characters that also tell of those
			forms[name] = append(forms[name], encoded[skip:len(encoded)-1])
		}
	}
	var little, big strings.Builder
	for _, unit := range utf16.Encode([]rune(secret)) {
		little.Write([]byte{byte(unit), byte(unit >> 8)})
		big.Write([]byte{byte(unit >> 8), byte(unit)})
	}
	forms["UTF-16"] = []string{little.String(), big.String()}
	return forms
}

// lowerHex returns the escaped text with its escapes in lower case.
func lowerHex(escaped string) string {
	lower := []byte(escaped)
	for i := 0; i+2 < len(lower); i++ {
		if lower[i] == '%' {
			copy(lower[i+1:i+3], strings.ToLower(string(lower[i+1:i+3])))
		}
	}
	return string(lower)
}
