package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"latchkey/internal/store"
	"latchkey/internal/vault"
	"latchkey/internal/vault/seal"
)

// openKeys opens what the vault seals with: the key file, or the key management
// service, and behind it the data keys of the database. It refuses a key that
// does not match the database, before any row is touched: with it nothing that
// is stored could be opened.
func openKeys(ctx context.Context, config Config, parts Parts, kept *store.Store) (*vault.Keys, error) {
	if err := refuseKeyInEnvironment(os.Environ()); err != nil {
		return nil, err
	}
	kms, err := config.KMS.wrapper()
	if err != nil {
		return nil, err
	}
	ring, err := openRing(ctx, config.KeyFile, kms != nil, parts.Random, kept)
	if err != nil {
		return nil, err
	}
	keys := vault.NewKeys(vault.KeysConfig{
		Store: kept, Upkeep: kept, Values: kept, Ring: ring, KMS: kms, Now: parts.Now, Random: parts.Random, Log: parts.Log,
	})
	if err := keys.Check(ctx); err != nil {
		return nil, fmt.Errorf("open the vault's key: %w", err)
	}
	if _, err := keys.Adopt(ctx); err != nil {
		return nil, fmt.Errorf("open the vault's key: %w", err)
	}
	return keys, nil
}

// The beginnings of a key file's text, as it is and in base64.
var keyFileMarks = []string{"latchkey-keyring-v", "IyBUaGUga2V5IHJpbmcgb2YgYSBMYXRjaGtl"}

// refuseKeyInEnvironment refuses to start where the vault's key is in the
// environment: other processes of the user, crash reports and child processes
// see that. The error names the variable and nothing of what is in it.
func refuseKeyInEnvironment(environment []string) error {
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		named := name == "LATCHKEY_KEY" || name == "LATCHKEY_VAULT_KEY"
		if named || slices.ContainsFunc(keyFileMarks, func(mark string) bool { return strings.Contains(value, mark) }) {
			return fmt.Errorf("the vault's key is in the environment (%s), where others can read it: "+
				"put it into a file of mode 0600, name that as key_file, and unset the variable", name)
		}
	}
	return nil
}

// openRing opens the vault's key file, or makes one for a database that has
// never had one. With a key management service there need be none.
func openRing(ctx context.Context, path string, optional bool, random io.Reader, kept *store.Store) (*seal.Ring, error) {
	proof, err := kept.VaultProof(ctx)
	if err != nil {
		return nil, err
	}
	ring, err := seal.OpenFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if optional {
			return nil, nil // whether the database needs one is checked with the keys
		}
		if proof != nil {
			return nil, fmt.Errorf("the vault's key %s is missing, and this database was sealed with it: "+
				"put the key back, or point key_file at it", path)
		}
		ring, err = seal.CreateFile(path, random)
	}
	if err != nil {
		return nil, fmt.Errorf("open the vault's key: %w", err)
	}
	if proof == nil && !optional {
		own, err := ring.Proof()
		if err != nil {
			return nil, fmt.Errorf("prove the vault's key: %w", err)
		}
		// Of several replicas that start at once the first to come wins.
		if proof, err = kept.KeepVaultProof(ctx, own); err != nil {
			return nil, err
		}
	}
	if proof == nil {
		return ring, nil
	}
	if err := ring.Verify(proof); err != nil {
		return nil, fmt.Errorf("the vault's key %s does not belong to this database: %w", path, err)
	}
	return ring, nil
}

// openFingerprintKey opens the key of fingerprints, or makes one for a database
// that has none. Every replica has the same.
func openFingerprintKey(ctx context.Context, keys *vault.Keys, random io.Reader, kept *store.Store) ([]byte, error) {
	sealed, err := kept.FingerprintKey(ctx)
	if err != nil {
		return nil, err
	}
	if sealed == nil {
		key := make([]byte, sha256.Size)
		defer clear(key)
		if _, err := io.ReadFull(random, key); err != nil {
			return nil, fmt.Errorf("make the fingerprint key: %w", err)
		}
		own, err := keys.Seal(vault.FingerprintBinding, key)
		if err != nil {
			return nil, fmt.Errorf("seal the fingerprint key: %w", err)
		}
		if sealed, err = kept.KeepFingerprintKey(ctx, own); err != nil {
			return nil, err
		}
	}
	key, err := keys.Open(vault.FingerprintBinding, sealed)
	if err != nil {
		return nil, fmt.Errorf("open the fingerprint key: %w", err)
	}
	return key, nil
}
