package proxy

import "sync"

// bufferSize is twice that of httputil.ReverseProxy: what a long answer costs is
// reads and writes, and the fewer there are the better.
const bufferSize = 64 << 10

// bufferPool lends the buffers that bodies are copied through.
type bufferPool struct{ pool sync.Pool }

func newBufferPool() *bufferPool {
	return &bufferPool{pool: sync.Pool{New: func() any { return new([bufferSize]byte) }}}
}

// lentBuffers are those of one call. They go back emptied, since what passed
// through them was somebody's; most answers are short, so it is noted how much
// of a buffer was used at most.
type lentBuffers struct {
	pool *bufferPool
	used int
}

// note tells that so many bytes of a buffer were used.
func (l *lentBuffers) note(used int) { l.used = max(l.used, min(used, bufferSize)) }

// Get lends a buffer.
func (l *lentBuffers) Get() []byte { return l.pool.pool.Get().(*[bufferSize]byte)[:] }

// Put takes a buffer back.
func (l *lentBuffers) Put(buffer []byte) {
	clear(buffer[:l.used])
	l.pool.pool.Put((*[bufferSize]byte)(buffer))
}
