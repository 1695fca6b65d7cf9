// Package journal keeps, in a file beside the database, what was revoked for
// good. The database keeps it too; the file is for the day on which that is lost
// and an older backup takes its place: whatever was revoked since the backup is
// valid there, until it is told.
//
//	revoked, committed ─▶ Append ─▶ fsync ─▶ acknowledged
//	start, now and then ─▶ Catch up with the database ─▶ Append what is missing
//	restore ─▶ Read ─▶ revoked again, before anybody is served
//
// A line is an entry as JSON, a space, and the first 16 hexadecimal digits of
// the SHA-256 of that JSON. A last line without its end was never acknowledged.
package journal

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// head is the first line of every file.
const head = "# latchkey revocations 1\n"

// maxLine is the longest line, in bytes.
const maxLine = 4096

// line is an entry as it is written.
type line struct {
	Kind    latchkey.JournalKind `json:"kind"`
	Subject string               `json:"subject"`
	Version int64                `json:"version"`
	At      int64                `json:"at"` // microseconds since 1970
}

// Journal is an open file. Its methods are safe for concurrent use, also by
// several processes.
type Journal struct {
	mu    sync.Mutex
	file  *os.File
	known map[string]bool // ids of what this process knows to be in the file
	last  time.Time
}

// Open opens the file, mode 0600, or makes it.
func Open(path string) (*Journal, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the revocation journal: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the revocation journal: %w", err)
	}
	j := &Journal{file: file, known: map[string]bool{}}
	if err := j.begin(path); err != nil {
		return nil, errors.Join(fmt.Errorf("open the revocation journal: %w", err), file.Close())
	}
	return j, nil
}

// begin reads what is there, cuts off a line that was never finished, and puts
// a new file's name on the disk.
func (j *Journal) begin(path string) error {
	unlock, err := j.lock()
	if err != nil {
		return err
	}
	defer unlock()
	whole, err := read(j.file, func(entry latchkey.JournalEntry) error {
		j.keep(entry)
		return nil
	})
	if err != nil {
		return err
	}
	if err := j.file.Truncate(whole); err != nil {
		return err
	}
	if whole == 0 {
		if _, err := j.file.WriteString(head); err != nil {
			return err
		}
	}
	if err := j.file.Sync(); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// lock keeps other processes from writing meanwhile.
func (j *Journal) lock() (unlock func(), err error) {
	if err := syscall.Flock(int(j.file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	return func() { _ = syscall.Flock(int(j.file.Fd()), syscall.LOCK_UN) }, nil
}

func (j *Journal) keep(entry latchkey.JournalEntry) {
	j.known[entry.ID()] = true
	if entry.At.After(j.last) {
		j.last = entry.At
	}
}

// Append writes entries that are not in the file yet. When it returns nil they
// are on the disk.
func (j *Journal) Append(entries ...latchkey.JournalEntry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var text []byte
	var fresh []latchkey.JournalEntry
	for _, entry := range entries {
		if j.known[entry.ID()] {
			continue
		}
		encoded, err := format(entry)
		if err != nil {
			return err
		}
		text, fresh = append(text, encoded...), append(fresh, entry)
	}
	if len(text) == 0 {
		return nil
	}
	if err := j.write(text); err != nil {
		return fmt.Errorf("write the revocation journal: %w", err)
	}
	for _, entry := range fresh {
		j.keep(entry)
	}
	return nil
}

// write appends whole lines, or none.
func (j *Journal) write(text []byte) error {
	unlock, err := j.lock()
	if err != nil {
		return err
	}
	defer unlock()
	before, err := j.file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err := j.file.Write(text); err != nil {
		return errors.Join(err, j.file.Truncate(before))
	}
	return j.file.Sync()
}

// Last returns when the newest entry was revoked.
func (j *Journal) Last() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

// Close closes the file.
func (j *Journal) Close() error { return j.file.Close() }

// Read gives take every entry of a file. A line that is damaged is an error; a
// last one that was never finished is passed over.
func Read(path string, take func(latchkey.JournalEntry) error) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the revocation journal: %w", err)
	}
	defer func() { _ = file.Close() }()
	if _, err := read(file, take); err != nil {
		return fmt.Errorf("read the revocation journal %s: %w", path, err)
	}
	return nil
}

// read returns how many bytes of whole lines there are.
func read(from io.Reader, take func(latchkey.JournalEntry) error) (whole int64, err error) {
	lines := bufio.NewReaderSize(from, maxLine)
	for number := 1; ; number++ {
		text, err := lines.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return whole, nil
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			return whole, fmt.Errorf("line %d is too long", number)
		}
		if err != nil {
			return whole, err
		}
		if number == 1 {
			if string(text) != head {
				return whole, errors.New("it does not begin as one")
			}
		} else {
			entry, err := parse(text)
			if err != nil {
				return whole, fmt.Errorf("line %d is damaged", number)
			}
			if err := take(entry); err != nil {
				return whole, err
			}
		}
		whole += int64(len(text))
	}
}

func format(entry latchkey.JournalEntry) ([]byte, error) {
	text, err := json.Marshal(line{entry.Kind, entry.Subject, entry.Version, entry.At.UnixMicro()})
	if err != nil {
		return nil, fmt.Errorf("encode what was revoked: %w", err)
	}
	return append(append(append(text, ' '), mark(text)...), '\n'), nil
}

func parse(text []byte) (latchkey.JournalEntry, error) {
	text = bytes.TrimSuffix(text, []byte("\n"))
	at := bytes.LastIndexByte(text, ' ')
	if at < 0 || string(text[at+1:]) != mark(text[:at]) {
		return latchkey.JournalEntry{}, errors.New("wrong checksum")
	}
	var l line
	if err := json.Unmarshal(text[:at], &l, json.RejectUnknownMembers(true)); err != nil {
		return latchkey.JournalEntry{}, err
	}
	if l.Kind != latchkey.JournalKey && l.Kind != latchkey.JournalConnection && l.Kind != latchkey.JournalDatabase {
		return latchkey.JournalEntry{}, errors.New("unknown kind")
	}
	return latchkey.JournalEntry{Kind: l.Kind, Subject: l.Subject, Version: l.Version, At: time.UnixMicro(l.At).UTC()}, nil
}

// mark is the checksum of a line.
func mark(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
