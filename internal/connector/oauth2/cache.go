package oauth2

import (
	"sync"
	"time"
)

// cached is a public document that is kept for a while.
type cached[T any] struct {
	mu      sync.Mutex
	value   T
	fetched time.Time // zero: there is none
}

// get returns the document if it is at most as old.
func (c *cached[T]) get(now time.Time, oldest time.Duration) (value T, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	age := now.Sub(c.fetched)
	return c.value, !c.fetched.IsZero() && age >= 0 && age <= oldest
}

// put keeps a document.
func (c *cached[T]) put(value T, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.value, c.fetched = value, now
}
