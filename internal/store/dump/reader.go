package dump

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
)

// ErrCorrupt is what every error of a file wraps that is not whole.
var ErrCorrupt = errors.New("the file is not a whole backup")

// corrupt says what is wrong with a file.
func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

// Reader reads a file, in the order in which it was written. Rows may be
// believed only when Next has returned io.EOF.
type Reader struct {
	in     io.Reader
	sum    hash.Hash
	header Header
	open   func(sum, seal []byte) error
	table  int // index of the table that is read
	begun  bool
	rows   []byte
	frame  []byte
	digest Digest
	sums   []tableSum
}

// NewReader reads the header. The function opens the manifest's seal: it fails
// if that was not sealed for the sum.
func NewReader(in io.Reader, open func(sum, seal []byte) error) (*Reader, error) {
	r := &Reader{in: in, sum: sha256.New(), open: open}
	begin := make([]byte, len(magic))
	if _, err := io.ReadFull(in, begin); err != nil || string(begin) != magic {
		return nil, corrupt("it does not begin as one of this format")
	}
	_, _ = r.sum.Write(begin)
	letter, text, err := r.readFrame()
	if err != nil {
		return nil, err
	}
	if letter != frameHeader || len(text) > maxHeader {
		return nil, corrupt("it has no header")
	}
	if err := decode(text, &r.header); err != nil {
		return nil, corrupt("header: %v", err)
	}
	if err := r.header.Check(); err != nil {
		return nil, corrupt("%v", err)
	}
	return r, nil
}

// Header returns what the file is a backup of.
func (r *Reader) Header() Header { return r.header }

// Next returns the next row and its table, or io.EOF when all has been read and
// the file is whole. The row is the caller's.
func (r *Reader) Next() (Table, []any, error) {
	for len(r.rows) == 0 {
		letter, payload, err := r.readFrame()
		if err != nil {
			return Table{}, nil, err
		}
		switch letter {
		case frameTable:
			err = r.beginTable(string(payload))
		case frameRows:
			if !r.begun || len(payload) == 0 {
				err = corrupt("it has rows of no table")
			}
			r.rows = payload
		case frameManifest:
			if err = r.end(payload); err == nil {
				err = io.EOF
			}
		default:
			err = corrupt("it has a part of no known kind")
		}
		if err != nil {
			return Table{}, nil, err
		}
	}
	table := r.header.Tables[r.table]
	encoded, rest, err := cutPart(r.rows)
	if err != nil || len(encoded) > MaxRow {
		return table, nil, corrupt("a row of %s is not whole", table.Name)
	}
	row, err := ParseRow(encoded, table)
	if err != nil {
		return table, nil, corrupt("%v", err)
	}
	r.digest.Add(encoded)
	r.rows = rest
	return table, row, nil
}

func (r *Reader) beginTable(name string) error {
	if r.begun {
		r.endTable()
		r.table++
	}
	if r.table >= len(r.header.Tables) || r.header.Tables[r.table].Name != name {
		return corrupt("its tables are not those of the header")
	}
	r.begun = true
	return nil
}

func (r *Reader) endTable() {
	r.sums = append(r.sums, tableSum{r.header.Tables[r.table].Name, r.digest.Rows, r.digest.String()})
	r.digest = Digest{}
}

// end compares what was read with the manifest. Its own frame is not part of
// the sum.
func (r *Reader) end(text []byte) error {
	if r.begun {
		r.endTable()
	}
	var end manifest
	if len(text) > maxHeader {
		return corrupt("its manifest is too long")
	}
	if err := decode(text, &end); err != nil {
		return corrupt("manifest: %v", err)
	}
	if !slices.Equal(end.Tables, r.sums) || len(r.sums) != len(r.header.Tables) {
		return corrupt("its rows are not those of the manifest")
	}
	if sum := r.sum.Sum(nil); subtle.ConstantTimeCompare(sum, end.Sum) != 1 {
		return corrupt("its checksum is wrong")
	}
	if n, err := io.ReadFull(r.in, make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		return corrupt("something follows its end")
	}
	return r.open(end.Sum, end.Seal)
}

// Counts returns how many rows of each table have been read.
func (r *Reader) Counts() map[string]int64 {
	counts := map[string]int64{}
	for _, table := range r.sums {
		counts[table.Name] = table.Rows
	}
	return counts
}

// Digests returns the digest of each table that has been read.
func (r *Reader) Digests() map[string]string {
	digests := map[string]string{}
	for _, table := range r.sums {
		digests[table.Name] = table.Digest
	}
	return digests
}

// readFrame reads a frame into the Reader's own memory. What a length promises
// is taken in as it comes, so that a wrong one costs no memory.
func (r *Reader) readFrame() (byte, []byte, error) {
	head := make([]byte, 5)
	if _, err := io.ReadFull(r.in, head); err != nil {
		return 0, nil, unread(err)
	}
	length := binary.BigEndian.Uint32(head[1:])
	if length > maxFrame {
		return 0, nil, corrupt("a part of it is too long")
	}
	buffer := bytes.NewBuffer(r.frame[:0])
	if n, err := io.CopyN(buffer, r.in, int64(length)); n != int64(length) {
		return 0, nil, unread(err)
	}
	r.frame = buffer.Bytes()
	if head[0] != frameManifest {
		_, _ = r.sum.Write(head)
		_, _ = r.sum.Write(r.frame)
	}
	return head[0], r.frame, nil
}

// unread tells a file that ends from one that can't be read.
func unread(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return corrupt("it is cut off")
	}
	return fmt.Errorf("read the backup: %w", err)
}
