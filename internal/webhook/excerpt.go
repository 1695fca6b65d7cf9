package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"latchkey"
)

// readExcerpt reads a body to its end, or to maxAnswer, whichever comes first,
// and returns its beginning in a form that is fit to be shown. What is read
// beyond the excerpt only lets the connection be used again.
func readExcerpt(body io.Reader) (string, error) {
	head, err := io.ReadAll(io.LimitReader(body, maxExcerpt))
	if err == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(body, maxAnswer-maxExcerpt))
	}
	return clean(head), err
}

// clean makes text of hostile bytes: valid UTF-8 without control, formatting or
// private characters (which could forge log lines or turn the direction of
// writing), every kind of white space a plain space.
func clean(hostile []byte) string {
	var text strings.Builder
	text.Grow(len(hostile))
	for len(hostile) > 0 {
		r, size := utf8.DecodeRune(hostile)
		hostile = hostile[size:]
		switch {
		case r == utf8.RuneError && size <= 1: // not UTF-8, or cut off at the end
		case unicode.IsSpace(r):
			text.WriteByte(' ')
		case unicode.IsPrint(r):
			text.WriteRune(r)
		}
	}
	return text.String()
}

// describe says why there was no complete answer, in words for the owner of the
// endpoint. The error's own text is not for them: it repeats the URL, which may
// carry a token, and addresses as they look from inside.
func describe(err error) string {
	if known, ok := errors.AsType[*latchkey.Error](err); ok {
		return clean([]byte(known.Message))
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "the host name could not be resolved"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the certificate is not valid"
	}
	timeout, ok := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, context.DeadlineExceeded), ok && timeout.Timeout():
		return "timed out"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection broke off"
	}
	return "no usable answer"
}
