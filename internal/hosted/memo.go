package hosted

import "sync"

// memo remembers what is worked out from its key alone, so that there is
// nothing to invalidate: who has the same key gets the same. When it holds more
// than its bound, all is forgotten. Its methods are safe for concurrent use.
type memo[V any] struct {
	bound int // of keys and values together, in bytes
	mu    sync.RWMutex
	held  int
	known map[string]V
}

// memoEntry is about what an entry takes beside its key and value, in bytes.
const memoEntry = 128

func newMemo[V any](bound int) *memo[V] { return &memo[V]{bound: bound, known: map[string]V{}} }

// find returns what is remembered of the key. The key is not kept.
func (m *memo[V]) find(key []byte) (V, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	value, ok := m.known[string(key)]
	return value, ok
}

// findText is find for a key that is a text.
func (m *memo[V]) findText(key string) (V, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	value, ok := m.known[key]
	return value, ok
}

// keep remembers a value of so many bytes.
func (m *memo[V]) keep(key []byte, value V, size int) {
	size += len(key) + memoEntry
	if size > m.bound {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.known[string(key)]; ok { // somebody was faster, with the same
		return
	}
	if m.held+size > m.bound {
		clear(m.known)
		m.held = 0
	}
	m.known[string(key)] = value
	m.held += size
}
