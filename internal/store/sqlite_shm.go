//go:build unix

package store

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// The index of the write-ahead log begins with two copies of a header, the second
// of which is written first, and how much of the log has been copied back (SQLite's
// "WAL-mode file format", section 2.1). Numbers are the machine's own, salts the log's.
const (
	indexHeader = 48
	indexChange = 8  // where in a header the count of changes is
	indexPages  = 16 // where how many pages the log holds is
	indexSalts  = 32
	indexCopied = 2 * indexHeader // where how many of the pages have been copied back is
	indexMapped = indexCopied + 4
)

// logIndex is the memory that all processes share which have a database open, in
// which SQLite keeps how its log stands.
type logIndex struct {
	file   *os.File
	memory []byte
}

// openLogIndex opens the index of a database that is open. The file must not
// be closed before SQLite has closed it: by closing any of its descriptors a
// process gives up all its locks of a file (POSIX, close).
func openLogIndex(path string) (*logIndex, error) {
	file, err := os.Open(path + "-shm")
	if err != nil {
		return nil, fmt.Errorf("open the index of the log: %w", err)
	}
	memory, err := syscall.Mmap(int(file.Fd()), 0, indexMapped, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the index of the log: %w", err) // the file stays open
	}
	return &logIndex{file, memory}, nil
}

func (i *logIndex) word(at int) uint32 {
	return atomic.LoadUint32((*uint32)(unsafe.Pointer(&i.memory[at])))
}

// commits is the count of commits: who has seen it knows that nobody has committed since.
func (i *logIndex) commits() uint32 { return i.word(indexHeader + indexChange) }

// state tells how the log stands, unless somebody is just writing that down.
func (i *logIndex) state() (state logState, ok bool) {
	if i == nil {
		return state, false
	}
	var header [indexHeader]byte
	for at := 0; at < indexHeader; at += 4 {
		binary.NativeEndian.PutUint32(header[at:], i.word(at))
	}
	copied := i.word(indexCopied)
	for at := 0; at < indexHeader; at += 4 {
		if i.word(indexHeader+at) != binary.NativeEndian.Uint32(header[at:]) {
			return state, false
		}
	}
	return logState{
		pages: int64(binary.NativeEndian.Uint32(header[indexPages:])), copied: int64(copied),
		salt1: binary.BigEndian.Uint32(header[indexSalts:]), salt2: binary.BigEndian.Uint32(header[indexSalts+4:]),
	}, true
}
