package dump

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

var people = Table{Name: "people", Key: []string{"id"}, Columns: []Column{
	{"id", Text}, {"age", Integer}, {"kind", Boolean}, {"photo", Bytes},
}}

func header() Header {
	return Header{
		Schema: 3, MadeAt: time.Date(2026, 11, 28, 12, 0, 0, 1000, time.UTC), Proof: []byte{1, 2},
		Sequences: map[string]int64{"people": 9}, Tables: []Table{people, {Name: "empty", Key: []string{"id"}, Columns: people.Columns}},
	}
}

func rows() [][]any {
	return [][]any{
		{"a", int64(math.MinInt64), true, []byte{}}, {"", int64(0), false, nil}, {"é\x00\"\n", nil, nil, []byte{0, 255}},
		{strings.Repeat("x", batch+10), int64(math.MaxInt64), true, bytes.Repeat([]byte{7}, 1000)},
	}
}

func sealing(sum []byte) ([]byte, error) { return append([]byte{'s'}, sum...), nil }

func opening(sum, sealed []byte) error {
	if !bytes.Equal(append([]byte{'s'}, sum...), sealed) {
		return ErrCorrupt
	}
	return nil
}

func written(t testing.TB) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := NewWriter(&file, header())
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range [][][]any{rows(), nil} {
		if err := w.Table(); err != nil {
			t.Fatal(err)
		}
		for _, row := range table {
			if err := w.Row(row); err != nil {
				t.Fatal(err)
			}
		}
	}
	if counts, err := w.Close(sealing); err != nil || counts["people"] != int64(len(rows())) {
		t.Fatal(counts, err)
	}
	return file.Bytes()
}

func readAll(file []byte) (list [][]any, err error) {
	r, err := NewReader(bytes.NewReader(file), opening)
	if err != nil {
		return nil, err
	}
	for {
		_, row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return list, err
		}
		list = append(list, row)
	}
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	list, err := readAll(written(t))
	if err != nil || len(list) != len(rows()) {
		t.Fatalf("%d rows, %v", len(list), err)
	}
	for i, row := range rows() {
		one, _ := AppendRow(nil, people, row)
		other, _ := AppendRow(nil, people, list[i])
		if !bytes.Equal(one, other) {
			t.Errorf("row %d is another", i)
		}
	}
}

func TestEveryChangedByteAndEveryCutIsNoticed(t *testing.T) {
	good := written(t)
	// The long row is all alike: of that some bytes are enough.
	for at := range good {
		if at > 800 && at < len(good)-800 && at%997 != 0 {
			continue
		}
		bad := bytes.Clone(good)
		bad[at] ^= 1 << (at % 8)
		if _, err := readAll(bad); !errors.Is(err, ErrCorrupt) {
			t.Errorf("byte %d of %d: %v", at, len(good), err)
		}
		if _, err := readAll(good[:at]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("cut at %d of %d: %v", at, len(good), err)
		}
	}
	if _, err := readAll(append(bytes.Clone(good), 0)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("with a byte more: %v", err)
	}
}

func TestADigestKnowsRowsAndNotTheirOrder(t *testing.T) {
	digest := func(list [][]any) string {
		var d Digest
		for _, row := range list {
			encoded, err := AppendRow(nil, people, row)
			if err != nil {
				t.Fatal(err)
			}
			d.Add(encoded)
		}
		return d.String()
	}
	list := rows()
	want := digest(list)
	slices.Reverse(list)
	if digest(list) != want {
		t.Error("it depends on the order")
	}
	for i := range list {
		changed := slices.Clone(list)
		changed[i] = []any{"b", int64(1), true, nil}
		if digest(changed) == want || digest(slices.Delete(slices.Clone(list), i, i+1)) == want || digest(append(list, list[i])) == want {
			t.Errorf("it does not see row %d", i)
		}
	}
}

func TestARowThatIsNotTheTablesIsRefused(t *testing.T) {
	for name, row := range map[string][]any{
		"short": {"a"}, "wrong kind": {"a", "1", true, nil}, "unknown kind": {"a", 1, true, nil},
	} {
		if _, err := AppendRow(nil, people, row); err == nil {
			t.Errorf("%s: it was written", name)
		}
	}
}

func FuzzReader(f *testing.F) {
	good := written(f)
	f.Add(good)
	f.Add(good[:100])
	f.Add([]byte(magic))
	f.Add([]byte(magic + "H\xff\xff\xff\xff"))
	f.Add([]byte(magic + "H\x00\x00\x00\x02{}"))
	f.Fuzz(func(t *testing.T, file []byte) {
		list, err := readAll(file)
		if err == nil && (len(list) != len(rows()) || !bytes.Equal(file, good)) {
			t.Error("a file was taken that nobody has sealed")
		}
	})
}

func FuzzRow(f *testing.F) {
	for _, row := range rows() {
		encoded, err := AppendRow(nil, people, row)
		if err != nil {
			f.Fatal(err)
		}
		if len(encoded) < 4096 {
			f.Add(encoded)
		}
	}
	f.Fuzz(func(t *testing.T, encoded []byte) {
		row, err := ParseRow(encoded, people)
		if err != nil {
			return
		}
		again, err := AppendRow(nil, people, row)
		if err != nil || !bytes.Equal(again, encoded) {
			t.Errorf("a row has two spellings: %v", err)
		}
	})
}
