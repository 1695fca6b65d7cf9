package seal

import (
	"encoding/binary"
	"errors"
)

// maxBindingPart is the longest text of a Binding, in bytes.
const maxBindingPart = 255

// errBinding is the error of a Binding that would bind to less than it says.
var errBinding = errors.New("a binding names organisation, subject and field, 1 to 255 bytes each, and a schema of 0 or more")

// Binding says where a ciphertext belongs. An envelope opens only under the
// Binding it was sealed with, so that one copied into another row, tenant or
// field is noise there.
type Binding struct {
	Organisation string // org_…
	Subject      string // the id of the connection, session or endpoint
	Field        string // which of the subject's secrets, for example "credential"
	Schema       int    // version of the plaintext's own layout
}

// check refuses a Binding that leaves something open.
func (b Binding) check() error {
	for _, part := range []string{b.Organisation, b.Subject, b.Field} {
		if part == "" || len(part) > maxBindingPart {
			return errBinding
		}
	}
	if b.Schema < 0 {
		return errBinding
	}
	return nil
}

// AssociatedData encodes the Binding so that no two Bindings share an
// encoding: a fixed label, each text behind its length, the schema last. The
// label also separates these ciphertexts from any other use of the same keys.
func (b Binding) AssociatedData() []byte { return b.labelled("latchkey seal 1\x00") }

// underKey is AssociatedData for what a data key seals: it names the key too.
func (b Binding) underKey(id int64) []byte {
	return binary.BigEndian.AppendUint64(b.labelled("latchkey seal 2\x00"), uint64(id))
}

func (b Binding) labelled(label string) []byte {
	data := []byte(label)
	for _, part := range []string{b.Organisation, b.Subject, b.Field} {
		data = binary.BigEndian.AppendUint32(data, uint32(len(part)))
		data = append(data, part...)
	}
	return binary.BigEndian.AppendUint64(data, uint64(b.Schema))
}
