package latchkey

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/go-json-experiment/json/jsontext"
)

// redacted is what every way of printing a Secret shows.
const redacted = "[secret]"

// Secret holds a credential: a password, a code, a token, a cookie. It prints
// as "[secret]" under every verb, refuses to be encoded, and can be zeroed.
// The zero value is empty.
type Secret struct{ held *held }

// held is behind a pointer because fmt's %p passes by every method and prints
// what a struct holds: this way, an address.
type held struct{ value []byte }

// NewSecret takes ownership of b: the caller must not use it again.
func NewSecret(b []byte) Secret { return Secret{&held{b}} }

// Reveal returns the bytes themselves, not a copy. Use them at once, in the
// call that needs them; they vanish with Zero.
func (s Secret) Reveal() []byte {
	if s.held == nil {
		return nil
	}
	return s.held.value
}

// Empty reports whether there is nothing in it.
func (s Secret) Empty() bool { return len(s.Reveal()) == 0 }

// Zero overwrites the bytes. Every copy of this Secret becomes empty noise.
func (s Secret) Zero() { clear(s.Reveal()) }

// String returns "[secret]".
func (Secret) String() string { return redacted }

// GoString returns "[secret]".
func (Secret) GoString() string { return redacted }

// Format writes "[secret]" whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue returns "[secret]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON refuses: a secret is never encoded by accident.
func (Secret) MarshalJSON() ([]byte, error) {
	return nil, errors.New("a secret refuses to be encoded")
}

// UnmarshalJSON takes a JSON string without ever making a Go string of it.
func (s *Secret) UnmarshalJSON(data []byte) error {
	if len(data) == 0 || data[0] != '"' {
		return errors.New("want a JSON string")
	}
	value, err := jsontext.AppendUnquote(make([]byte, 0, len(data)), data)
	if err != nil {
		return errors.New("want a JSON string")
	}
	s.held = &held{value}
	return nil
}

// UnmarshalText takes a copy of the text, as of a configuration file.
func (s *Secret) UnmarshalText(text []byte) error {
	s.held = &held{append([]byte(nil), text...)}
	return nil
}

// ZeroAll zeroes every secret of a form.
func ZeroAll(fields map[string]Secret) {
	for _, secret := range fields {
		secret.Zero()
	}
}
