package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// newFile makes a key file in a directory of its own.
func newFile(t testing.TB) (*Ring, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data", "latchkey.keys")
	ring, err := CreateFile(path, &stream{seed: t.Name()})
	if err != nil {
		t.Fatalf("CreateFile: %v", err)
	}
	return ring, path
}

func mustOpenFile(t testing.TB, path string) *Ring {
	t.Helper()
	ring, err := OpenFile(path)
	if err != nil {
		t.Fatalf("OpenFile: %v", err)
	}
	return ring
}

func TestKeyFile(t *testing.T) {
	t.Run("a ring comes back from its file", func(t *testing.T) {
		ring, path := newFile(t)
		again := mustOpenFile(t, path)
		if opened, err := again.Open(credential, mustSeal(t, ring, credential, "secret")); err != nil || string(opened) != "secret" {
			t.Errorf("Open under the ring read back: %v", err)
		}
	})
	t.Run("the file says what it is", func(t *testing.T) {
		_, path := newFile(t)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(text, []byte("# The key ring of a Latchkey server")) || !bytes.Contains(text, []byte("Never commit it")) {
			t.Error("the file does not begin with what it is")
		}
	})
	t.Run("a file that is there is never replaced", func(t *testing.T) {
		_, path := newFile(t)
		before, _ := os.ReadFile(path)
		if _, err := CreateFile(path, nil); !errors.Is(err, fs.ErrExist) {
			t.Errorf("CreateFile = %v, want fs.ErrExist", err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Error("the file changed")
		}
	})
	t.Run("of many who create at once one succeeds", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "keys")
		var group sync.WaitGroup
		rings := make([]*Ring, 8)
		for i := range rings {
			group.Go(func() { rings[i], _ = CreateFile(path, nil) })
		}
		group.Wait()
		made, kept := 0, mustOpenFile(t, path).PrimaryID()
		for _, ring := range rings {
			if ring != nil {
				made++
				if ring.PrimaryID() != kept {
					t.Error("the one that succeeded has another key than the file")
				}
			}
		}
		if made != 1 {
			t.Errorf("%d succeeded, want 1", made)
		}
	})
	t.Run("what an interrupted writer left behind does not matter", func(t *testing.T) {
		ring, path := newFile(t)
		if err := os.WriteFile(path+".new", []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := ring.Rotate(); err != nil {
			t.Fatalf("Rotate: %v", err)
		}
		if mustOpenFile(t, path).PrimaryID() != ring.PrimaryID() {
			t.Error("the file holds another primary")
		}
		if _, err := os.Lstat(path + ".new"); !errors.Is(err, fs.ErrNotExist) {
			t.Error("the leftover is still there")
		}
	})
}

func TestFileRotation(t *testing.T) {
	t.Run("a rotation and a drop are in the file", func(t *testing.T) {
		ring, path := newFile(t)
		first := ring.PrimaryID()
		old := mustSeal(t, ring, credential, "old")
		if err := ring.Rotate(); err != nil {
			t.Fatalf("Rotate: %v", err)
		}
		again := mustOpenFile(t, path)
		if again.PrimaryID() != ring.PrimaryID() || len(again.KeyIDs()) != 2 {
			t.Errorf("the file holds %v, primary %d", again.KeyIDs(), again.PrimaryID())
		}
		if _, err := again.Open(credential, old); err != nil {
			t.Errorf("Open of what the old key sealed: %v", err)
		}
		if err := again.Drop(first); err != nil {
			t.Fatalf("Drop: %v", err)
		}
		if ids := mustOpenFile(t, path).KeyIDs(); len(ids) != 1 || ids[0] != ring.PrimaryID() {
			t.Errorf("the file holds %v after the drop", ids)
		}
	})
	t.Run("two processes can't lose each other's key", func(t *testing.T) {
		one, path := newFile(t)
		two := mustOpenFile(t, path)
		if err := one.Rotate(); err != nil {
			t.Fatal(err)
		}
		before := two.PrimaryID()
		if err := two.Rotate(); err == nil || two.PrimaryID() != before {
			t.Errorf("Rotate over a file that moved on = %v, primary %d, was %d", err, two.PrimaryID(), before)
		}
		if mustOpenFile(t, path).PrimaryID() != one.PrimaryID() {
			t.Error("the first one's key is gone")
		}
	})
	t.Run("a ring whose file is gone stays as it was", func(t *testing.T) {
		ring, path := newFile(t)
		before := ring.PrimaryID()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := ring.Rotate(); !errors.Is(err, fs.ErrNotExist) || ring.PrimaryID() != before {
			t.Errorf("Rotate = %v, primary %d, was %d", err, ring.PrimaryID(), before)
		}
	})
}

func TestFileModes(t *testing.T) {
	t.Run("under umask 000 the file is 0600 and its directory 0700", func(t *testing.T) {
		defer syscall.Umask(syscall.Umask(0))
		ring, path := newFile(t)
		checkMode := func(name string, want fs.FileMode) {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Printf("RESULT V-8.%s %04o %04o\n", filepath.Base(name), info.Mode().Perm(), want)
			if info.Mode().Perm() != want {
				t.Errorf("%s has mode %04o, want %04o", filepath.Base(name), info.Mode().Perm(), want)
			}
		}
		checkMode(path, 0o600)
		checkMode(filepath.Dir(path), 0o700)
		if err := ring.Rotate(); err != nil {
			t.Fatal(err)
		}
		checkMode(path, 0o600)
	})
	t.Run("under umask 777 the file can still be read by its owner", func(t *testing.T) {
		directory := t.TempDir()
		path := filepath.Join(directory, "keys")
		defer syscall.Umask(syscall.Umask(0o777))
		if _, err := CreateFile(path, nil); err != nil {
			t.Fatal(err)
		}
		if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
			t.Errorf("mode %04o, want 0600", info.Mode().Perm())
		}
	})
}

func TestUnusableFiles(t *testing.T) {
	write := func(text []byte, mode fs.FileMode) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			if err := errors.Join(os.WriteFile(path, text, mode), os.Chmod(path, mode)); err != nil {
				t.Fatal(err)
			}
		}
	}
	chmod := func(mode fs.FileMode) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	replace := func(put func(path string) error) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			if err := errors.Join(os.Rename(path, path+".old"), put(path)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name, says string
		spoil      func(t *testing.T, path string)
	}{
		{"a file that the group may read", "chmod", chmod(0o640)},
		{"a file that everybody may read", "chmod", chmod(0o644)},
		{"a file that others may write", "chmod", chmod(0o602)},
		{"an empty file", "restore it", write(nil, 0o600)},
		{"a file of noise", "restore it", write([]byte("\x00\xffnoise"), 0o600)},
		{"only comments", "restore it", write([]byte("# a\n# b"), 0o600)},
		{"a file without end", "restore it", write(bytes.Repeat([]byte("# long\n"), maxFileSize), 0o600)},
		{"a directory", "regular file", replace(func(path string) error { return os.Mkdir(path, 0o700) })},
		{"a named pipe", "regular file", replace(func(path string) error { return syscall.Mkfifo(path, 0o600) })},
		{"a symbolic link to a good file", "symbolic link", replace(func(path string) error { return os.Symlink(path+".old", path) })},
		{"a missing file", "no such file", replace(func(string) error { return nil })},
	} {
		t.Run(c.name+" is refused and the error says what to do", func(t *testing.T) {
			_, path := newFile(t)
			c.spoil(t, path)
			_, err := OpenFile(path)
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("OpenFile = %v, want an error that names the file and says %q", err, c.says)
			}
		})
	}
	t.Run("a file of another user is refused", func(t *testing.T) {
		_, path := newFile(t)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := private(info, os.Geteuid()+1); err == nil || !strings.Contains(err.Error(), "chown") {
			t.Errorf("private = %v, want an error that says chown", err)
		}
	})
	t.Run("the wrong file is found out by the proof", func(t *testing.T) {
		ring, _ := newFile(t)
		proof, err := ring.Proof()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "other")
		if _, err := CreateFile(path, nil); err != nil {
			t.Fatal(err)
		}
		if err := mustOpenFile(t, path).Verify(proof); !errors.Is(err, ErrWrongKey) {
			t.Errorf("Verify = %v, want ErrWrongKey", err)
		}
	})
}

func TestFileFormat(t *testing.T) {
	ring := newRing(t)
	text, err := formatFile(ring.keys.Load().handle)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("formatting undoes parsing", func(t *testing.T) {
		handle, err := parseFile(text)
		if err != nil {
			t.Fatalf("parseFile: %v", err)
		}
		if again, err := formatFile(handle); err != nil || !bytes.Equal(again, text) {
			t.Errorf("formatFile(parseFile(x)) is not x: %v", err)
		}
	})
	t.Run("a file cut off anywhere is refused", func(t *testing.T) {
		for n := range len(text) - 1 { // without its last newline it is still whole
			if _, err := parseFile(text[:n]); !errors.Is(err, errCorrupt) {
				t.Errorf("the first %d bytes parse: %v", n, err)
			}
		}
	})
	t.Run("a bit changed behind the comment is refused", func(t *testing.T) {
		for bit := 8 * len(fileComment); bit < 8*(len(text)-1); bit++ {
			changed := bytes.Clone(text)
			changed[bit/8] ^= 1 << (bit % 8)
			if handle, err := parseFile(changed); err == nil && !sameKeys(handle, ring) {
				t.Errorf("bit %d changed gives another ring", bit)
			}
		}
	})
	t.Run("a keyset of foreign keys is refused", func(t *testing.T) {
		foreign, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keysOf(foreign); err == nil {
			t.Error("an AES-GCM keyset became a ring")
		}
		foreign, err = keyset.NewHandle(aead.XAES256GCM192BitNonceNoPrefixKeyTemplate())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keysOf(foreign); err == nil {
			t.Error("keys without a prefix became a ring")
		}
	})
}

// sameKeys reports whether the keyset is the ring's.
func sameKeys(handle *keyset.Handle, ring *Ring) bool {
	one, oneErr := formatFile(handle)
	two, twoErr := formatFile(ring.keys.Load().handle)
	return oneErr == nil && twoErr == nil && bytes.Equal(one, two)
}

func FuzzParseKeyset(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0x08, 0x01, 0x12, 0x00})
	f.Add([]byte("\x08\x01\x12\x10\x0a\x06type/x\x12\x00\x18\x01\x10\x01\x18\x01\x20\x01"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		handle, err := parseKeyset(raw)
		if err != nil {
			return
		}
		made, err := keysOf(handle)
		if err != nil {
			return
		}
		if _, err := made.aead.Encrypt([]byte("x"), nil); err != nil {
			t.Errorf("a keyset that is accepted does not seal: %v", err)
		}
	})
}
