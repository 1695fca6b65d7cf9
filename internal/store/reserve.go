package store

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// reserveSize is what the reserve holds, in bytes: room for some thousand
// revocations, since while the disk is full the log is copied back after every
// commit and begun anew.
const reserveSize = 8 << 20

// reserveSlice is what is let go of it at once, in bytes: whoever fills the disk
// takes what is let go as well, and must not get all of it.
const reserveSlice = 1 << 20

// reserve is a file of no use but its size. It keeps room on the disk for what
// must be written even when there is none: when the disk is full only what ends
// things is written, and for that it is let go, a slice at a time, until all of
// it can be held again.
//
//	held ──a write found no room──▶ full: let go by slices ──twice its size is free──▶ held
type reserve struct {
	path string
	log  *slog.Logger
	full atomic.Bool
	mu   sync.Mutex // guards what follows, and the file
	left int64      // bytes that are held
}

// newReserve holds the reserve, or says that the disk is full.
func newReserve(path string, log *slog.Logger) *reserve {
	r := &reserve{path: path, log: log}
	if info, err := os.Stat(path); err == nil {
		r.left = info.Size()
	}
	if r.left == reserveSize {
		return r
	}
	if err := r.hold(); err != nil {
		r.runOut(err)
	}
	return r
}

// hold takes the room.
func (r *reserve) hold() error {
	file, err := os.OpenFile(r.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("make the reserve: %w", err)
	}
	err = allocate(file, reserveSize)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Truncate(r.path, r.left)
		return fmt.Errorf("fill the reserve: %w", err)
	}
	r.left = reserveSize
	return nil
}

// allocate gives the file blocks, by writing where the file system knows no
// quicker way.
func allocate(file *os.File, size int64) error {
	err := syscall.Fallocate(int(file.Fd()), 0, 0, size)
	if !errors.Is(err, syscall.EOPNOTSUPP) {
		return err
	}
	chunk := make([]byte, 1<<16)
	for at := int64(0); at < size; at += int64(len(chunk)) {
		if _, err := file.WriteAt(chunk, at); err != nil {
			return err
		}
	}
	return file.Sync()
}

// runOut says that the disk is full, once.
func (r *reserve) runOut(cause error) {
	if !r.full.Swap(true) {
		r.log.Error("the disk is full: only what ends things is written now", "error", cause)
	}
}

// give lets a slice go, and reports whether there was one.
func (r *reserve) give() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left < reserveSlice {
		return false
	}
	r.left -= reserveSlice
	if err := os.Truncate(r.path, r.left); err != nil {
		r.log.Error("the reserve was not let go", "error", err)
		return false
	}
	return true
}

// recover holds the room again if there is enough beside it.
func (r *reserve) recover() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.full.Load() {
		return
	}
	var disk syscall.Statfs_t
	if syscall.Statfs(r.path, &disk) != nil || disk.Bavail*uint64(disk.Bsize) < 2*reserveSize {
		return
	}
	if r.hold() == nil {
		r.full.Store(false)
		r.log.Warn("there is room on the disk again: everything is written")
	}
}
