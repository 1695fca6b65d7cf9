package proxy

import (
	"bufio"
	"compress/gzip"
	"compress/zlib"
	"fmt"
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
	part := answer.StatusCode == http.StatusPartialContent && answer.Request.Header.Get("Range") != ""
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
	if len(codings) > 1 {
		return errEncoding
	}
	return decode(answer, codings[0])
}

// errEncoding is the error of a body that can't be read.
var errEncoding = latchkey.Errorf(latchkey.ProxyFailed, "the provider answered in an encoding that was not asked for")

// decode undoes an encoding of the body while it is read.
func decode(answer *http.Response, coding string) error {
	from := bufio.NewReader(answer.Body)
	if _, err := from.Peek(1); err == io.EOF { // nothing, however encoded
		return nil
	}
	var plain io.Reader
	var err error
	switch coding {
	case "gzip", "x-gzip":
		plain, err = gzip.NewReader(from)
	case "deflate":
		plain, err = zlib.NewReader(from)
	default:
		return errEncoding
	}
	if err != nil {
		return &latchkey.Error{Code: latchkey.ProxyFailed, Message: "the provider's answer can't be used", Err: fmt.Errorf("decode: %w", err)}
	}
	answer.Body = decoded{plain, answer.Body}
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

// decoded is a body that is read through a decoder.
type decoded struct {
	io.Reader
	io.Closer
}
