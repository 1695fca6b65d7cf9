package soaktest

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// platter is what a disk was told, in order: the files as they were at first,
// and every write and fsync since, from the trace of the process.
type platter struct {
	base   map[string][]byte // by path, from the start
	orders []order
}

// order is one call that reached the kernel.
type order struct {
	began, ended time.Time
	path         string
	kind         orderKind
	data         []byte // of a write
	at           int64  // offset of a write, size of a truncation
}

type orderKind int

const (
	write orderKind = iota
	truncate
	flush
)

// tracing runs a command so that platterOf can read what it told the disk:
// a file a thread, times in nanoseconds, strings whole and in hexadecimal.
func tracing(prefix string) []string {
	return []string{
		"strace", "-f", "-ff", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "1048576", "-e", "signal=none",
		"--absolute-timestamps=format:unix,precision:ns", "--syscall-times=ns",
		"-e", "trace=pwrite64,ftruncate,fsync,fdatasync", "-o", prefix,
	}
}

// A line is: time call(fd<path in hex>, arguments) = result <seconds>.
var traced = regexp.MustCompile(`^(\d+)\.(\d+) (\w+)\(\d+<([^>]*)>(?:, (.*))?\)\s+= (-?\d+).*<(\d+)\.(\d+)>$`)

// platterOf reads the trace of a process that had the files of base.
func platterOf(t testing.TB, prefix string, base map[string][]byte) *platter {
	t.Helper()
	names, err := filepath.Glob(prefix + ".*")
	if err != nil || len(names) == 0 {
		t.Fatalf("no trace at %s: %v", prefix, err)
	}
	p := &platter{base: base}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if found := traced.FindStringSubmatch(strings.TrimSpace(line)); found != nil {
				p.orders = append(p.orders, orderOf(t, found))
			}
		}
	}
	slices.SortFunc(p.orders, func(one, other order) int { return one.began.Compare(other.began) })
	return p
}

func orderOf(t testing.TB, found []string) order {
	t.Helper()
	number := func(text string) int64 {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatalf("trace: %q: %v", found[0][:min(len(found[0]), 200)], err)
		}
		return n
	}
	o := order{began: time.Unix(number(found[1]), number(found[2])), path: string(unhex(t, found[4]))}
	o.ended = o.began.Add(time.Duration(number(found[7]))*time.Second + time.Duration(number(found[8])))
	switch found[3] {
	case "pwrite64":
		arguments := strings.Split(found[5], ", ")
		o.kind, o.data, o.at = write, unhex(t, strings.Trim(arguments[0], `"`)), number(arguments[2])
		o.data = o.data[:max(0, number(found[6]))]
	case "ftruncate":
		o.kind, o.at = truncate, number(found[5])
	default:
		o.kind = flush
		if number(found[6]) != 0 {
			t.Fatalf("an fsync failed: %s", found[0])
		}
	}
	return o
}

// unhex reads "\x41\x42".
func unhex(t testing.TB, text string) []byte {
	t.Helper()
	if !strings.HasPrefix(text, `\x`) {
		return []byte(text)
	}
	data, err := hex.DecodeString(strings.ReplaceAll(text, `\x`, ""))
	if err != nil {
		t.Fatalf("trace: %v", err)
	}
	return data
}

// sector is what a disk writes whole, in bytes.
const sector = 512

// cut returns the files as a disk may have them when the power fails at the
// moment: all that an fsync had reached by then, and of what came after it any
// part, in any order, each sector as it pleases.
func (p *platter) cut(moment time.Time) map[string][]byte {
	files, loose := map[string][]byte{}, map[string][]order{}
	for path, data := range p.base {
		files[path] = slices.Clone(data)
	}
	for _, o := range p.orders {
		switch {
		case o.began.After(moment):
		case o.kind != flush:
			loose[o.path] = append(loose[o.path], o)
		case o.ended.Before(moment):
			kept := loose[o.path][:0:0]
			for _, each := range loose[o.path] {
				if each.ended.Before(o.began) {
					files[o.path] = apply(files[o.path], each, func() bool { return true })
				} else {
					kept = append(kept, each)
				}
			}
			loose[o.path] = kept
		}
	}
	for path, orders := range loose {
		rand.Shuffle(len(orders), func(i, j int) { orders[i], orders[j] = orders[j], orders[i] })
		for _, o := range orders {
			files[path] = apply(files[path], o, func() bool { return rand.IntN(2) == 0 })
		}
	}
	return files
}

// apply does an order to a file, as far as each part of it reaches the disk.
func apply(file []byte, o order, reaches func() bool) []byte {
	if o.kind == truncate {
		if !reaches() {
			return file
		}
		return append(file[:min(int64(len(file)), o.at)], make([]byte, max(0, o.at-int64(len(file))))...)
	}
	for from := 0; from < len(o.data); from += sector {
		if !reaches() {
			continue
		}
		part := o.data[from:min(len(o.data), from+sector)]
		at := int(o.at) + from
		if missing := at + len(part) - len(file); missing > 0 {
			file = append(file, make([]byte, missing)...)
		}
		copy(file[at:], part)
	}
	return file
}

// readFiles reads a folder's files, but for SQLite's shared memory, which is
// no file to it.
func readFiles(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), "-shm") {
			continue
		}
		path := filepath.Join(folder, entry.Name())
		if files[path], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// writeFiles puts files into the folder, and nothing else.
func writeFiles(t testing.TB, folder string, files map[string][]byte) {
	t.Helper()
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, data := range files {
		if filepath.Dir(path) != folder || strings.HasSuffix(path, "-shm") {
			continue
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(fmt.Errorf("restore %s: %w", path, err))
		}
	}
}
