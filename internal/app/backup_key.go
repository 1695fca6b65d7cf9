package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"latchkey/internal/vault"
	"latchkey/internal/vault/seal"
)

// backupBinding is where the checksum of a backup belongs.
var backupBinding = seal.Binding{Organisation: "latchkey", Subject: "backup", Field: "checksum", Schema: 1}

// backupKey seals the checksum of a backup: by the key file, or by the key
// management service where there is one.
type backupKey struct {
	name    string // for people
	ring    *seal.Ring
	wrapper vault.Wrapper
}

// openBackupKey opens the key of the configuration. It makes none.
func openBackupKey(config Config) (backupKey, error) {
	kms, err := config.KMS.wrapper()
	if err != nil {
		return backupKey{}, err
	}
	ring, err := seal.OpenFile(config.KeyFile)
	switch {
	case kms != nil && (err == nil || errors.Is(err, fs.ErrNotExist)):
		return backupKey{name: "the key management service's", wrapper: kms}, nil
	case err != nil:
		return backupKey{}, err
	}
	return backupKey{name: config.KeyFile, ring: ring, wrapper: ring}, nil
}

func (k backupKey) seal(ctx context.Context, sum []byte) ([]byte, error) {
	return k.wrapper.Wrap(ctx, backupBinding, sum)
}

func (k backupKey) open(ctx context.Context, sealed []byte) ([]byte, error) {
	return k.wrapper.Unwrap(ctx, backupBinding, sealed)
}

// verify holds the key file against a database's proof. One that was never
// served, or is sealed by a service, has none.
func (k backupKey) verify(proof []byte) error {
	if k.ring == nil || len(proof) == 0 {
		return nil
	}
	if err := k.ring.Verify(proof); err != nil {
		return fmt.Errorf("the vault's key %s: %w", k.name, err)
	}
	return nil
}
