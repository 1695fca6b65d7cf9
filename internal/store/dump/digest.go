package dump

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
)

// Digest is the count of a table's rows and the sum of their SHA-256, modulo
// 2^256. It does not depend on the order of the rows, in which engines differ.
// It is for finding errors: it is the seal of a file that keeps off forgers.
type Digest struct {
	Rows int64
	sum  [4]uint64 // the lowest first
}

// Add takes a row, as AppendRow encodes it.
func (d *Digest) Add(encoded []byte) {
	hash := sha256.Sum256(encoded)
	var carry uint64
	for i := range d.sum {
		d.sum[i], carry = bits.Add64(d.sum[i], binary.LittleEndian.Uint64(hash[8*i:]), carry)
	}
	d.Rows++
}

// String returns the sum in hexadecimal.
func (d *Digest) String() string {
	var text []byte
	for _, word := range d.sum {
		text = binary.LittleEndian.AppendUint64(text, word)
	}
	return hex.EncodeToString(text)
}
