package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

// SQLite has checksums for its log and none for its file: a byte that a disk
// has changed in a name is another name. So a store that closes leaves the
// file's SHA-256 beside it, with its size and the time of its last change, and
// the next start compares. A file that another program has changed since has
// another time: that, and one that was never closed, is only asked for its
// structure.
const sumSuffix = ".sum"

// Bounds of what is read at a start and an end, in bytes: a second or two each.
const (
	summedMost  = 2 << 30
	checkedMost = 64 << 20
)

// fileSum is what a closed file was like.
type fileSum struct {
	size, changed int64 // bytes; nanoseconds since 1970
	sha256        string
}

func (s fileSum) String() string { return fmt.Sprintf("%d %d %s\n", s.size, s.changed, s.sha256) }

// likeness is what a file is like, without its content.
func likeness(path string) (fileSum, error) {
	info, err := os.Stat(path)
	if err != nil {
		return fileSum{}, err
	}
	return fileSum{size: info.Size(), changed: info.ModTime().UnixNano()}, nil
}

// sumOf reads a whole file. SQLite must not have it open in this process: to
// close a file ends all locks that the process has on it (fcntl, POSIX).
func sumOf(path string) (fileSum, error) {
	sum, err := likeness(path)
	if err != nil {
		return sum, err
	}
	file, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer func() { _ = file.Close() }()
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil {
		return sum, err
	}
	sum.sha256 = hex.EncodeToString(digest.Sum(nil))
	return sum, nil
}

// leaveSum notes what a closed file is like. Where another process has it open
// it is not closed; a note that can't be written is none.
func leaveSum(path string) {
	if isOpen(path) {
		return
	}
	if like, err := likeness(path); err != nil || like.size > summedMost {
		return
	}
	sum, err := sumOf(path)
	if err != nil {
		return
	}
	file, err := os.OpenFile(path+sumSuffix, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_, err = io.WriteString(file, sum.String())
	if errors.Join(err, file.Close()) != nil {
		_ = os.Remove(path + sumSuffix)
	}
}

// isOpen reports whether a process has the file open, or died with it: the last
// to close it removes the log.
func isOpen(path string) bool {
	_, log := os.Stat(path + "-wal")
	_, index := os.Stat(path + "-shm")
	return log == nil || index == nil
}

// takeSum compares a file with the note that was left of it, and takes the note
// away. It reports whether the file is proved to be as it was.
func takeSum(path string) (bool, error) {
	text, err := os.ReadFile(path + sumSuffix)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read what the database was like: %w", err)
	}
	var left fileSum
	if _, err := fmt.Sscan(string(text), &left.size, &left.changed, &left.sha256); err != nil {
		return false, os.Remove(path + sumSuffix) // not written to its end
	}
	like, err := likeness(path)
	if err != nil {
		return false, fmt.Errorf("look at the database: %w", err)
	}
	if like.changed != left.changed || isOpen(path) {
		return false, os.Remove(path + sumSuffix)
	}
	if like.size == left.size {
		if like, err = sumOf(path); err != nil {
			return false, fmt.Errorf("read the database: %w", err)
		}
	}
	if like != left {
		return false, fmt.Errorf("%s is damaged: it is not as it was when it was closed; restore a backup", path)
	}
	return true, os.Remove(path + sumSuffix)
}

// checkStructure asks SQLite whether a file is sound that nothing is known of.
func checkStructure(ctx context.Context, db *sql.DB, path string) error {
	if like, err := likeness(path); err != nil || like.size > checkedMost {
		return err
	}
	var answer string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&answer); err != nil {
		return fmt.Errorf("%s is damaged; restore a backup: %w", path, err)
	}
	if answer != "ok" {
		return fmt.Errorf("%s is damaged; restore a backup: %s", path, answer)
	}
	return nil
}
