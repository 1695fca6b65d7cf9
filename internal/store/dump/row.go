package dump

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// MaxRow is the longest encoded row, in bytes. The largest values of the
// schema are sealed credentials, of 1 MiB at most.
const MaxRow = 16 << 20

// The first byte of a value.
const (
	tagNull    = 0
	tagInteger = 1 // a varint follows (zigzag)
	tagText    = 2 // a length (uvarint) and UTF-8 follow
	tagBytes   = 3 // a length (uvarint) and bytes follow
	tagFalse   = 4
	tagTrue    = 5
)

// errRow is the error of bytes that are no row of their table.
var errRow = errors.New("a row is not whole")

// AppendRow appends the encoding of a row, which has a value for each column.
// Equal rows have equal encodings on every engine.
func AppendRow(to []byte, table Table, row []any) ([]byte, error) {
	if len(row) != len(table.Columns) {
		return nil, fmt.Errorf("a row of %s has %d values, want %d", table.Name, len(row), len(table.Columns))
	}
	begin := len(to)
	for i, value := range row {
		column := table.Columns[i]
		switch value := value.(type) {
		case nil:
			to = append(to, tagNull)
		case int64:
			to = binary.AppendVarint(append(to, tagInteger), value)
		case string:
			to = binary.AppendUvarint(append(to, tagText), uint64(len(value)))
			to = append(to, value...)
		case []byte:
			to = binary.AppendUvarint(append(to, tagBytes), uint64(len(value)))
			to = append(to, value...)
		case bool:
			tag := byte(tagFalse)
			if value {
				tag = tagTrue
			}
			to = append(to, tag)
		default:
			return nil, fmt.Errorf("column %s of table %s has a value of no known kind", column.Name, table.Name)
		}
		if value != nil && kindOf(value) != column.Kind {
			return nil, fmt.Errorf("column %s of table %s has a value that is not %s", column.Name, table.Name, column.Kind)
		}
	}
	if len(to)-begin > MaxRow {
		return nil, fmt.Errorf("a row of %s is longer than %d bytes", table.Name, MaxRow)
	}
	return to, nil
}

func kindOf(value any) Kind {
	switch value.(type) {
	case int64:
		return Integer
	case string:
		return Text
	case []byte:
		return Bytes
	case bool:
		return Boolean
	}
	return ""
}

// ParseRow is AppendRow undone. Values share no memory with the encoding.
func ParseRow(encoded []byte, table Table) ([]any, error) {
	row := make([]any, len(table.Columns))
	for i, column := range table.Columns {
		value, rest, err := parseValue(encoded)
		if err != nil {
			return nil, err
		}
		if value != nil && kindOf(value) != column.Kind {
			return nil, fmt.Errorf("column %s of table %s has a value that is not %s", column.Name, table.Name, column.Kind)
		}
		row[i], encoded = value, rest
	}
	if len(encoded) != 0 {
		return nil, errRow
	}
	return row, nil
}

func parseValue(encoded []byte) (value any, rest []byte, err error) {
	if len(encoded) == 0 {
		return nil, nil, errRow
	}
	tag, encoded := encoded[0], encoded[1:]
	switch tag {
	case tagNull:
		return nil, encoded, nil
	case tagFalse, tagTrue:
		return tag == tagTrue, encoded, nil
	case tagInteger:
		number, n := binary.Varint(encoded)
		if n <= 0 || n != len(binary.AppendVarint(nil, number)) {
			return nil, nil, errRow
		}
		return number, encoded[n:], nil
	case tagText, tagBytes:
		part, rest, err := cutPart(encoded)
		if err != nil {
			return nil, nil, err
		}
		if tag == tagText {
			return string(part), rest, nil
		}
		return append([]byte{}, part...), rest, nil
	}
	return nil, nil, errRow
}

// cutPart takes what stands behind its length, which has one spelling only.
func cutPart(encoded []byte) (part, rest []byte, err error) {
	length, n := binary.Uvarint(encoded)
	if n <= 0 || n != len(binary.AppendUvarint(nil, length)) || length > math.MaxInt32 || int(length) > len(encoded)-n {
		return nil, nil, errRow
	}
	return encoded[n : n+int(length)], encoded[n+int(length):], nil
}
