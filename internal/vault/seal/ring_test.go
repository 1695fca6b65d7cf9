package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// stream is a source of bytes that gives the same ones in every run.
type stream struct {
	seed  string
	block uint64
	rest  []byte
}

func (s *stream) Read(p []byte) (int, error) {
	for n := 0; n < len(p); {
		if len(s.rest) == 0 {
			sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(s.seed), s.block))
			s.block, s.rest = s.block+1, sum[:]
		}
		copied := copy(p[n:], s.rest)
		n, s.rest = n+copied, s.rest[copied:]
	}
	return len(p), nil
}

// number returns the stream's next number below n.
func (s *stream) number(n int) int {
	var b [8]byte
	_, _ = s.Read(b[:])
	return int(binary.BigEndian.Uint64(b[:]) % uint64(n))
}

func newRing(t testing.TB) *Ring {
	t.Helper()
	ring, err := NewRing(&stream{seed: "ring"})
	if err != nil {
		t.Fatalf("NewRing: %v", err)
	}
	return ring
}

func mustSeal(t testing.TB, ring *Ring, b Binding, plaintext string) []byte {
	t.Helper()
	sealed, err := ring.Seal(b, []byte(plaintext))
	if err != nil {
		t.Fatalf("Seal: %v", err)
	}
	return sealed
}

var credential = Binding{Organisation: "org_1", Subject: "conn_1", Field: "credential", Schema: 1}

func TestSealAndOpen(t *testing.T) {
	ring := newRing(t)
	t.Run("what is sealed opens under the same binding", rapid.MakeCheck(func(t *rapid.T) {
		binding, plaintext := drawBinding(t), rapid.SliceOfN(rapid.Byte(), 0, 2048).Draw(t, "plaintext")
		sealed, err := ring.Seal(binding, plaintext)
		if err != nil {
			t.Fatalf("Seal: %v", err)
		}
		opened, err := ring.Open(binding, sealed)
		if err != nil || !bytes.Equal(opened, plaintext) {
			t.Fatalf("Open = %d bytes, %v; want the %d bytes that were sealed", len(opened), err, len(plaintext))
		}
		if len(sealed) != len(plaintext)+overhead {
			t.Fatalf("envelope has %d bytes over, want %d", len(sealed)-len(plaintext), overhead)
		}
	}))
	t.Run("the same secret sealed twice looks different", func(t *testing.T) {
		if bytes.Equal(mustSeal(t, ring, credential, "x"), mustSeal(t, ring, credential, "x")) {
			t.Error("two seals of one plaintext are equal")
		}
	})
	t.Run("an envelope names its key", func(t *testing.T) {
		id, err := KeyIDOf(mustSeal(t, ring, credential, "x"))
		if err != nil || id != ring.PrimaryID() {
			t.Errorf("KeyIDOf = %d, %v; want the primary %d", id, err, ring.PrimaryID())
		}
	})
	t.Run("a binding that leaves something open is refused", func(t *testing.T) {
		long := string(bytes.Repeat([]byte("x"), maxBindingPart+1))
		for _, b := range []Binding{
			{}, {Organisation: "o", Subject: "s"}, {Organisation: "o", Field: "f"}, {Subject: "s", Field: "f"},
			{Organisation: long, Subject: "s", Field: "f"}, {Organisation: "o", Subject: "s", Field: "f", Schema: -1},
		} {
			if _, err := ring.Seal(b, nil); !errors.Is(err, errBinding) {
				t.Errorf("Seal(%v) = %v, want %v", b, err, errBinding)
			}
			if _, err := ring.Open(b, mustSeal(t, ring, credential, "x")); !errors.Is(err, ErrOpen) {
				t.Errorf("Open(%v) = %v, want ErrOpen", b, err)
			}
		}
	})
	t.Run("the longest plaintext is sealed and one byte more is refused", func(t *testing.T) {
		largest := make([]byte, MaxPlaintext)
		sealed, err := ring.Seal(credential, largest)
		if err != nil {
			t.Fatalf("Seal: %v", err)
		}
		if opened, err := ring.Open(credential, sealed); err != nil || !bytes.Equal(opened, largest) {
			t.Errorf("Open of the longest = %v", err)
		}
		if _, err := ring.Seal(credential, append(largest, 0)); err == nil {
			t.Error("a plaintext over the limit was sealed")
		}
	})
	t.Run("a source that fails makes no ring", func(t *testing.T) {
		if _, err := NewRing(iotest.ErrReader(errors.New("dry"))); err == nil {
			t.Error("NewRing without randomness succeeded")
		}
		if _, err := NewRing(bytes.NewReader(make([]byte, 64))); err == nil {
			t.Error("NewRing of zeros succeeded")
		}
	})
	t.Run("without a source rings differ", func(t *testing.T) {
		one, err := NewRing(nil)
		if err != nil {
			t.Fatal(err)
		}
		two, err := NewRing(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := two.Open(credential, mustSeal(t, one, credential, "x")); !errors.Is(err, ErrOpen) {
			t.Errorf("Open under another ring = %v, want ErrOpen", err)
		}
	})
}

func drawBinding(t *rapid.T) Binding {
	text := rapid.StringN(1, 60, maxBindingPart)
	return Binding{
		Organisation: text.Draw(t, "organisation"),
		Subject:      text.Draw(t, "subject"),
		Field:        text.Draw(t, "field"),
		Schema:       rapid.IntRange(0, 1<<40).Draw(t, "schema"),
	}
}

func TestBindingEncoding(t *testing.T) {
	t.Run("no two bindings share an encoding", rapid.MakeCheck(func(t *rapid.T) {
		one, two := drawBinding(t), drawBinding(t)
		if (one == two) != bytes.Equal(one.AssociatedData(), two.AssociatedData()) {
			t.Fatalf("%v and %v are told apart wrongly", one, two)
		}
	}))
	t.Run("text that moves from one field to the next changes it", func(t *testing.T) {
		one := Binding{Organisation: "ab", Subject: "c", Field: "d"}
		two := Binding{Organisation: "a", Subject: "bc", Field: "d"}
		if bytes.Equal(one.AssociatedData(), two.AssociatedData()) {
			t.Error("the fields run into each other")
		}
	})
}

func TestRotation(t *testing.T) {
	ring := newRing(t)
	first := ring.PrimaryID()
	old := mustSeal(t, ring, credential, "old")
	proof, err := ring.Proof()
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Rotate(); err != nil {
		t.Fatalf("Rotate: %v", err)
	}
	t.Run("a new key seals and the old one still opens", func(t *testing.T) {
		if ring.PrimaryID() == first || !slices.Equal(ring.KeyIDs(), []uint32{first, ring.PrimaryID()}) {
			t.Errorf("keys %v, primary %d after a rotation from %d", ring.KeyIDs(), ring.PrimaryID(), first)
		}
		if id, _ := KeyIDOf(mustSeal(t, ring, credential, "new")); id != ring.PrimaryID() {
			t.Errorf("sealed under %d, want the new primary", id)
		}
		if opened, err := ring.Open(credential, old); err != nil || string(opened) != "old" {
			t.Errorf("Open of what the old key sealed: %v", err)
		}
		if err := ring.Verify(proof); err != nil {
			t.Errorf("Verify of a proof from before: %v", err)
		}
	})
	t.Run("the primary and unknown keys can't be dropped", func(t *testing.T) {
		if ring.Drop(ring.PrimaryID()) == nil || ring.Drop(first+1) == nil {
			t.Error("Drop of the primary or of nothing succeeded")
		}
		if len(ring.KeyIDs()) != 2 {
			t.Errorf("%d keys after refused drops, want 2", len(ring.KeyIDs()))
		}
	})
	t.Run("a dropped key opens nothing any more", func(t *testing.T) {
		if err := ring.Drop(first); err != nil {
			t.Fatalf("Drop: %v", err)
		}
		if _, err := ring.Open(credential, old); !errors.Is(err, ErrOpen) {
			t.Errorf("Open = %v, want ErrOpen", err)
		}
		if err := ring.Verify(proof); !errors.Is(err, ErrWrongKey) {
			t.Errorf("Verify = %v, want ErrWrongKey", err)
		}
	})
	t.Run("a ring does not grow without end", func(t *testing.T) {
		var err error
		for range maxKeys {
			if err = ring.Rotate(); err != nil {
				break
			}
		}
		if err == nil || len(ring.KeyIDs()) != maxKeys {
			t.Errorf("%d keys and error %v, want %d and a refusal", len(ring.KeyIDs()), err, maxKeys)
		}
	})
}

func TestProof(t *testing.T) {
	ring := newRing(t)
	proof, err := ring.Proof()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := NewRing(&stream{seed: "another"})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("the ring that made it verifies it", func(t *testing.T) {
		if err := ring.Verify(proof); err != nil {
			t.Errorf("Verify: %v", err)
		}
	})
	t.Run("another ring, no proof, or any other envelope is the wrong key", func(t *testing.T) {
		for _, err := range []error{
			stranger.Verify(proof), ring.Verify(nil), ring.Verify(proof[:len(proof)-1]),
			ring.Verify(mustSeal(t, ring, credential, proofText)), ring.Verify(mustSeal(t, ring, proofBinding, "other")),
		} {
			if !errors.Is(err, ErrWrongKey) {
				t.Errorf("Verify = %v, want ErrWrongKey", err)
			}
		}
	})
}

func TestConcurrency(t *testing.T) {
	t.Run("sealing and opening go on while the ring rotates", func(t *testing.T) {
		ring := newRing(t)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 200 {
					sealed, err := ring.Seal(credential, []byte("secret"))
					if err != nil {
						t.Errorf("Seal: %v", err)
						return
					}
					if opened, err := ring.Open(credential, sealed); err != nil || string(opened) != "secret" {
						t.Errorf("Open: %v", err)
						return
					}
					_ = ring.KeyIDs()
				}
			})
		}
		for range 2 {
			group.Go(func() {
				for range 10 {
					if err := ring.Rotate(); err != nil {
						t.Errorf("Rotate: %v", err)
					}
				}
			})
		}
		group.Wait()
		if len(ring.KeyIDs()) != 21 {
			t.Errorf("%d keys after 20 rotations, want 21", len(ring.KeyIDs()))
		}
	})
}
