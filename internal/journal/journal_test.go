package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey"
)

func entry(n int) latchkey.JournalEntry {
	return latchkey.JournalEntry{
		Kind: latchkey.JournalConnection, Subject: fmt.Sprintf("conn_%d", n), Version: int64(n), At: time.UnixMicro(int64(n) + 1).UTC(),
	}
}

func open(t *testing.T, path string) *Journal {
	t.Helper()
	j, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func entries(t *testing.T, path string) []latchkey.JournalEntry {
	t.Helper()
	var list []latchkey.JournalEntry
	if err := Read(path, func(e latchkey.JournalEntry) error { list = append(list, e); return nil }); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestAnEntryIsKeptOnceAndReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "revocations.log")
	j := open(t, path)
	for range 2 {
		if err := j.Append(entry(1), entry(2)); err != nil {
			t.Fatal(err)
		}
	}
	again := open(t, path)
	if err := again.Append(entry(2), entry(3)); err != nil {
		t.Fatal(err)
	}
	list := entries(t, path)
	if len(list) != 3 || list[0] != entry(1) || list[2] != entry(3) || !again.Last().Equal(entry(3).At) {
		t.Errorf("it has %v, the last at %v", list, again.Last())
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestALineThatWasCutOffIsPassedOverAndADamagedOneIsNot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revocations.log")
	j := open(t, path)
	if err := j.Append(entry(1), entry(2)); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		if err := os.WriteFile(path, whole[:at], 0o600); err != nil {
			t.Fatal(err)
		}
		if list := entries(t, path); len(list) > 1 {
			t.Errorf("cut at %d it has %d entries", at, len(list))
		}
		bad := append([]byte{}, whole...)
		bad[at] ^= 4
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		var list []latchkey.JournalEntry
		err := Read(path, func(e latchkey.JournalEntry) error { list = append(list, e); return nil })
		if err == nil && at != len(whole)-1 { // without its end the last line was never acknowledged
			t.Errorf("byte %d was changed, and it reads %v", at, list)
		}
	}
	if err := os.WriteFile(path, whole[:len(whole)-3], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path).Append(entry(3)); err != nil {
		t.Fatal(err)
	}
	if list := entries(t, path); len(list) != 2 || list[1] != entry(3) {
		t.Errorf("after a crash it has %v", list)
	}
}

func TestManyWriteAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revocations.log")
	var writing sync.WaitGroup
	for replica := range 4 {
		j := open(t, path)
		writing.Go(func() {
			for n := range 25 {
				if err := j.Append(entry(100*replica + n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	if list := entries(t, path); len(list) != 100 {
		t.Errorf("it has %d entries", len(list))
	}
}

func FuzzRead(f *testing.F) {
	good, err := format(entry(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(head + string(good))
	f.Add(head + strings.Repeat("x", 2*maxLine))
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = read(strings.NewReader(text), func(e latchkey.JournalEntry) error {
			again, err := format(e)
			if err != nil {
				t.Fatal(err)
			}
			if parsed, err := parse(again); err != nil || parsed != e {
				t.Errorf("%v is read as %v, %v", e, parsed, err)
			}
			return nil
		})
	})
}
