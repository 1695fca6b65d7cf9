package dump

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
)

// batch is how many bytes of rows share a frame.
const batch = 64 << 10

// Writer writes a file.
type Writer struct {
	out    io.Writer
	sum    hash.Hash
	header Header
	next   int // index of the table that comes next
	rows   []byte
	row    []byte
	digest Digest
	sums   []tableSum
}

// NewWriter writes the header.
func NewWriter(out io.Writer, header Header) (*Writer, error) {
	header.MadeAt = header.MadeAt.UTC()
	if err := header.Check(); err != nil {
		return nil, err
	}
	text, err := encode(header)
	if err != nil {
		return nil, fmt.Errorf("encode the header: %w", err)
	}
	w := &Writer{sum: sha256.New(), header: header}
	w.out = io.MultiWriter(out, w.sum)
	if _, err := io.WriteString(w.out, magic); err != nil {
		return nil, err
	}
	return w, w.frame(frameHeader, text)
}

// Table begins the next table, in the order of the header.
func (w *Writer) Table() error {
	if err := w.end(); err != nil {
		return err
	}
	if w.next == len(w.header.Tables) {
		return errors.New("the header names no more tables")
	}
	w.next++
	return w.frame(frameTable, []byte(w.header.Tables[w.next-1].Name))
}

// Row writes a row of the table that was begun.
func (w *Writer) Row(row []any) error {
	if w.next == 0 {
		return errors.New("no table was begun")
	}
	var err error
	if w.row, err = AppendRow(w.row[:0], w.header.Tables[w.next-1], row); err != nil {
		return err
	}
	w.digest.Add(w.row)
	if len(w.rows)+len(w.row) > batch {
		if err := w.flush(); err != nil {
			return err
		}
	}
	w.rows = append(binary.AppendUvarint(w.rows, uint64(len(w.row))), w.row...)
	return nil
}

// Close writes the manifest. It returns how many rows there are of each table.
func (w *Writer) Close(seal func(sum []byte) ([]byte, error)) (map[string]int64, error) {
	if err := w.end(); err != nil {
		return nil, err
	}
	if w.next != len(w.header.Tables) {
		return nil, errors.New("not every table was written")
	}
	sum := w.sum.Sum(nil)
	sealed, err := seal(sum)
	if err != nil {
		return nil, fmt.Errorf("seal the manifest: %w", err)
	}
	text, err := encode(manifest{Tables: w.sums, Sum: sum, Seal: sealed})
	if err != nil {
		return nil, fmt.Errorf("encode the manifest: %w", err)
	}
	counts := map[string]int64{}
	for _, table := range w.sums {
		counts[table.Name] = table.Rows
	}
	return counts, w.frame(frameManifest, text)
}

// end ends the table that was begun, if there is one.
func (w *Writer) end() error {
	if w.next == 0 || len(w.sums) == w.next {
		return nil
	}
	if err := w.flush(); err != nil {
		return err
	}
	w.sums = append(w.sums, tableSum{w.header.Tables[w.next-1].Name, w.digest.Rows, w.digest.String()})
	w.digest = Digest{}
	return nil
}

func (w *Writer) flush() error {
	if len(w.rows) == 0 {
		return nil
	}
	err := w.frame(frameRows, w.rows)
	w.rows = w.rows[:0]
	return err
}

func (w *Writer) frame(letter byte, payload []byte) error {
	head := binary.BigEndian.AppendUint32([]byte{letter}, uint32(len(payload))) //nolint:gosec // maxFrame at most
	if _, err := w.out.Write(head); err != nil {
		return err
	}
	_, err := w.out.Write(payload)
	return err
}
