package seal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/xaesgcm"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/secretdata"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// What a data key seals is an envelope of another format than the ring's:
//
//	0x4d │ id of the data key, 8 bytes, big endian │ salt 12 │ nonce 12 │ ciphertext │ tag 16
const (
	formatV2   = 0x4d // 'M'
	prefixV2   = 1 + 8
	overheadV2 = prefixV2 + 12 + 12 + 16
)

// DataKeySize is the size of a data key, in bytes (XAES-256-GCM).
const DataKeySize = keySize

// DataKey seals and opens what belongs to one organisation. It is safe for
// concurrent use.
type DataKey struct {
	id   int64
	aead tink.AEAD
}

// NewDataKey returns the data key of an id, which must be positive, and
// DataKeySize secret bytes. They stay the caller's, to be zeroed.
func NewDataKey(id int64, material []byte) (*DataKey, error) {
	if id <= 0 || len(material) != DataKeySize {
		return nil, errors.New("make data key: it has a positive id and 32 bytes")
	}
	parameters, err := xaesgcm.NewParameters(xaesgcm.VariantNoPrefix, saltSize)
	if err != nil {
		return nil, fmt.Errorf("make data key: %w", err)
	}
	key, err := xaesgcm.NewKey(secretdata.NewBytesFromData(material, insecuresecretdataaccess.Token{}), 0, parameters)
	if err != nil {
		return nil, fmt.Errorf("make data key: %w", err)
	}
	manager := keyset.NewManager()
	only, err := manager.AddKey(key)
	if err != nil {
		return nil, fmt.Errorf("make data key: %w", err)
	}
	if err := manager.SetPrimary(only); err != nil {
		return nil, fmt.Errorf("make data key: %w", err)
	}
	handle, err := manager.Handle()
	if err != nil {
		return nil, fmt.Errorf("make data key: %w", err)
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("make data key: %w", err)
	}
	return &DataKey{id: id, aead: primitive}, nil
}

// ID returns the id that every envelope of the key names.
func (k *DataKey) ID() int64 { return k.id }

// Seal encrypts plaintext for the place that b names. It fails on an
// incomplete Binding and on more than MaxPlaintext bytes. The plaintext stays
// the caller's, to be zeroed by it.
func (k *DataKey) Seal(b Binding, plaintext []byte) ([]byte, error) {
	if err := b.check(); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if len(plaintext) > MaxPlaintext {
		return nil, fmt.Errorf("seal: plaintext is longer than %d bytes", MaxPlaintext)
	}
	ciphertext, err := k.aead.Encrypt(plaintext, b.underKey(k.id))
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return append(DataKeyPrefix(k.id), ciphertext...), nil
}

// Open decrypts what Seal made for the same Binding. Every failure is ErrOpen.
// The plaintext is the caller's to zero.
func (k *DataKey) Open(b Binding, sealed []byte) ([]byte, error) {
	id, err := DataKeyOf(sealed)
	if err != nil || id != k.id || b.check() != nil || len(sealed) > MaxPlaintext+overheadV2 {
		return nil, ErrOpen
	}
	plaintext, err := k.aead.Decrypt(sealed[prefixV2:], b.underKey(k.id))
	if err != nil {
		return nil, ErrOpen
	}
	return plaintext, nil
}

// DataKeyOf returns the id of the data key that an envelope names; ErrOpen
// when it is none of a data key. It reads the header only.
func DataKeyOf(sealed []byte) (int64, error) {
	if len(sealed) < overheadV2 || sealed[0] != formatV2 || sealed[1]&0x80 != 0 {
		return 0, ErrOpen
	}
	return int64(binary.BigEndian.Uint64(sealed[1:prefixV2])), nil
}

// DataKeyPrefix returns what every envelope of a data key begins with.
func DataKeyPrefix(id int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{formatV2}, uint64(id))
}

// RingPrefixes returns the bounds of what envelopes of a ring begin with: from
// low, and before high.
func RingPrefixes() (low, high []byte) { return []byte{formatV1}, []byte{formatV1 + 1} }

// Wrap encrypts a data key under the primary key of the ring.
func (r *Ring) Wrap(_ context.Context, b Binding, key []byte) ([]byte, error) { return r.Seal(b, key) }

// Unwrap is Wrap undone. Every failure is ErrOpen.
func (r *Ring) Unwrap(_ context.Context, b Binding, wrapped []byte) ([]byte, error) {
	return r.Open(b, wrapped)
}

// Has reports whether the ring has a key.
func (r *Ring) Has(id uint32) bool {
	for _, known := range r.keys.Load().ids {
		if known == id {
			return true
		}
	}
	return false
}
