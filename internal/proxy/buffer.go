package proxy

import "sync"

// bufferSize is that of httputil.ReverseProxy.
const bufferSize = 32 << 10

// bufferPool lends the buffers that bodies are copied through.
type bufferPool struct{ pool sync.Pool }

func newBufferPool() *bufferPool {
	return &bufferPool{pool: sync.Pool{New: func() any { return new([bufferSize]byte) }}}
}

// Get lends a buffer.
func (b *bufferPool) Get() []byte { return b.pool.Get().(*[bufferSize]byte)[:] }

// Put takes a buffer back, emptied: what passed through it was somebody's.
func (b *bufferPool) Put(buffer []byte) {
	clear(buffer)
	b.pool.Put((*[bufferSize]byte)(buffer))
}
