package vault

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"latchkey"
	"latchkey/internal/vault/seal"
)

// The beginnings of the ids of ring keys: a key of the file, or what the key
// management service wraps with.
const (
	ofFile = "file:"
	ofKMS  = "kms:"
)

// keyRounds bounds how often a key is wrapped or unwrapped again since the ring
// has changed meanwhile.
const keyRounds = 4

// ErrOldKeyFile says that the key file is older than the database.
var ErrOldKeyFile = errors.New("the key file is older than the database: its newest key has been replaced since; " +
	"put back the newest copy of the key file")

// fileKey returns the id of a key of the file.
func fileKey(id uint32) string { return fmt.Sprintf("%s%08x", ofFile, id) }

// wrapBinding is where a wrapped data key belongs.
func wrapBinding(organisationID string, id int64) seal.Binding {
	return seal.Binding{Organisation: organisationID, Subject: strconv.FormatInt(id, 10), Field: "data key", Schema: 1}
}

// make makes a data key for an organisation in the place of another (0: none)
// and returns the one that seals then.
func (k *Keys) make(ctx context.Context, organisationID string, replaced int64) (latchkey.DataKey, error) {
	var drawn [8 + seal.DataKeySize]byte
	defer clear(drawn[:])
	if _, err := io.ReadFull(k.config.Random, drawn[:]); err != nil {
		return latchkey.DataKey{}, fmt.Errorf("make data key: %w", err)
	}
	now := k.config.Now()
	key := latchkey.DataKey{
		ID: int64(binary.BigEndian.Uint64(drawn[:8])>>1) | 1, OrganisationID: organisationID,
		CreatedAt: now, ReplaceAt: now.Add(keyLifetime),
	}
	var active latchkey.DataKey
	err := k.wrapping(ctx, key, drawn[8:], func(wrapped []byte, by string) error {
		key.Wrapped, key.WrappedBy = wrapped, by
		var err error
		active, err = k.config.Store.AddDataKey(ctx, key, replaced)
		return err
	})
	if err != nil {
		return active, fmt.Errorf("make data key of %s: %w", organisationID, err)
	}
	return active, nil
}

// wrapping wraps a data key and has it kept; again, when another process has
// changed the ring meanwhile.
func (k *Keys) wrapping(ctx context.Context, key latchkey.DataKey, material []byte, keep func(wrapped []byte, by string) error) error {
	var err error
	for range keyRounds {
		var by string
		if by, err = k.Adopt(ctx); err != nil {
			return err
		}
		var wrapped []byte
		if wrapped, err = k.wrapper().Wrap(ctx, wrapBinding(key.OrganisationID, key.ID), material); err != nil {
			return err
		}
		if k.config.KMS == nil { // it may have been reloaded since
			id, err := seal.KeyIDOf(wrapped)
			if err != nil {
				return err
			}
			by = fileKey(id)
		}
		if err = keep(wrapped, by); latchkey.CodeOf(err) != latchkey.Conflict {
			return err
		}
	}
	return err
}

// wrapper is what wraps from now on.
func (k *Keys) wrapper() Wrapper {
	if k.config.KMS != nil {
		return k.config.KMS
	}
	return k.config.Ring
}

// Adopt makes the newest key of the file, or the key management service, the
// one that wraps, if it is not, and returns its id. ErrOldKeyFile says that the
// file's newest key was replaced by one that it does not have.
func (k *Keys) Adopt(ctx context.Context) (string, error) {
	if k.config.KMS != nil {
		return k.adoptKMS(ctx)
	}
	known, err := k.config.Store.RingKeys(ctx)
	if err != nil {
		return "", err
	}
	if len(known) == 0 {
		if err := k.adoptOlder(ctx); err != nil {
			return "", err
		}
	}
	for range keyRounds {
		id := fileKey(k.config.Ring.PrimaryID())
		switch stateOf(known, id) {
		case latchkey.RingKeyPrimary:
			return id, nil
		case "":
			proof, err := k.config.Ring.Proof()
			if err != nil {
				return "", fmt.Errorf("prove the vault's key: %w", err)
			}
			if err := k.config.Store.AdoptRingKey(ctx, id, proof, k.config.Now()); latchkey.CodeOf(err) != latchkey.Conflict {
				return id, err
			}
		}
		// Another process has rotated: what it wrote is in the file by now.
		if _, err := k.reload(ctx); err != nil {
			return "", err
		}
		if known, err = k.config.Store.RingKeys(ctx); err != nil {
			return "", err
		}
	}
	return "", ErrOldKeyFile
}

// adoptOlder tells a database that knows no ring key of the older ones in the
// file, so that they end their lives as all do.
func (k *Keys) adoptOlder(ctx context.Context) error {
	for _, id := range k.config.Ring.KeyIDs() {
		if id == k.config.Ring.PrimaryID() {
			continue
		}
		err := k.config.Store.AdoptRingKey(ctx, fileKey(id), nil, k.config.Now())
		if err != nil && latchkey.CodeOf(err) != latchkey.Conflict {
			return err
		}
	}
	return nil
}

// adoptKMS returns the number under which the service wraps. It is counted up
// by each rotation.
func (k *Keys) adoptKMS(ctx context.Context) (string, error) {
	known, err := k.config.Store.RingKeys(ctx)
	if err != nil {
		return "", err
	}
	for _, key := range known {
		if key.State == latchkey.RingKeyPrimary && strings.HasPrefix(key.ID, ofKMS) {
			return key.ID, nil
		}
	}
	return k.nextKMS(ctx, known)
}

// nextKMS has the service wrap under a new number.
func (k *Keys) nextKMS(ctx context.Context, known []latchkey.RingKey) (string, error) {
	number := 1
	for _, key := range known {
		if strings.HasPrefix(key.ID, ofKMS) {
			number++
		}
	}
	id := ofKMS + strconv.Itoa(number)
	return id, k.config.Store.AdoptRingKey(ctx, id, nil, k.config.Now())
}

// Rotate begins to wrap with a new key. What follows is done by Tend, of any
// process that has the file and the database.
func (k *Keys) Rotate(ctx context.Context) error {
	if k.config.KMS == nil {
		if _, err := k.reload(ctx); err != nil {
			return err
		}
		if err := k.config.Ring.Rotate(); err != nil {
			return err
		}
		_, err := k.Adopt(ctx)
		return err
	}
	known, err := k.config.Store.RingKeys(ctx)
	if err != nil {
		return err
	}
	_, err = k.nextKMS(ctx, known)
	return err
}

func stateOf(known []latchkey.RingKey, id string) latchkey.RingKeyState {
	for _, key := range known {
		if key.ID == id {
			return key.State
		}
	}
	return ""
}

// unwrapped returns the data key that read reads, of that organisation, and
// keeps it in memory. It reads again when the ring has changed meanwhile.
func (k *Keys) unwrapped(ctx context.Context, organisationID string, read func() (latchkey.DataKey, error)) (*seal.DataKey, error) {
	var err error
	for round := range keyRounds {
		var row latchkey.DataKey
		if row, err = read(); err != nil {
			return nil, err
		}
		if row.OrganisationID != organisationID {
			return nil, seal.ErrOpen
		}
		var material []byte
		if material, err = k.unwrap(ctx, row); err == nil {
			defer clear(material)
			key, err := seal.NewDataKey(row.ID, material)
			if err != nil {
				return nil, err
			}
			k.remember(key, organisationID)
			return key, nil
		}
		if k.config.Ring == nil || round == keyRounds-1 {
			break
		}
		if _, reloadErr := k.reload(ctx); reloadErr != nil {
			return nil, errors.Join(err, reloadErr)
		}
	}
	return nil, err
}

// unwrap decrypts a wrapped data key by whatever wrapped it.
func (k *Keys) unwrap(ctx context.Context, row latchkey.DataKey) ([]byte, error) {
	var wrapper Wrapper
	switch {
	case strings.HasPrefix(row.WrappedBy, ofKMS) && k.config.KMS != nil:
		wrapper = k.config.KMS
	case strings.HasPrefix(row.WrappedBy, ofFile) && k.config.Ring != nil:
		wrapper = k.config.Ring
	default:
		return nil, fmt.Errorf("unwrap data key of %s: it was wrapped by %s, which is not configured", row.OrganisationID, row.WrappedBy)
	}
	material, err := wrapper.Unwrap(ctx, wrapBinding(row.OrganisationID, row.ID), row.Wrapped)
	if err != nil {
		return nil, fmt.Errorf("unwrap data key of %s by %s: %w", row.OrganisationID, row.WrappedBy, err)
	}
	return material, nil
}

// Check refuses keys that do not fit the database: a key file that is older than
// it, or lacks a key that something is wrapped by.
func (k *Keys) Check(ctx context.Context) error {
	var err error
	for range keyRounds { // of files: another process may be about to write one
		if err = k.checkOnce(ctx); err == nil || k.config.Ring == nil {
			return err
		}
		if _, reloadErr := k.reload(ctx); reloadErr != nil {
			return reloadErr
		}
	}
	return err
}

func (k *Keys) checkOnce(ctx context.Context) error {
	known, err := k.config.Store.RingKeys(ctx)
	if err != nil {
		return err
	}
	has := map[string]bool{}
	if k.config.Ring != nil {
		for _, id := range k.config.Ring.KeyIDs() {
			has[fileKey(id)] = true
		}
	}
	for _, key := range known {
		if key.State == latchkey.RingKeyDestroyed {
			continue
		}
		if strings.HasPrefix(key.ID, ofKMS) && k.config.KMS == nil {
			return fmt.Errorf("this database was sealed with a key management service (%s), and kms is not configured: configure it", key.ID)
		}
		if strings.HasPrefix(key.ID, ofFile) && !has[key.ID] {
			return fmt.Errorf("the key file lacks %s, which this database needs: it is older than the last rotation, or of a rotation "+
				"that was cut in half; put back the newest copy of the key file", key.ID)
		}
	}
	if k.config.Ring != nil && k.config.KMS == nil {
		if state := stateOf(known, fileKey(k.config.Ring.PrimaryID())); state != "" && state != latchkey.RingKeyPrimary {
			return ErrOldKeyFile
		}
	}
	return nil
}

// reload takes up what another process has changed in the key file.
func (k *Keys) reload(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	return k.config.Ring.Reload(func(other *seal.Ring) bool {
		proof, err := k.config.Store.VaultProof(ctx)
		return err == nil && other.Verify(proof) == nil
	})
}
