// Package recent remembers answers of the store for less than a second, so
// that what every request asks for is read once and not ten thousand times. An
// answer is forgotten at once when word of a change arrives, and by its age
// when none does: a change made anywhere is obeyed everywhere within a second.
//
//	Get ─▶ young enough? ─▶ the answer
//	    └─▶ load ─▶ kept, unless Forget came meanwhile ─▶ the answer
package recent

import (
	"sync"
	"time"
)

// Age is how old an answer may be. What was revoked is dead everywhere within a
// second, so it must be less.
const Age = 800 * time.Millisecond

// limit bounds how many answers are remembered; when it is reached all are
// forgotten.
const limit = 10_000

// Answers remembers values by keys, each of one owner. Its methods are safe for
// concurrent use.
type Answers[K comparable, V any] struct {
	now     func() time.Time
	mu      sync.RWMutex
	known   map[K]answer[V]
	changes int64 // how often something was forgotten
}

type answer[V any] struct {
	value V
	owner string
	at    time.Time
}

// New returns an empty memory that goes by the clock.
func New[K comparable, V any](now func() time.Time) *Answers[K, V] {
	return &Answers[K, V]{now: now, known: map[K]answer[V]{}}
}

// Get returns what is remembered of the key, or loads it with its owner. An
// error is not remembered.
func (a *Answers[K, V]) Get(key K, load func() (value V, owner string, err error)) (V, error) {
	now := a.now()
	a.mu.RLock()
	known, ok := a.known[key]
	changes := a.changes
	a.mu.RUnlock()
	if age := now.Sub(known.at); ok && age >= 0 && age < Age {
		return known.value, nil
	}
	value, owner, err := load()
	if err != nil {
		return value, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.changes == changes { // else it may be from before the change
		if len(a.known) >= limit {
			clear(a.known)
		}
		a.known[key] = answer[V]{value: value, owner: owner, at: now}
	}
	return value, nil
}

// Forget drops what belongs to the owner, or everything for "".
func (a *Answers[K, V]) Forget(owner string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes++
	for key, known := range a.known {
		if owner == "" || known.owner == owner {
			delete(a.known, key)
		}
	}
}
