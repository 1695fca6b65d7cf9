package tape

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Shortest is the shortest value that can be taken out of a text, in bytes:
// shorter ones stand everywhere by chance.
const Shortest = 4

// Scrubber knows secrets, and what to write in their place.
type Scrubber struct {
	recorded bool              // for a file that is read again, not for people
	known    map[string]string // stand-ins by secret
	open     map[string]bool   // what may be seen
	used     map[string]int    // how many secrets have had the name
	writer   *strings.Replacer // nil when something was learnt since
}

// ForShow returns a scrubber of what is shown to people: they read [password].
func ForShow() *Scrubber { return newScrubber(false) }

// ForRecord returns a scrubber of what is kept in a file: it holds
// recorded-password, in the same encoding as the secret was. The word itself
// reads the same in a URL, a header, JSON and HTML.
func ForRecord() *Scrubber { return newScrubber(true) }

func newScrubber(recorded bool) *Scrubber {
	return &Scrubber{recorded: recorded, known: map[string]string{}, open: map[string]bool{}, used: map[string]int{}}
}

// Open learns that a value may be seen, wherever it stands.
func (s *Scrubber) Open(value string) { s.open[value] = true }

// mark makes a stand-in of a name.
func (s *Scrubber) mark(name string) string {
	if s.recorded {
		return "recorded-" + name
	}
	return "[" + name + "]"
}

// Add learns a secret and returns its stand-in. What is too short, or learnt
// already, changes nothing.
func (s *Scrubber) Add(name, secret string) string {
	if standIn, ok := s.known[secret]; ok || s.open[secret] || len(secret) < Shortest {
		return standIn
	}
	name = plainName(name)
	s.used[name]++
	standIn := s.mark(name)
	if n := s.used[name]; n > 1 {
		standIn = s.mark(fmt.Sprintf("%s-%d", name, n))
	}
	s.known[secret] = standIn
	s.writer = nil
	return standIn
}

// Known returns the secrets.
func (s *Scrubber) Known() []string {
	known := make([]string, 0, len(s.known))
	for secret := range s.known {
		known = append(known, secret)
	}
	return known
}

// Text returns a text without the secrets.
func (s *Scrubber) Text(text string) string {
	if s.writer == nil {
		s.writer = s.replacer()
	}
	return s.writer.Replace(text)
}

// replacer replaces every spelling of every secret, the longest first.
func (s *Scrubber) replacer() *strings.Replacer {
	type replacement struct{ old, new string }
	var all []replacement
	for secret, standIn := range s.known {
		for _, spell := range spellings { // the first spells nothing otherwise
			written := standIn
			if s.recorded {
				written = spell(standIn)
			}
			all = append(all, replacement{spell(secret), written})
		}
	}
	slices.SortStableFunc(all, func(a, b replacement) int {
		return cmp.Or(cmp.Compare(len(b.old), len(a.old)), cmp.Compare(a.old, b.old))
	})
	var pairs []string
	for i, r := range all {
		if i == 0 || r.old != all[i-1].old {
			pairs = append(pairs, r.old, r.new)
		}
	}
	return strings.NewReplacer(pairs...)
}

// Exchange returns an exchange without the secrets.
func (s *Scrubber) Exchange(seen Exchange) Exchange {
	seen.URL = s.Text(seen.URL)
	seen.RequestHeader, seen.Header = s.header(seen.RequestHeader), s.header(seen.Header)
	seen.RequestBody, seen.Body = []byte(s.Text(string(seen.RequestBody))), []byte(s.Text(string(seen.Body)))
	seen.Failure = s.Text(seen.Failure)
	return seen
}

// header returns a header without the secrets.
func (s *Scrubber) header(header http.Header) http.Header {
	clean := make(http.Header, len(header))
	for name, values := range header {
		for _, value := range values {
			clean[name] = append(clean[name], s.Text(value))
		}
	}
	return clean
}

// plainName leaves of a name what needs no escaping anywhere.
func plainName(name string) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, name)
	return cmp.Or(strings.Trim(plain, "-"), "value")
}
