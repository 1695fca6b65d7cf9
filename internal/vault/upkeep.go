package vault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"latchkey"
	"latchkey/internal/vault/seal"
)

const (
	upkeepBatch = 32 // keys in one step
	// retiredFor is how long a retired data key stays although nothing needs it:
	// a replica may have sealed with it just before, and be about to commit.
	retiredFor = time.Hour
	// upkeepPause is between two steps, so that who waits for the database gets
	// their turn.
	upkeepPause = 10 * time.Millisecond
)

// UpkeepStore is what the upkeep of keys needs kept.
type UpkeepStore interface {
	KeyWork(ctx context.Context, ringKey string, now time.Time, low, high []byte) (latchkey.KeyWork, error)
	DataKeysNotBy(ctx context.Context, ringKey string, limit int) ([]latchkey.DataKey, error)
	RewrapDataKey(ctx context.Context, before latchkey.DataKey, wrapped []byte, by string) error
	DataKeysToReplace(ctx context.Context, now time.Time, limit int) ([]latchkey.DataKey, error)
	RetiredDataKeys(ctx context.Context, limit int) ([]latchkey.DataKey, error)
	DestroyDataKey(ctx context.Context, id int64, low, high []byte) error
	DestroyRingKey(ctx context.Context, id string, low, high []byte, now time.Time) error
}

// Tend does what there is to do about keys, in small steps, until ctx ends or
// nothing is left that can be done now. Any number of processes may do it at
// once, and each may be killed at any moment: what one leaves the next finds.
//
//	a new ring key ─▶ data keys are wrapped anew ─────────────────────────▶ the old ring key is destroyed
//	a data key is due ─▶ another takes its place ─▶ secrets are sealed anew ─▶ the old data key is destroyed
func (k *Keys) Tend(ctx context.Context) error {
	if k.config.Ring != nil {
		if _, err := k.reload(ctx); err != nil {
			return fmt.Errorf("read the key file again: %w", err)
		}
	}
	for ctx.Err() == nil {
		done, err := k.tendOnce(ctx)
		if err != nil || done == 0 {
			return err
		}
		pause := time.NewTimer(upkeepPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
		}
	}
	return nil // cut short: the next turn goes on
}

// tendOnce does one step of everything and returns how much that was.
func (k *Keys) tendOnce(ctx context.Context) (done int, err error) {
	now := k.config.Now()
	low, high := seal.RingPrefixes()
	work, err := k.config.Upkeep.KeyWork(ctx, k.wanted(), now, low, high)
	if err != nil {
		return 0, err
	}
	primary := work.Primary
	if k.config.KMS == nil && primary != k.wanted() || k.config.KMS != nil && !strings.HasPrefix(primary, ofKMS) {
		if primary, err = k.Adopt(ctx); err != nil {
			return 0, err
		}
		work.Retiring, work.WrappedElse = true, true
	}
	if k.config.KMS != nil {
		work.WrappedElse = true // its number is known only now
	}
	for _, step := range []struct {
		due bool
		do  func(context.Context, string) (int, error)
	}{
		{work.WrappedElse, k.rewrap}, {work.Due, k.replaceDue}, {work.ByRing, k.resealOfRing},
		{work.Retired, k.resealOfRetired}, {work.Retiring || k.isMany(), k.destroyRingKeys},
	} {
		if !step.due {
			continue
		}
		count, err := step.do(ctx, primary)
		if done += count; err != nil {
			return done, err
		}
	}
	return done, nil
}

// isMany reports whether the file holds keys beside the newest.
func (k *Keys) isMany() bool { return k.config.Ring != nil && len(k.config.Ring.KeyIDs()) > 1 }

// wanted is the ring key that should wrap; empty: the database says which.
func (k *Keys) wanted() string {
	if k.config.KMS != nil {
		return ""
	}
	return fileKey(k.config.Ring.PrimaryID())
}

// rewrap wraps some data keys by the primary that another wrapped.
func (k *Keys) rewrap(ctx context.Context, primary string) (int, error) {
	list, err := k.config.Upkeep.DataKeysNotBy(ctx, primary, upkeepBatch)
	if err != nil {
		return 0, err
	}
	for i, row := range list {
		material, err := k.unwrap(ctx, row)
		if err != nil {
			return i, err
		}
		err = k.wrapping(ctx, row, material, func(wrapped []byte, by string) error {
			return k.config.Upkeep.RewrapDataKey(ctx, row, wrapped, by)
		})
		clear(material)
		if err != nil {
			return i, fmt.Errorf("wrap data key of %s anew: %w", row.OrganisationID, err)
		}
	}
	return len(list), nil
}

// replaceDue puts other keys in the place of some that have sealed long enough.
func (k *Keys) replaceDue(ctx context.Context, _ string) (int, error) {
	list, err := k.config.Upkeep.DataKeysToReplace(ctx, k.config.Now(), upkeepBatch)
	if err != nil {
		return 0, err
	}
	for i, row := range list {
		if _, err := k.make(ctx, row.OrganisationID, row.ID); err != nil {
			return i, err
		}
		k.mu.Lock()
		delete(k.sealing, row.OrganisationID)
		k.mu.Unlock()
	}
	return len(list), nil
}

// resealOfRetired seals some of what retired keys sealed anew, and destroys
// those that nothing needs any more.
func (k *Keys) resealOfRetired(ctx context.Context, _ string) (int, error) {
	list, err := k.config.Upkeep.RetiredDataKeys(ctx, upkeepBatch)
	if err != nil {
		return 0, err
	}
	done := 0
	for _, row := range list {
		low, high := PrefixesOf(row.ID)
		count, err := k.reseal(ctx, "data key "+strconv.FormatInt(row.ID, 16), low, high)
		if done += count; err != nil {
			return done, err
		}
		if count > 0 || k.config.Now().Sub(row.RetiredAt) < retiredFor {
			continue
		}
		err = k.config.Upkeep.DestroyDataKey(ctx, row.ID, low, high)
		if latchkey.CodeOf(err) == latchkey.Conflict {
			continue // something that can't be sealed anew is left: it has been logged
		}
		if err != nil {
			return done, fmt.Errorf("destroy data key of %s: %w", row.OrganisationID, err)
		}
		done++
		k.mu.Lock()
		delete(k.opening, row.ID)
		k.mu.Unlock()
	}
	return done, nil
}

// resealOfRing seals some of what releases before data keys sealed.
func (k *Keys) resealOfRing(ctx context.Context, _ string) (int, error) {
	if err := k.resealFingerprint(ctx); err != nil {
		return 0, err
	}
	low, high := seal.RingPrefixes()
	return k.reseal(ctx, "the ring", low, high)
}

// PrefixesOf returns the bounds of what the envelopes of a data key begin with:
// from low, and before high.
func PrefixesOf(id int64) (low, high []byte) {
	low = seal.DataKeyPrefix(id)
	return low, append(seal.DataKeyPrefix(id), 0)
}

// destroyRingKeys ends the retiring ring keys that nothing needs any more: in
// the database first, which then takes nothing that they wrap, and in the file.
func (k *Keys) destroyRingKeys(ctx context.Context, _ string) (int, error) {
	known, err := k.config.Store.RingKeys(ctx)
	if err != nil {
		return 0, err
	}
	done := 0
	for _, key := range known {
		if key.State != latchkey.RingKeyRetiring {
			continue
		}
		var low, high []byte
		if strings.HasPrefix(key.ID, ofFile) {
			low, high = seal.RingPrefixes()
		}
		err := k.config.Upkeep.DestroyRingKey(ctx, key.ID, low, high, k.config.Now())
		if latchkey.CodeOf(err) == latchkey.Conflict {
			continue
		}
		if err != nil {
			return done, err
		}
		done++
		k.config.Log.InfoContext(ctx, "a ring key is destroyed", slog.String("key", key.ID))
	}
	return done, k.dropDestroyed(ctx)
}

// dropDestroyed removes from the file the keys that the database has ended.
func (k *Keys) dropDestroyed(ctx context.Context) error {
	if k.config.Ring == nil {
		return nil
	}
	known, err := k.config.Store.RingKeys(ctx)
	if err != nil {
		return err
	}
	for _, id := range k.config.Ring.KeyIDs() {
		if stateOf(known, fileKey(id)) != latchkey.RingKeyDestroyed || id == k.config.Ring.PrimaryID() {
			continue
		}
		err := k.config.Ring.Drop(id)
		if err == nil || errors.Is(err, seal.ErrMovedOn) {
			continue // another process has, or does so next time
		}
		return fmt.Errorf("destroy ring key %s: %w", fileKey(id), err)
	}
	return nil
}
