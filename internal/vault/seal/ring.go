package seal

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Ring is a set of keys: the primary seals, every one of them opens. It is
// safe for concurrent use, also while it rotates.
type Ring struct {
	random io.Reader // for new keys
	path   string    // of the key file; empty for a ring that lives in memory only

	changing sync.Mutex        // held by the one Rotate or Drop in progress
	onDisk   [sha256.Size]byte // of the key file as this ring knows it; guarded by changing

	keys atomic.Pointer[keys]
}

// keys is a ring at one moment: the keyset and its primitive, which is costly
// to make and therefore made once.
type keys struct {
	handle  *keyset.Handle
	aead    tink.AEAD
	ids     []uint32
	primary uint32
}

// NewRing returns a ring with one new key that is written nowhere: for tests
// and trials. What it seals is lost with it. A nil random is crypto/rand.
func NewRing(random io.Reader) (*Ring, error) {
	if random == nil {
		random = rand.Reader
	}
	manager := keyset.NewManager()
	if _, err := addPrimary(manager, random); err != nil {
		return nil, err
	}
	handle, err := manager.Handle()
	if err != nil {
		return nil, fmt.Errorf("make key ring: %w", err)
	}
	return ringOf(handle, random)
}

// ringOf returns the ring of a keyset.
func ringOf(handle *keyset.Handle, random io.Reader) (*Ring, error) {
	current, err := keysOf(handle)
	if err != nil {
		return nil, err
	}
	ring := &Ring{random: random}
	ring.keys.Store(current)
	return ring, nil
}

// keysOf makes the primitive of a keyset, and refuses keys that are not ours.
func keysOf(handle *keyset.Handle) (*keys, error) {
	made := &keys{handle: handle}
	for i := range handle.Len() {
		entry, err := handle.Entry(i)
		if err != nil {
			return nil, fmt.Errorf("read key ring: %w", err)
		}
		if !ours(entry.Key()) || entry.KeyStatus() != keyset.Enabled {
			return nil, errors.New("read key ring: it holds a key that Latchkey did not make")
		}
		made.ids = append(made.ids, entry.KeyID())
		if entry.IsPrimary() {
			made.primary = entry.KeyID()
		}
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("read key ring: %w", err)
	}
	made.aead = primitive
	return made, nil
}

// KeyIDs returns the ids of the ring's keys, oldest first.
func (r *Ring) KeyIDs() []uint32 { return append([]uint32(nil), r.keys.Load().ids...) }

// PrimaryID returns the id of the key that seals.
func (r *Ring) PrimaryID() uint32 { return r.keys.Load().primary }
