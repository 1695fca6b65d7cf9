package seal

import (
	"crypto/subtle"
	"errors"
)

// ErrWrongKey says that the ring is not the one the database was sealed with.
var ErrWrongKey = errors.New("the key file does not belong to this database: " +
	"put back the file that was in use when the database was made, or point to its own database")

// proofBinding is where a proof belongs: no row of any organisation.
var proofBinding = Binding{Organisation: "latchkey", Subject: "key ring", Field: "proof", Schema: 1}

// proofText is what a proof holds.
const proofText = "this database belongs to this key ring"

// Proof returns a sealed constant to store beside what the ring seals. Store a
// new one after every rotation, since it dies with the key that sealed it.
func (r *Ring) Proof() ([]byte, error) { return r.Seal(proofBinding, []byte(proofText)) }

// Verify opens a stored proof, also one from before a rotation. Any failure is
// ErrWrongKey: a server that meets it must not start, nor write anything.
func (r *Ring) Verify(proof []byte) error {
	text, err := r.Open(proofBinding, proof)
	if err != nil || subtle.ConstantTimeCompare(text, []byte(proofText)) != 1 {
		return ErrWrongKey
	}
	return nil
}
