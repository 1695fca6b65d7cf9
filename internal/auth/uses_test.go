package auth

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
)

// written returns what WriteUses hands over, or nil when it hands over nothing.
func written(t *testing.T, keys *Auth) map[string]time.Time {
	t.Helper()
	var got map[string]time.Time
	err := keys.WriteUses(t.Context(), func(_ context.Context, used map[string]time.Time) error {
		got = used
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTheUsesOfKeysAreWrittenLaterAndToTheMinute(t *testing.T) {
	keys, kept, now := room()
	first, second := kept.add(latchkey.Sandbox, nil), kept.add(latchkey.Live, nil)
	dead := kept.add(latchkey.Live, func(key *latchkey.APIKey) { key.RevokedAt = moment })
	id := func(text string) string { return kept.keys[latchkey.HashSecret(text)].ID }
	use := func(text string, at time.Duration) {
		*now = moment.Add(at)
		_, _ = keys.Caller(t.Context(), text)
	}
	if got := written(t, keys); got != nil {
		t.Errorf("before any use: %v", got)
	}
	use(first, time.Second)
	use(first, 59*time.Second)
	use(second, 61*time.Second)
	use(first, 3*time.Minute)
	use(first, 2*time.Minute) // the clock went back
	use(dead, time.Minute)
	use(latchkey.PrefixLiveKey+"unknown", time.Minute)
	want := map[string]time.Time{id(first): moment.Add(3 * time.Minute), id(second): moment.Add(time.Minute)}
	if diff := cmp.Diff(want, written(t, keys)); diff != "" {
		t.Errorf("uses (-want +got):\n%s", diff)
	}
	if got := written(t, keys); got != nil {
		t.Errorf("written twice: %v", got)
	}
}

func TestUsesThatCouldNotBeWrittenAreKept(t *testing.T) {
	keys, kept, _ := room()
	text := kept.add(latchkey.Sandbox, nil)
	if _, err := keys.Caller(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	fault := errors.New("disk full")
	err := keys.WriteUses(t.Context(), func(_ context.Context, used map[string]time.Time) error {
		clear(used) // what is handed over is the writer's own
		return fault
	})
	if !errors.Is(err, fault) {
		t.Errorf("the error is %v", err)
	}
	if got := written(t, keys); len(got) != 1 {
		t.Errorf("kept %v", got)
	}
}

func TestTheMemoryOfUsesIsBounded(t *testing.T) {
	var noted uses
	for i := range 2 * remembered {
		noted.note(fmt.Sprint("key_", i), moment)
	}
	noted.note("key_0", moment.Add(time.Hour))
	if got := noted.take(); len(got) != remembered || !got["key_0"].Equal(moment.Add(time.Hour)) {
		t.Errorf("%d uses are remembered, the first at %v", len(got), got["key_0"])
	}
}

func TestNotingAUseAsksNoStore(t *testing.T) {
	keys, kept, _ := room()
	text := kept.add(latchkey.Sandbox, nil)
	for range 100 {
		if _, err := keys.Caller(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	if kept.reads != 1 {
		t.Errorf("the store was asked %d times", kept.reads)
	}
}
