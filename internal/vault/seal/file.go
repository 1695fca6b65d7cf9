package seal

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/tink-crypto/tink-go/v2/keyset"
)

const (
	fileMode = 0o600
	dirMode  = 0o700
)

// OpenFile returns the ring of a key file. The error wraps fs.ErrNotExist when
// there is none; then, and only when the database is new, CreateFile makes
// one. Any other error is a file that must not be used, and says what to do.
func OpenFile(path string) (*Ring, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	handle, err := parseFile(text)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	ring, err := ringOf(handle, rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	ring.path, ring.onDisk = path, sha256.Sum256(text)
	return ring, nil
}

// ErrForeign says that a key file was replaced by one of another ring.
var ErrForeign = errors.New("it holds none of the keys in use: put back the key file of this database")

// Reload takes up what another process has changed in the key file, and
// reports whether that was anything. A file with none of the keys in use is
// taken only if it is known to be the database's: whole rotations may have
// passed. On an error the ring stays as it was.
func (r *Ring) Reload(known func(other *Ring) bool) (changed bool, err error) {
	r.changing.Lock()
	defer r.changing.Unlock()
	if r.path == "" {
		return false, nil
	}
	text, err := readFile(r.path)
	if err != nil {
		return false, err
	}
	defer clear(text)
	digest := sha256.Sum256(text)
	if digest == r.onDisk {
		return false, nil
	}
	handle, err := parseFile(text)
	if err != nil {
		return false, fmt.Errorf("key file %s: %w", r.path, err)
	}
	next, err := keysOf(handle)
	if err != nil {
		return false, fmt.Errorf("key file %s: %w", r.path, err)
	}
	other := &Ring{random: r.random}
	other.keys.Store(next)
	if !slices.ContainsFunc(next.ids, r.Has) && (known == nil || !known(other)) {
		return false, fmt.Errorf("key file %s: %w", r.path, ErrForeign)
	}
	r.keys.Store(next)
	r.onDisk = digest
	return true, nil
}

// CreateFile makes a ring with one key and its file, mode 0600, in a directory
// that is made with mode 0700 where there is none. The file is on disk when it
// returns. It never replaces a file: then the error wraps fs.ErrExist. A nil
// random is crypto/rand.
func CreateFile(path string, random io.Reader) (*Ring, error) {
	ring, err := NewRing(random)
	if err != nil {
		return nil, err
	}
	if err := makeDirectory(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("make directory of key file: %w", err)
	}
	unlock, err := lockDirectory(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("create key file %s: %w", path, fs.ErrExist)
	}
	written, err := writeFile(path, ring.keys.Load().handle)
	if err != nil {
		return nil, err
	}
	ring.path, ring.onDisk = path, written
	return ring, nil
}

// ErrMovedOn says that another process has changed the key file since it was
// read. Reload, and try again.
var ErrMovedOn = errors.New("it was changed by somebody else meanwhile; try again")

// replaceFile writes a changed ring over the file that known is the digest of.
// A file that somebody else changed meanwhile is left alone: writing over it
// would lose a key.
func replaceFile(path string, known [sha256.Size]byte, handle *keyset.Handle) ([sha256.Size]byte, error) {
	unlock, err := lockDirectory(filepath.Dir(path))
	if err != nil {
		return known, err
	}
	defer unlock()
	text, err := readFile(path)
	if err != nil {
		return known, err
	}
	defer clear(text)
	if sha256.Sum256(text) != known {
		return known, fmt.Errorf("key file %s: %w", path, ErrMovedOn)
	}
	return writeFile(path, handle)
}

// writeFile puts the ring's text in place of path at once, and returns its
// digest once file and name are on disk. The caller holds the directory's
// lock, so that what an interrupted writer left behind can be removed.
func writeFile(path string, handle *keyset.Handle) (digest [sha256.Size]byte, err error) {
	text, err := formatFile(handle)
	if err != nil {
		return digest, err
	}
	defer clear(text)
	draft := path + ".new"
	if err := os.Remove(draft); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return digest, fmt.Errorf("write key file: %w", err)
	}
	if err := writeDraft(draft, text); err != nil {
		_ = os.Remove(draft)
		return digest, fmt.Errorf("write key file: %w", err)
	}
	if err := os.Rename(draft, path); err != nil {
		_ = os.Remove(draft)
		return digest, fmt.Errorf("write key file: %w", err)
	}
	if err := syncDirectory(filepath.Dir(path)); err != nil {
		return digest, fmt.Errorf("write key file: %w", err)
	}
	return sha256.Sum256(text), nil
}

// writeDraft writes a new file of mode 0600, whatever the umask, to the disk.
func writeDraft(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, fileMode)
	if err != nil {
		return err
	}
	err = file.Chmod(fileMode)
	if err == nil {
		_, err = file.Write(text)
	}
	return errors.Join(err, file.Sync(), file.Close())
}

// makeDirectory makes a directory durably, where there is none. One that is
// there keeps its mode: it may hold more than the key file.
func makeDirectory(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(path, dirMode); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// syncDirectory makes the names in a directory durable.
func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}

// lockDirectory keeps other processes from changing a key file in it. The lock
// ends with the process at the latest.
func lockDirectory(path string) (unlock func(), err error) {
	directory, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("lock directory of key file: %w", err)
	}
	if err := syscall.Flock(int(directory.Fd()), syscall.LOCK_EX); err != nil {
		_ = directory.Close()
		return nil, fmt.Errorf("lock directory of key file: %w", err)
	}
	return func() { _ = directory.Close() }, nil
}
