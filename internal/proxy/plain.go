package proxy

import (
	"bufio"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"

	"latchkey"
)

// plain makes the answer's body readable, so that secrets can be found in it.
// The provider was asked for no encoding; the two that are given all the same
// in the field are undone, and any other is refused.
func plain(answer *http.Response) error {
	var codings []string
	for _, value := range answer.Header.Values("Content-Encoding") {
		for coding := range strings.SplitSeq(value, ",") {
			if coding = strings.ToLower(strings.TrimSpace(coding)); coding != "" && coding != "identity" {
				codings = append(codings, coding)
			}
		}
	}
	part := answer.StatusCode == http.StatusPartialContent
	if part && (len(codings) > 0 || isText(answer.Header.Get("Content-Type"))) {
		// Whoever asks for pieces could have a secret in pieces.
		return latchkey.Errorf(latchkey.ProxyFailed, "the provider answered with a part of a text; ask for the whole, without Range")
	}
	answer.Header.Del("Content-Encoding")
	if len(codings) == 0 {
		return nil
	}
	for _, length := range []string{"Content-Length", "Content-Digest", "Content-Md5"} {
		answer.Header.Del(length)
	}
	answer.ContentLength = -1
	if !hasBody(answer) {
		return nil
	}
	switch {
	case len(codings) == 1 && (codings[0] == "gzip" || codings[0] == "x-gzip"):
		answer.Body = &decoded{body: answer.Body, open: func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }}
	case len(codings) == 1 && codings[0] == "deflate":
		answer.Body = &decoded{body: answer.Body, open: func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }}
	default:
		return latchkey.Errorf(latchkey.ProxyFailed, "the provider answered in an encoding that was not asked for")
	}
	return nil
}

// hasBody reports whether an answer of this kind has one (RFC 9110, section
// 6.4.1).
func hasBody(answer *http.Response) bool {
	switch answer.StatusCode {
	case http.StatusNoContent, http.StatusNotModified:
		return false
	}
	return answer.Request == nil || answer.Request.Method != http.MethodHead
}

// isText reports whether a media type is one that people could read; an absent
// one may be.
func isText(mediaType string) bool {
	mediaType, _, _ = strings.Cut(strings.ToLower(mediaType), ";")
	mediaType = strings.TrimSpace(mediaType)
	if mediaType == "" || strings.HasPrefix(mediaType, "text/") || strings.HasPrefix(mediaType, "multipart/") {
		return true
	}
	for _, word := range []string{"json", "xml", "javascript", "ecmascript", "x-www-form-urlencoded", "yaml", "csv"} {
		if strings.Contains(mediaType, word) {
			return true
		}
	}
	return false
}

// decoded undoes an encoding while the body is read. Nothing is read before
// that, so that the answer's header does not wait for its body.
type decoded struct {
	body io.ReadCloser
	open func(io.Reader) (io.Reader, error)
	from io.Reader
	err  error
}

// Read returns decoded bytes.
func (d *decoded) Read(p []byte) (int, error) {
	if d.from == nil && d.err == nil {
		d.from, d.err = d.open(bufio.NewReader(d.body))
	}
	if d.err != nil {
		return 0, d.err
	}
	return d.from.Read(p)
}

// Close closes the body beneath.
func (d *decoded) Close() error { return d.body.Close() }
