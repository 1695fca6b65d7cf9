package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// A log that is cut off is a log that ends: SQLite takes what is whole of it and
// says nothing of the rest. So after every commit a mark is left beside the
// file: how far the log reached, and when the file itself was last changed. If
// the next start finds the same file and less of the log, what was acknowledged
// is lost, and it says so. The mark needs no fsync: it comes after the commit's,
// and an older mark asks for less.
const markSuffix = ".mark"

// The layout of the log (SQLite file format, section 4).
const (
	logHeader   = 32 // bytes
	frameHeader = 24 // bytes before each page
	bigEndian   = 0x377f0683
	littleEnd   = 0x377f0682
	maxPageSize = 64 << 10
)

// logMark is how far a log reached.
type logMark struct {
	salt1, salt2  uint32 // of the log: others after it began anew
	frames        int64  // up to the end of the last commit
	size, changed int64  // of the file beside it
}

func (m logMark) append(text []byte) []byte {
	return fmt.Appendf(text, "%10d %10d %20d %20d %20d\n", m.salt1, m.salt2, m.frames, m.size, m.changed)
}

// logState is how a log stands: how many pages it holds, how many of them have
// been copied back, and its salts.
type logState struct {
	pages, copied int64
	salt1, salt2  uint32
}

// sameCopy reports whether, between two states of a log, none of it was copied back,
// nor did it begin anew.
func (s logState) sameCopy(other logState) bool {
	return s.copied == other.copied && s.salt1 == other.salt1 && s.salt2 == other.salt2
}

// logMarker leaves marks. It is used by the writer alone.
type logMarker struct {
	path   string
	out    *os.File
	like   fileSum  // of the file, which changes only when the log is copied back
	looked logState // how the log stood just before
	text   []byte
}

func newLogMarker(path string) *logMarker { return &logMarker{path: path} }

// note leaves a mark after a commit, of the log that the index tells of. Where it
// can't, there is none.
func (m *logMarker) note(index *logIndex) {
	if err := m.try(index); err != nil {
		m.forget()
	}
}

// forget takes the mark away: of a log that was emptied there is none. The time
// of a file's last change is too coarse to tell two copies of a moment apart.
func (m *logMarker) forget() {
	_ = os.Remove(m.path + markSuffix)
	m.close()
}

func (m *logMarker) try(index *logIndex) error {
	state, known := index.state()
	if known && (m.out == nil || !state.sameCopy(m.looked)) {
		// The file is looked at before the log: if the log is copied into it and emptied
		// after that, the mark is of a file that is no more.
		like, err := likeness(m.path)
		if err != nil {
			return err
		}
		m.like, m.looked = like, state
		state, known = index.state()
	}
	if !known {
		return errors.New("how the log stands is not known")
	}
	if m.out == nil {
		var err error
		if m.out, err = os.OpenFile(m.path+markSuffix, os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
			return err
		}
	}
	m.text = logMark{state.salt1, state.salt2, state.pages, m.like.size, m.like.changed}.append(m.text[:0])
	_, err := m.out.WriteAt(m.text, 0)
	return err
}

// close ends the marking. The mark stays.
func (m *logMarker) close() {
	if m.out != nil {
		_ = m.out.Close()
		m.out = nil
	}
}

// headOf reads the header of a log: the page size and the salts.
func headOf(head []byte) (page int64, salt1, salt2 uint32) {
	return int64(binary.BigEndian.Uint32(head[8:])), binary.BigEndian.Uint32(head[16:]), binary.BigEndian.Uint32(head[20:])
}

// forgetMark removes the mark of a file that was closed.
func forgetMark(path string) {
	if !isOpen(path) {
		_ = os.Remove(path + markSuffix)
	}
}

// checkMark refuses a file whose log has lost what was acknowledged. A log that
// another process writes to meanwhile may just have begun anew: then there is
// another mark, and that counts.
func checkMark(path string) error {
	for {
		text, err := os.ReadFile(path + markSuffix)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read how far the log reached: %w", err)
		}
		lost := holdAgainst(path, text)
		if lost == nil {
			return nil
		}
		if again, err := os.ReadFile(path + markSuffix); err != nil || bytes.Equal(again, text) {
			return lost
		}
	}
}

// holdAgainst compares the log with a mark.
func holdAgainst(path string, text []byte) error {
	var mark logMark
	if _, err := fmt.Sscan(string(text), &mark.salt1, &mark.salt2, &mark.frames, &mark.size, &mark.changed); err != nil {
		return nil // not written to its end
	}
	like, err := likeness(path)
	if err != nil || like.size != mark.size || like.changed != mark.changed {
		return nil // the log has been copied into the file since
	}
	if whole := wholeFrames(path+"-wal", mark); whole < mark.frames {
		return fmt.Errorf("%s-wal is damaged: it is whole up to frame %d and reached %d, so what was acknowledged is lost; "+
			"restore a backup, or remove %s%s to go on with what is left", path, whole, mark.frames, path, markSuffix)
	}
	return nil
}

// wholeFrames returns up to which frame a log is whole, by its own checksums.
func wholeFrames(path string, mark logMark) int64 {
	log, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer func() { _ = log.Close() }()
	var head [logHeader]byte
	if _, err := log.ReadAt(head[:], 0); err != nil {
		return 0
	}
	page, salt1, salt2 := headOf(head[:])
	order, known := map[uint32]binary.ByteOrder{bigEndian: binary.BigEndian, littleEnd: binary.LittleEndian}[binary.BigEndian.Uint32(head[:])]
	sum := logSum{}
	sum.add(order, head[:24])
	if !known || salt1 != mark.salt1 || salt2 != mark.salt2 || page < 512 || page > maxPageSize || !sum.is(head[24:]) {
		return 0
	}
	frame := make([]byte, frameHeader+page)
	for number := int64(0); ; number++ {
		if _, err := log.ReadAt(frame, logHeader+number*int64(len(frame))); err != nil {
			return number
		}
		sum.add(order, frame[:8])
		sum.add(order, frame[frameHeader:])
		if binary.BigEndian.Uint32(frame[8:]) != salt1 || binary.BigEndian.Uint32(frame[12:]) != salt2 || !sum.is(frame[16:]) {
			return number
		}
	}
}

// logSum is the checksum that runs through a log (section 4.2 of the format).
type logSum struct{ one, two uint32 }

func (s *logSum) add(order binary.ByteOrder, text []byte) {
	if order == nil {
		return
	}
	for ; len(text) >= 8; text = text[8:] {
		s.one += order.Uint32(text) + s.two
		s.two += order.Uint32(text[4:]) + s.one
	}
}

func (s *logSum) is(text []byte) bool {
	return binary.BigEndian.Uint32(text) == s.one && binary.BigEndian.Uint32(text[4:]) == s.two
}
