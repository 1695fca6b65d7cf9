package dump

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
)

// magic is how every file begins. The digit is the format's version.
const magic = "latchkey backup 1\n"

// Bounds of what a file may hold.
const (
	maxHeader = 1 << 20 // bytes, and of a manifest
	maxTables = 200
	maxFrame  = MaxRow + 16 // bytes: a row and its length
)

// The letters of frames.
const (
	frameHeader   = 'H'
	frameTable    = 'T'
	frameRows     = 'R'
	frameManifest = 'M'
)

// Header says what a file is a backup of.
type Header struct {
	Schema    int64            `json:"schema"`    // the number of the last migration
	MadeAt    time.Time        `json:"madeAt"`    // when the rows were as they are here
	Database  []byte           `json:"database"`  // the database's id; empty: it was never served
	Proof     []byte           `json:"proof"`     // what the vault left to recognise its key by; empty: it was never used
	Sequences map[string]int64 `json:"sequences"` // table → the last number that was given, also to rows that are gone
	Tables    []Table          `json:"tables"`
}

// Check refuses a header that could not be one.
func (h Header) Check() error {
	if h.Schema < 1 || h.MadeAt.IsZero() {
		return errors.New("the header names no schema and time")
	}
	if len(h.Tables) == 0 || len(h.Tables) > maxTables {
		return fmt.Errorf("the header names %d tables", len(h.Tables))
	}
	seen := map[string]bool{}
	for _, table := range h.Tables {
		if err := table.check(); err != nil {
			return err
		}
		if seen[table.Name] {
			return fmt.Errorf("the header names table %s twice", table.Name)
		}
		seen[table.Name] = true
	}
	for table, last := range h.Sequences {
		if !seen[table] || last < 0 {
			return errors.New("the header counts rows of a table that it does not name")
		}
	}
	return nil
}

// manifest is what a file ends with.
type manifest struct {
	Tables []tableSum `json:"tables"`
	Sum    []byte     `json:"sha256"` // of all bytes before the manifest
	Seal   []byte     `json:"seal"`   // Sum, sealed with the vault's key
}

// tableSum is what the manifest says of a table.
type tableSum struct {
	Name   string `json:"name"`
	Rows   int64  `json:"rows"`
	Digest string `json:"digest"`
}

// encode returns the one spelling of a header or manifest.
func encode(value any) ([]byte, error) { return json.Marshal(value, json.Deterministic(true)) }

// decode takes that spelling and no other, so that no byte can be changed.
func decode(text []byte, into any) error {
	if err := json.Unmarshal(text, into, json.RejectUnknownMembers(true)); err != nil {
		return errors.New("it is not written as it should be")
	}
	again, err := encode(into)
	if err != nil || !bytes.Equal(again, text) {
		return errors.New("it is not written as it should be")
	}
	return nil
}
