package proxy

import (
	"bytes"
	"cmp"
	"errors"
	"html"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The bounds of a mask, in bytes.
const (
	longestForm  = bufferSize / 4 // a longer secret is masked piece by piece
	shownOfCut   = 8              // what of a secret may show where an answer ends within it
	masked       = '*'
	formsOfASort = 9
)

// mask knows the secrets of a connection in the forms in which an answer may
// repeat them, and writes asterisks over them: as many as the secret has
// bytes, so that lengths and places stay as they were announced.
type mask struct{ forms [][]byte }

// add takes up a secret. It keeps copies, which forget zeroes.
func (m *mask) add(secret []byte) {
	written := make([][]byte, 0, formsOfASort)
	text := string(secret)
	for _, escaped := range []string{url.QueryEscape(text), url.PathEscape(text)} {
		written = append(written, []byte(escaped), lowerHex(escaped))
	}
	written = append(written, bytes.Clone(secret), []byte(html.EscapeString(text)))
	if quoted, err := jsontext.AppendQuote(nil, secret); err == nil {
		quoted = quoted[1 : len(quoted)-1]
		written = append(written, quoted, bytes.ReplaceAll(quoted, []byte("/"), []byte(`\/`)), []byte(forHTML.Replace(string(quoted))))
	}
	for _, form := range written {
		for piece := range slices.Chunk(form, longestForm) {
			known := slices.ContainsFunc(m.forms, func(other []byte) bool { return bytes.Equal(other, piece) })
			if len(piece) >= shownOfCut && !known {
				m.forms = append(m.forms, piece)
			}
		}
	}
	// The longest first: one may be a part of another.
	slices.SortStableFunc(m.forms, func(a, b []byte) int { return cmp.Compare(len(b), len(a)) })
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

// hide masks every secret that stands whole in the bytes.
func (m *mask) hide(p []byte) {
	for _, form := range m.forms {
		for rest := p; ; {
			at := bytes.Index(rest, form)
			if at < 0 {
				break
			}
			cover(rest[at : at+len(form)])
			rest = rest[at+len(form):]
		}
	}
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
		for n := min(len(form)-1, len(p)); n > longest; n-- {
			if bytes.HasSuffix(p, form[:n]) {
				longest = n
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
	for name, values := range header {
		folded := []byte(strings.ToLower(name))
		if slices.ContainsFunc(m.forms, func(form []byte) bool { return bytes.Contains(folded, bytes.ToLower(form)) }) {
			delete(header, name)
			continue
		}
		for i, value := range values {
			text := []byte(value)
			m.hide(text)
			values[i] = string(text)
		}
	}
}

// body masks what is read of a body, as it comes: no more is held back than
// may be the beginning of a secret.
func (m *mask) body(body io.ReadCloser, buffers *bufferPool) io.ReadCloser {
	if len(m.forms) == 0 {
		return body
	}
	return &maskedBody{body: body, mask: m, buffers: buffers, buffer: buffers.Get()}
}

// forget zeroes the secrets.
func (m *mask) forget() {
	for _, form := range m.forms {
		clear(form)
	}
	m.forms = nil
}

// maskedBody is a body in which secrets are masked.
type maskedBody struct {
	body    io.ReadCloser
	mask    *mask
	buffers *bufferPool
	buffer  []byte // lent; nil once closed
	next    int    // the first byte that was not handed on
	ready   int    // the end of the bytes that are masked
	end     int    // the end of what was read
	err     error  // what the body ended with
}

// Read hands on what is masked.
func (b *maskedBody) Read(p []byte) (int, error) {
	if b.buffer == nil {
		return 0, errors.New("read of a closed body")
	}
	for b.next == b.ready {
		if b.err != nil {
			return 0, b.err
		}
		if len(p) == 0 {
			return 0, nil
		}
		b.fill()
	}
	n := copy(p, b.buffer[b.next:b.ready])
	b.next += n
	return n, nil
}

// fill reads more and masks it.
func (b *maskedBody) fill() {
	b.end = copy(b.buffer, b.buffer[b.next:b.end])
	b.next, b.ready = 0, 0
	n, err := b.body.Read(b.buffer[b.end:])
	b.end += n
	b.mask.hide(b.buffer[:b.end])
	begun := b.mask.begun(b.buffer[:b.end])
	if err == nil {
		b.ready = b.end - begun
		return
	}
	if begun > shownOfCut {
		cover(b.buffer[b.end-begun : b.end])
	}
	b.ready, b.err = b.end, err
}

// Close closes the body and gives the buffer back.
func (b *maskedBody) Close() error {
	if b.buffer != nil {
		b.buffers.Put(b.buffer)
		b.buffer = nil
	}
	return b.body.Close()
}
