package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"

	"latchkey"
)

// unreadable is the error of an answer that the transport can't read. The
// transport's own text quotes the answer, which may echo the credential that
// was sent; the cause stays in the chain, its text is withheld.
type unreadable struct{ cause error }

// Error tells the kind of the cause.
func (u *unreadable) Error() string {
	root := u.cause
	for next := errors.Unwrap(root); next != nil; next = errors.Unwrap(root) {
		root = next
	}
	return fmt.Sprintf("the answer can't be read (%T)", root)
}

// Unwrap returns the cause.
func (u *unreadable) Unwrap() error { return u.cause }

// withoutQuotes returns the error if its text is known to hold nothing of the
// answer: a failure of the network, of TLS, of time, or a refusal.
func withoutQuotes(err error) error {
	var network net.Error
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var exit *exitError
	var known *latchkey.Error
	switch {
	case errors.As(err, &network), errors.As(err, &certificate), errors.As(err, &authority),
		errors.As(err, &exit), errors.As(err, &known),
		errors.Is(err, ErrRefused), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return &unreadable{cause: err}
}
