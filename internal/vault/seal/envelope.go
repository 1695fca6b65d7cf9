package seal

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// An envelope is a format byte and a Tink ciphertext, which itself starts with
// its own version byte and the id of its key (Tink wire format, prefix TINK):
//
//	0x4c │ 0x01 │ key id, 4 bytes, big endian │ salt 12 │ nonce 12 │ ciphertext │ tag 16
const (
	formatV1   = 0x4c // 'L'; another format gets another byte
	tinkV1     = 0x01
	headerSize = 1 + 1 + 4
	overhead   = headerSize + 12 + 12 + 16
)

// MaxPlaintext is the longest plaintext that is sealed, in bytes.
const MaxPlaintext = 1 << 20

// ErrOpen is the one answer to everything that does not open: foreign,
// truncated, changed, moved to another place, or of a key that was dropped. It
// doesn't say which, so that nobody learns from it.
var ErrOpen = errors.New("sealed bytes do not open")

// Seal encrypts plaintext under the primary key, for the place that b names.
// It fails on an incomplete Binding and on more than MaxPlaintext bytes. The
// plaintext stays the caller's, to be zeroed by it.
func (r *Ring) Seal(b Binding, plaintext []byte) ([]byte, error) {
	if err := b.check(); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if len(plaintext) > MaxPlaintext {
		return nil, fmt.Errorf("seal: plaintext is longer than %d bytes", MaxPlaintext)
	}
	ciphertext, err := r.keys.Load().aead.Encrypt(plaintext, b.AssociatedData())
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return append([]byte{formatV1}, ciphertext...), nil
}

// Open decrypts what Seal made for the same Binding, under whichever key of
// the ring it names. Every failure is ErrOpen. The plaintext is the caller's
// to zero.
func (r *Ring) Open(b Binding, sealed []byte) ([]byte, error) {
	if b.check() != nil || len(sealed) < overhead || len(sealed) > MaxPlaintext+overhead || sealed[0] != formatV1 {
		return nil, ErrOpen
	}
	plaintext, err := r.keys.Load().aead.Decrypt(sealed[1:], b.AssociatedData())
	if err != nil {
		return nil, ErrOpen
	}
	return plaintext, nil
}

// KeyIDOf returns the id of the key that an envelope names, to find what still
// has to be sealed again before a key is dropped. It reads the header only: it
// neither says that the ring has that key nor that the envelope opens. What is
// not an envelope gives ErrOpen.
func KeyIDOf(sealed []byte) (uint32, error) {
	if len(sealed) < overhead || sealed[0] != formatV1 || sealed[1] != tinkV1 {
		return 0, ErrOpen
	}
	return binary.BigEndian.Uint32(sealed[2:headerSize]), nil
}
