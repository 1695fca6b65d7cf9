package seal

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestTampering(t *testing.T) {
	ring := newRing(t)
	random := &stream{seed: "tamper"}
	t.Run("no envelope opens with one bit changed", func(t *testing.T) {
		const samples = 10_000
		opened := 0
		for i := range samples {
			sealed := mustSeal(t, ring, credential, fmt.Sprintf("secret %d", i))
			bit := random.number(8 * len(sealed))
			sealed[bit/8] ^= 1 << (bit % 8)
			if !refused(ring, credential, sealed) {
				opened++
			}
		}
		fmt.Printf("RESULT V-1.tamper %d 0\n", opened)
		if opened != 0 {
			t.Errorf("%d of %d opened", opened, samples)
		}
	})
	t.Run("every single bit of one envelope matters", func(t *testing.T) {
		sealed := mustSeal(t, ring, credential, "secret")
		for bit := range 8 * len(sealed) {
			changed := slices.Clone(sealed)
			changed[bit/8] ^= 1 << (bit % 8)
			if !refused(ring, credential, changed) {
				t.Errorf("opened with bit %d changed", bit)
			}
		}
	})
	t.Run("no envelope opens cut short or with more behind it", func(t *testing.T) {
		sealed := mustSeal(t, ring, credential, "secret")
		for n := range sealed {
			if !refused(ring, credential, sealed[:n]) {
				t.Errorf("the first %d bytes opened", n)
			}
		}
		if !refused(ring, credential, append(slices.Clone(sealed), 0)) {
			t.Error("opened with a byte behind it")
		}
		if !refused(ring, credential, make([]byte, MaxPlaintext+overhead+1)) {
			t.Error("opened over the size limit")
		}
	})
	t.Run("no envelope opens in another place", func(t *testing.T) {
		const samples = 1_000
		opened := 0
		for i := range samples {
			home := Binding{Organisation: fmt.Sprintf("org_%d", i), Subject: "conn_1", Field: "credential", Schema: 1}
			if !refused(ring, elsewhere(home, i), mustSeal(t, ring, home, "secret")) {
				opened++
			}
		}
		fmt.Printf("RESULT V-1.swap %d 0\n", opened)
		if opened != 0 {
			t.Errorf("%d of %d opened", opened, samples)
		}
	})
	t.Run("no envelope opens under the id of another key of the ring", func(t *testing.T) {
		rotated := newRing(t)
		old := mustSeal(t, rotated, credential, "secret")
		if err := rotated.Rotate(); err != nil {
			t.Fatal(err)
		}
		fresh := mustSeal(t, rotated, credential, "secret")
		mixed := append(slices.Clone(fresh[:headerSize]), old[headerSize:]...)
		if !refused(rotated, credential, mixed) {
			t.Error("opened under a key that did not seal it")
		}
	})
}

// elsewhere moves a binding to another tenant, row, field or schema in turn.
func elsewhere(b Binding, turn int) Binding {
	switch turn % 4 {
	case 0:
		b.Organisation += "x"
	case 1:
		b.Subject = "conn_2"
	case 2:
		b.Field = "flow"
	default:
		b.Schema++
	}
	return b
}

// refused reports whether the ring answers ErrOpen and no plaintext.
func refused(ring *Ring, b Binding, sealed []byte) bool {
	plaintext, err := ring.Open(b, sealed)
	return errors.Is(err, ErrOpen) && err.Error() == ErrOpen.Error() && plaintext == nil
}

func FuzzOpen(f *testing.F) {
	ring := newRing(f) // the same key in every fuzzing process
	valid := mustSeal(f, ring, credential, "secret")
	f.Add(valid)
	f.Add(valid[:headerSize])
	f.Add(valid[:len(valid)-1])
	f.Add(append(slices.Clone(valid), valid...))
	f.Add([]byte{})
	f.Add([]byte{formatV1})
	f.Add([]byte{formatV1, tinkV1, 0, 0, 0, 0})
	f.Add(make([]byte, overhead))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		plaintext, err := ring.Open(credential, sealed)
		if err == nil && string(plaintext) != "secret" {
			t.Errorf("%x opened", sealed)
		}
		if err != nil && (err != ErrOpen || plaintext != nil) {
			t.Errorf("Open = %d bytes, %v; want none and ErrOpen", len(plaintext), err)
		}
		if id, idErr := KeyIDOf(sealed); err == nil && (idErr != nil || id != ring.PrimaryID()) {
			t.Errorf("an envelope that opens names key %d, %v", id, idErr)
		}
	})
}
