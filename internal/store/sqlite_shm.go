//go:build unix

package store

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// The index of the write-ahead log begins with two copies of a header (SQLite's
// "WAL-mode file format", section 2.1). The second is written first.
const (
	indexHeader = 48
	indexChange = 8 // where in a header the count of changes is
)

// commitCount is the count of commits that SQLite keeps in the memory that all
// processes share which have the file open: who has seen it knows that nobody has
// committed since.
type commitCount struct {
	file   *os.File
	memory []byte
}

// openCommitCount opens the count of a database that is open. The file must not
// be closed before SQLite has closed it: by closing any of its descriptors a
// process gives up all its locks of a file (POSIX, close).
func openCommitCount(path string) (*commitCount, error) {
	file, err := os.Open(path + "-shm")
	if err != nil {
		return nil, fmt.Errorf("open the index of the log: %w", err)
	}
	memory, err := syscall.Mmap(int(file.Fd()), 0, 2*indexHeader, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the index of the log: %w", err) // the file stays open
	}
	return &commitCount{file, memory}, nil
}

func (c *commitCount) load() uint32 {
	return atomic.LoadUint32((*uint32)(unsafe.Pointer(&c.memory[indexHeader+indexChange])))
}
