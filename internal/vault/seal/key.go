package seal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/tink-crypto/tink-go/v2/aead/xaesgcm"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/key"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/secretdata"
)

const (
	keySize  = 32 // bytes: XAES-256-GCM
	saltSize = 12 // bytes: what c2sp.org/XAES-256-GCM prescribes
)

// addPrimary draws a new key, adds it and makes it the one that seals.
func addPrimary(manager *keyset.Manager, random io.Reader) (uint32, error) {
	drawn, err := drawKey(random)
	if err != nil {
		return 0, fmt.Errorf("make key: %w", err)
	}
	id, err := manager.AddKey(drawn)
	if err != nil {
		return 0, fmt.Errorf("make key: %w", err)
	}
	if err := manager.SetPrimary(id); err != nil {
		return 0, fmt.Errorf("make key: %w", err)
	}
	return id, nil
}

// drawKey makes a key and its id of the source's next bytes.
func drawKey(random io.Reader) (*xaesgcm.Key, error) {
	parameters, err := xaesgcm.NewParameters(xaesgcm.VariantTink, saltSize)
	if err != nil {
		return nil, err
	}
	var drawn [4 + keySize]byte
	defer clear(drawn[:])
	if _, err := io.ReadFull(random, drawn[:]); err != nil {
		return nil, fmt.Errorf("read randomness: %w", err)
	}
	id := binary.BigEndian.Uint32(drawn[:4])
	if id == 0 {
		return nil, errors.New("read randomness: it gives only zeros")
	}
	material := secretdata.NewBytesFromData(drawn[4:], insecuresecretdataaccess.Token{})
	return xaesgcm.NewKey(material, id, parameters)
}

// ours reports whether a key is of the kind that drawKey makes.
func ours(k key.Key) bool {
	x, ok := k.(*xaesgcm.Key)
	if !ok {
		return false
	}
	parameters, ok := x.Parameters().(*xaesgcm.Parameters)
	return ok && parameters.Variant() == xaesgcm.VariantTink && parameters.SaltSizeInBytes() == saltSize
}
