package auth

import (
	"context"
	"maps"
	"sync"
	"time"
)

// uses remembers when keys were last used, to the minute, until that is written
// down. It holds one entry a key, and no more keys than are remembered.
type uses struct {
	mu   sync.Mutex
	last map[string]time.Time // by the key's id
}

// note remembers one use.
func (u *uses) note(id string, now time.Time) {
	minute := now.UTC().Truncate(time.Minute)
	u.mu.Lock()
	defer u.mu.Unlock()
	before, known := u.last[id]
	if known && !minute.After(before) || !known && len(u.last) >= remembered {
		return
	}
	if u.last == nil {
		u.last = map[string]time.Time{}
	}
	u.last[id] = minute
}

// take hands out what is remembered and forgets it.
func (u *uses) take() map[string]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.last
	u.last = nil
	return taken
}

// WriteUses hands the latest uses of keys, by their ids and to the minute, to
// write, which is not called when there are none. When it fails they are kept
// for the next time.
func (a *Auth) WriteUses(ctx context.Context, write func(context.Context, map[string]time.Time) error) error {
	taken := a.uses.take()
	if len(taken) == 0 {
		return nil
	}
	err := write(ctx, maps.Clone(taken))
	if err != nil {
		for id, minute := range taken {
			a.uses.note(id, minute)
		}
	}
	return err
}
