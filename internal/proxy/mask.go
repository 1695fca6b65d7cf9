package proxy

import (
	"bytes"
	"cmp"
	"html"
	"net/http"
	"net/url"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// The bounds of a mask, in bytes.
const (
	longestForm = 8 << 10 // a longer secret is masked piece by piece
	shownOfCut  = 8       // what of a secret may show where an answer ends within it
	masked      = '*'
)

// mask knows the secrets of a connection in the forms in which an answer may
// repeat them, and writes asterisks over them: as many as the secret has
// bytes, so that lengths and places stay as they were announced.
type mask struct{ forms [][]byte }

// add takes up a secret. It keeps copies, which forget zeroes.
func (m *mask) add(secret []byte) {
	if isPlain(secret) { // most tokens are: they are written in one way everywhere
		m.take(secret)
		m.sort()
		return
	}
	text := string(secret)
	for _, escaped := range []string{url.QueryEscape(text), url.PathEscape(text)} {
		m.take([]byte(escaped))
		m.take(lowerHex(escaped))
	}
	m.take(secret)
	m.take([]byte(html.EscapeString(text)))
	if quoted, err := jsontext.AppendQuote(nil, secret); err == nil {
		quoted = quoted[1 : len(quoted)-1]
		m.take(quoted)
		m.take(bytes.ReplaceAll(quoted, []byte("/"), []byte(`\/`)))
		m.take([]byte(forHTML.Replace(string(quoted))))
	}
	m.sort()
}

// isPlain reports whether the secret has only letters, digits and marks that
// every form of it leaves as they are.
func isPlain(secret []byte) bool {
	for _, b := range secret {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '-', b == '_', b == '.', b == '~':
		default:
			return false
		}
	}
	return true
}

// take keeps a copy of a form that is new, in pieces if it is long.
func (m *mask) take(form []byte) {
	for len(form) >= shownOfCut {
		piece := form[:min(len(form), longestForm)]
		form = form[len(piece):]
		if len(piece) >= shownOfCut && !slices.ContainsFunc(m.forms, func(other []byte) bool { return bytes.Equal(other, piece) }) {
			m.forms = append(m.forms, bytes.Clone(piece))
		}
	}
}

// sort puts the longest first: one may be a part of another.
func (m *mask) sort() {
	if len(m.forms) > 1 {
		slices.SortStableFunc(m.forms, func(a, b []byte) int { return cmp.Compare(len(b), len(a)) })
	}
}

// lowerHex returns the escaped text with its escapes in lower case.
func lowerHex(escaped string) []byte {
	lower := []byte(escaped)
	for i := 0; i+2 < len(lower); i++ {
		if lower[i] == '%' {
			copy(lower[i+1:], bytes.ToLower(lower[i+1:i+3]))
		}
	}
	return lower
}

// hide masks every secret that stands whole in the bytes, and reports whether
// there was one.
func (m *mask) hide(p []byte) (found bool) {
	for _, form := range m.forms {
		for rest := p; ; {
			at := bytes.Index(rest, form)
			if at < 0 {
				break
			}
			found = true
			cover(rest[at : at+len(form)])
			rest = rest[at+len(form):]
		}
	}
	return found
}

// cover writes asterisks.
func cover(p []byte) {
	for i := range p {
		p[i] = masked
	}
}

// begun returns how many of the last bytes may be the beginning of a secret.
func (m *mask) begun(p []byte) int {
	longest := 0
	for _, form := range m.forms {
		for tail := p[len(p)-min(len(form)-1, len(p)):]; len(tail) > longest; tail = tail[1:] {
			at := bytes.IndexByte(tail, form[0])
			if at < 0 {
				break
			}
			if tail = tail[at:]; len(tail) > longest && bytes.HasPrefix(form, tail) {
				longest = len(tail)
			}
		}
	}
	return longest
}

// header masks the values of a header, and drops a field with a secret in its
// name.
func (m *mask) header(header http.Header) {
	if len(m.forms) == 0 {
		return
	}
	var space [256]byte
	for name, values := range header {
		if m.names(name) {
			delete(header, name)
			continue
		}
		for i, value := range values {
			if text := append(space[:0], value...); m.hide(text) {
				values[i] = string(text)
			}
		}
	}
	clear(space[:])
}

// names reports whether a secret is part of the name of a field, in capitals
// or not.
func (m *mask) names(name string) bool {
	for _, form := range m.forms {
		if len(form) <= len(name) && bytes.Contains(bytes.ToLower([]byte(name)), bytes.ToLower(form)) {
			return true
		}
	}
	return false
}

// forget zeroes the secrets.
func (m *mask) forget() {
	for _, form := range m.forms {
		clear(form)
	}
	m.forms = nil
}
