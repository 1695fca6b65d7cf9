package seal

import (
	"fmt"

	"github.com/tink-crypto/tink-go/v2/keyset"
)

// maxKeys bounds a ring: whoever rotates also seals again and drops.
const maxKeys = 64

// Rotate adds a new key and makes it the primary; the old ones stay and open
// what they sealed. A ring with a key file is on disk before the new key seals
// anything. When it fails, the ring is as it was.
//
// Other processes with the same key file learn of the new key by Reload.
func (r *Ring) Rotate() error {
	return r.change(func(manager *keyset.Manager) error {
		if len(r.keys.Load().ids) >= maxKeys {
			return fmt.Errorf("rotate key ring: it holds %d keys; drop those that seal nothing any more", maxKeys)
		}
		_, err := addPrimary(manager, r.random)
		return err
	})
}

// Drop removes a key for good. Nothing that it sealed opens again, so seal
// everything anew first, the Proof included. The primary can't be dropped.
func (r *Ring) Drop(id uint32) error {
	return r.change(func(manager *keyset.Manager) error {
		if id == r.PrimaryID() {
			return fmt.Errorf("drop key %d: it is the primary; rotate first", id)
		}
		if err := manager.Delete(id); err != nil {
			return fmt.Errorf("drop key %d: %w", id, err)
		}
		return nil
	})
}

// change edits a copy of the keyset, writes it, and only then works with it.
func (r *Ring) change(edit func(*keyset.Manager) error) error {
	r.changing.Lock()
	defer r.changing.Unlock()
	manager := keyset.NewManagerFromHandle(r.keys.Load().handle)
	if err := edit(manager); err != nil {
		return err
	}
	handle, err := manager.Handle()
	if err != nil {
		return fmt.Errorf("change key ring: %w", err)
	}
	next, err := keysOf(handle)
	if err != nil {
		return err
	}
	if r.path != "" {
		written, err := replaceFile(r.path, r.onDisk, handle)
		if err != nil {
			return err
		}
		r.onDisk = written
	}
	r.keys.Store(next)
	return nil
}
