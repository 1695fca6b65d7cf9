package leaktest

import (
	"bytes"
	"compress/gzip"
	"io"
	"slices"
)

// The bounds of what is unpacked.
const (
	maxUnpacked = 64 << 20 // bytes of one member
	maxDepth    = 3        // packed within packed
)

// gzipMagic begins a gzip member with the one method that there is (RFC 1952,
// section 2.3.1).
var gzipMagic = []byte{0x1f, 0x8b, 0x08}

// prefix is as much of a form as the index looks at: its first bytes.
const prefix = 6

// form is a way in which a secret may be written.
type form struct{ text, finding string }

// index has every form by its first bytes, so that a content is walked through
// once however many there are.
type index struct {
	first [1 << 16]bool // by the first two bytes
	forms map[[prefix]byte][]form
}

// newIndex makes the index of secrets by value.
func newIndex(kinds map[string]string) *index {
	made := &index{forms: map[[prefix]byte][]form{}}
	for secret, kind := range kinds {
		for encoding, texts := range Forms(secret) {
			for _, text := range texts {
				if len(text) < prefix {
					continue
				}
				key := [prefix]byte([]byte(text))
				made.first[int(key[0])<<8|int(key[1])] = true
				made.forms[key] = append(made.forms[key], form{text, kind + ", " + encoding})
			}
		}
	}
	return made
}

// find returns which forms stand in the content.
func (x *index) find(content []byte, found map[string]bool) {
	for at := 0; at+prefix <= len(content); at++ {
		if !x.first[int(content[at])<<8|int(content[at+1])] {
			continue
		}
		for _, known := range x.forms[[prefix]byte(content[at:at+prefix])] {
			if bytes.HasPrefix(content[at:], []byte(known.text)) {
				found[known.finding] = true
			}
		}
	}
}

// Find returns which secrets stand in the content, each with its encoding, and
// never the secret itself.
func (s *Secrets) Find(content []byte) []string {
	s.mu.Lock()
	if s.index == nil {
		s.index = newIndex(s.kinds)
	}
	known, numbers := s.index, make([]string, 0, len(s.numbers))
	for number := range s.numbers {
		numbers = append(numbers, number)
	}
	s.mu.Unlock()
	found := map[string]bool{}
	s.look(content, known, numbers, found, "", 0)
	list := make([]string, 0, len(found))
	for finding := range found {
		list = append(list, finding)
	}
	slices.Sort(list)
	return list
}

// look searches the content, and what is packed in it.
func (s *Secrets) look(content []byte, known *index, numbers []string, found map[string]bool, packed string, depth int) {
	here := map[string]bool{}
	known.find(content, here)
	for _, number := range numbers {
		if HasNumber(content, number) {
			s.mu.Lock()
			here[s.numbers[number]+", as it is"] = true
			s.mu.Unlock()
		}
	}
	for finding := range here {
		found[finding+packed] = true
	}
	if depth == maxDepth {
		return
	}
	for from := 0; ; {
		at := bytes.Index(content[from:], gzipMagic)
		if at < 0 {
			return
		}
		from += at + 1
		member, err := gzip.NewReader(bytes.NewReader(content[from-1:]))
		if err != nil {
			continue
		}
		unpacked, _ := io.ReadAll(io.LimitReader(member, maxUnpacked)) // as much as is whole
		s.look(unpacked, known, numbers, found, ", packed", depth+1)
	}
}

// HasNumber reports whether the number stands in the content by itself: six
// digits within a longer number, as a time is, say nothing.
func HasNumber(content []byte, number string) bool {
	digit := func(at int) bool {
		return at >= 0 && at < len(content) && (content[at] >= '0' && content[at] <= '9' || content[at] == '.')
	}
	for from := 0; ; {
		at := bytes.Index(content[from:], []byte(number))
		if at < 0 {
			return false
		}
		at += from
		if !digit(at-1) && !digit(at+len(number)) {
			return true
		}
		from = at + 1
	}
}
