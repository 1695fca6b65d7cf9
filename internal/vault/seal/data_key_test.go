package seal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"latchkey/internal/latchtest/scaletest"
)

func newDataKey(t testing.TB, id int64) *DataKey {
	t.Helper()
	material := make([]byte, DataKeySize)
	_, _ = (&stream{seed: fmt.Sprint("data key ", id)}).Read(material)
	key, err := NewDataKey(id, material)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sealedByKey(t testing.TB, key *DataKey, b Binding, plaintext string) []byte {
	t.Helper()
	sealed, err := key.Seal(b, []byte(plaintext))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestADataKeyOpensWhatItSealed(t *testing.T) {
	key := newDataKey(t, 7)
	t.Run("under the same binding", rapid.MakeCheck(func(t *rapid.T) {
		binding, plaintext := drawBinding(t), rapid.SliceOfN(rapid.Byte(), 0, 2048).Draw(t, "plaintext")
		sealed, err := key.Seal(binding, plaintext)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := key.Open(binding, sealed)
		if id, headless := DataKeyOf(sealed); err != nil || headless != nil || id != 7 || !bytes.Equal(opened, plaintext) {
			t.Fatalf("opened %d bytes of key %d: %v, %v", len(opened), id, err, headless)
		}
		if len(sealed) != len(plaintext)+overheadV2 || !bytes.HasPrefix(sealed, DataKeyPrefix(7)) {
			t.Fatalf("the envelope has %d bytes over", len(sealed)-len(plaintext))
		}
	}))
	t.Run("only with an id, its whole size, and a whole binding", func(t *testing.T) {
		for _, id := range []int64{0, -1} {
			if _, err := NewDataKey(id, make([]byte, DataKeySize)); err == nil {
				t.Errorf("a key has the id %d", id)
			}
		}
		if _, err := NewDataKey(1, make([]byte, DataKeySize-1)); err == nil {
			t.Error("a key has 31 bytes")
		}
		if _, err := key.Seal(Binding{Organisation: "org_1"}, nil); err == nil {
			t.Error("half a binding seals")
		}
		if _, err := key.Seal(credential, make([]byte, MaxPlaintext+1)); err == nil {
			t.Error("it seals more than the bound")
		}
	})
	t.Run("and nothing that a ring sealed", func(t *testing.T) {
		sealed := mustSeal(t, newRing(t), credential, "secret")
		if _, err := DataKeyOf(sealed); !errors.Is(err, ErrOpen) {
			t.Error("an envelope of the ring names a data key")
		}
		if low, high := RingPrefixes(); bytes.Compare(sealed, low) < 0 || bytes.Compare(sealed, high) >= 0 {
			t.Error("an envelope of the ring is outside of its bounds")
		}
	})
}

func TestTamperingWithWhatADataKeySealed(t *testing.T) {
	key, random := newDataKey(t, 7), &stream{seed: "tamper"}
	keys := map[int64]*DataKey{7: key}
	opens := func(b Binding, sealed []byte) bool {
		id, err := DataKeyOf(sealed)
		if err != nil || keys[id] == nil {
			return false
		}
		_, err = keys[id].Open(b, sealed)
		return err == nil
	}
	const flips, swaps = 10_000, 1_000
	opened := 0
	for i := range flips {
		sealed := sealedByKey(t, key, credential, fmt.Sprintf("secret %d", i))
		bit := random.number(8 * len(sealed))
		sealed[bit/8] ^= 1 << (bit % 8)
		if opens(credential, sealed) {
			opened++
		}
	}
	fmt.Printf("RESULT V-1.data_key_flips %d of %d 0\n", opened, flips)
	swapped := 0
	for i := range swaps {
		home := Binding{Organisation: fmt.Sprintf("org_%d", i), Subject: "conn_1", Field: "credential", Schema: 1}
		sealed := sealedByKey(t, key, home, "secret")
		if i%5 == 4 { // the bytes under the name of another key, of the same secret bytes
			twin := *key
			twin.id = int64(100 + i)
			keys[twin.id] = &twin
			sealed = append(DataKeyPrefix(twin.id), sealed[prefixV2:]...)
		} else {
			home = elsewhere(home, i)
		}
		if opens(home, sealed) {
			swapped++
		}
	}
	fmt.Printf("RESULT V-1.data_key_swaps %d of %d 0\n", swapped, swaps)
	if opened+swapped != 0 {
		t.Errorf("%d changed and %d swapped envelopes opened", opened, swapped)
	}
	sealed := sealedByKey(t, key, credential, "secret")
	for n := range sealed {
		if opens(credential, sealed[:n]) {
			t.Errorf("the first %d bytes opened", n)
		}
	}
	if opens(credential, append(slices.Clone(sealed), 0)) || opens(credential, make([]byte, MaxPlaintext+overheadV2+1)) {
		t.Error("opened with more behind it")
	}
}

// Salt and nonce together are the 192 bits that must never come twice.
func TestNoNonceComesTwice(t *testing.T) {
	const workers = 8
	each := scaletest.Of(25_000, 1_250_000)
	key := newDataKey(t, 7)
	nonces := make([][][24]byte, workers)
	var group sync.WaitGroup
	for i := range workers {
		group.Go(func() {
			nonces[i] = make([][24]byte, each)
			for j := range each {
				sealed, err := key.Seal(credential, []byte("x"))
				if err != nil {
					t.Error(err)
					return
				}
				nonces[i][j] = [24]byte(sealed[prefixV2 : prefixV2+24])
			}
		})
	}
	group.Wait()
	all := slices.Concat(nonces...)
	slices.SortFunc(all, func(one, other [24]byte) int { return bytes.Compare(one[:], other[:]) })
	repeats := len(all) - len(slices.Compact(all))
	runtime.KeepAlive(nonces)
	fmt.Printf("RESULT V-2.repeats %d 0\nRESULT V-2.seals %d %d\n", repeats, workers*each, workers*each)
	if repeats != 0 {
		t.Errorf("%d nonces of %d came twice", repeats, workers*each)
	}
}

func TestARingIsTakenUpAgainFromItsFile(t *testing.T) {
	one, path := newFile(t)
	two := mustOpenFile(t, path)
	old := one.PrimaryID()
	if changed, err := two.Reload(nil); changed || err != nil {
		t.Errorf("nothing was changed, but: %v, %v", changed, err)
	}
	if err := one.Rotate(); err != nil {
		t.Fatal(err)
	}
	sealed := mustSeal(t, one, credential, "secret")
	if _, err := two.Open(credential, sealed); err == nil {
		t.Fatal("it knows the key before")
	}
	if changed, err := two.Reload(nil); !changed || err != nil || two.PrimaryID() != one.PrimaryID() || !two.Has(old) {
		t.Fatalf("after a rotation: %v, %v", changed, err)
	}
	if opened, err := two.Open(credential, sealed); err != nil || string(opened) != "secret" {
		t.Errorf("it opens %q, %v", opened, err)
	}
	if err := two.Drop(old); err != nil {
		t.Fatal(err)
	}
	if err := one.Drop(old); !errors.Is(err, ErrMovedOn) {
		t.Errorf("a file that moved on: %v", err)
	}
	if changed, err := one.Reload(nil); !changed || err != nil || one.Has(old) {
		t.Errorf("after a drop: %v, %v", changed, err)
	}
	t.Run("but not the file of another ring, or one that is damaged", func(t *testing.T) {
		_, other := newFile(t)
		for _, from := range []string{other, "/dev/null"} {
			text, err := os.ReadFile(from)
			if err != nil {
				t.Fatal(err)
			}
			overwrite(t, path, text)
			if changed, err := one.Reload(nil); changed || err == nil || one.PrimaryID() != two.PrimaryID() {
				t.Errorf("from %s: %v, %v", from, changed, err)
			}
		}
	})
}

func overwrite(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
