package simtest

import (
	"context"
	"sync"
	"time"

	"latchkey"
	"latchkey/internal/store"
)

// bug is a planted mistake in what stands between the rooms and the database.
type bug int

// The planted bugs, one for each invariant.
const (
	none          bug = iota
	bugUnasked        // I1: a step's record of consent is not written
	bugStaleCache     // I2: a replica opens credentials from memory
	bugPassesOver     // I3: a failed event counts as delivered, and the next goes out
	bugForgetful      // I4: a session is acknowledged before it is written, and a crash forgets it
	bugLooseLease     // I5: everybody gets the lease of a refresh
	bugOthersRow      // I6: a connection is found by its id alone
)

// cacheTime is how long the stale cache trusts what it has read.
const cacheTime = 20 * time.Second

// cache is the memory of bugStaleCache.
type cache struct {
	mu   sync.Mutex
	read map[string]cached
}

type cached struct {
	at    time.Time
	found opened
}

func (c *cache) get(id string) (opened, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.read[id]
	return known.found, ok && time.Since(known.at) < cacheTime
}

func (c *cache) put(id string, found opened) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read == nil {
		c.read = map[string]cached{}
	}
	c.read[id] = cached{time.Now(), found}
}

// unwritten holds what bugForgetful has acknowledged: it is written when it is
// next looked for, unless the replica that took it has crashed before.
type unwritten struct {
	mu       sync.Mutex
	sessions map[string]waiting // by the hash of their secret
}

type waiting struct {
	by      *replica
	session *latchkey.LinkSession
}

func (u *unwritten) add(by *replica, session *latchkey.LinkSession) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.sessions == nil {
		u.sessions = map[string]waiting{}
	}
	u.sessions[session.SecretHash] = waiting{by, session}
}

// write writes a session that is waiting, if there is one.
func (u *unwritten) write(ctx context.Context, store *store.Store, secretHash string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if waiting, ok := u.sessions[secretHash]; ok {
		delete(u.sessions, secretHash)
		_ = store.CreateLinkSession(ctx, waiting.session)
	}
}

// forget drops what the crashed replica has not written.
func (u *unwritten) forget(crashed *replica) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for hash, waiting := range u.sessions {
		if waiting.by == crashed {
			delete(u.sessions, hash)
		}
	}
}
