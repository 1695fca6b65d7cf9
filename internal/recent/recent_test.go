package recent_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"latchkey/internal/recent"
)

// shelf is a store of one number for each key.
type shelf struct {
	*recent.Answers[string, int]
	loads int
	value int
}

func newShelf() *shelf { return &shelf{Answers: recent.New[string, int](time.Now), value: 1} }

func (s *shelf) get(t *testing.T, key, owner string) int {
	t.Helper()
	value, err := s.Get(key, func() (int, string, error) {
		s.loads++
		return s.value, owner, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestAnAnswerIsRememberedForLessThanASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		s.get(t, "a", "org_1")
		s.value = 2
		time.Sleep(recent.Age - time.Millisecond)
		if got := s.get(t, "a", "org_1"); got != 1 || s.loads != 1 {
			t.Errorf("got %d after %d loads, want the remembered 1", got, s.loads)
		}
		time.Sleep(time.Millisecond)
		if got := s.get(t, "a", "org_1"); got != 2 {
			t.Errorf("got %d, which is too old", got)
		}
	})
}

func TestAClockThatGoesBackMakesNoAnswerOlder(t *testing.T) {
	now := time.Unix(1000, 0)
	answers := recent.New[string, int](func() time.Time { return now })
	load := func(value int) func() (int, string, error) {
		return func() (int, string, error) { return value, "", nil }
	}
	_, _ = answers.Get("a", load(1))
	now = now.Add(-time.Hour)
	if got, _ := answers.Get("a", load(2)); got != 2 {
		t.Errorf("got %d, remembered from the future", got)
	}
}

func TestForgetDropsWhatIsTheOwners(t *testing.T) {
	s := newShelf()
	s.get(t, "a", "org_1")
	s.get(t, "b", "org_2")
	s.value = 2
	s.Forget("org_1")
	if got := s.get(t, "a", "org_1"); got != 2 {
		t.Errorf("got %d after it was forgotten", got)
	}
	if got := s.get(t, "b", "org_2"); got != 1 {
		t.Errorf("got %d: another's was forgotten too", got)
	}
	s.Forget("")
	if got := s.get(t, "b", "org_2"); got != 2 {
		t.Errorf("got %d after everything was forgotten", got)
	}
}

func TestWhatWasReadBeforeAChangeIsNotKept(t *testing.T) {
	s := newShelf()
	_, err := s.Get("a", func() (int, string, error) {
		s.Forget("org_1") // word of a change arrives while the store is asked
		return 1, "org_1", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.value = 2
	if got := s.get(t, "a", "org_1"); got != 2 {
		t.Errorf("got %d, from before the change", got)
	}
}

func TestAnErrorIsNotRemembered(t *testing.T) {
	s := newShelf()
	away := errors.New("away")
	if _, err := s.Get("a", func() (int, string, error) { return 0, "", away }); !errors.Is(err, away) {
		t.Errorf("got %v", err)
	}
	if got := s.get(t, "a", ""); got != 1 {
		t.Errorf("got %d", got)
	}
}

func TestTheMemoryIsBounded(t *testing.T) {
	answers := recent.New[int, int](time.Now)
	loads := 0
	get := func(key int) {
		_, _ = answers.Get(key, func() (int, string, error) { loads++; return key, "", nil })
	}
	for key := range 10_001 {
		get(key)
	}
	loads = 0
	get(0)
	if loads != 1 {
		t.Error("the first of more than are kept is still remembered")
	}
}

func TestManyMayAskAtOnce(t *testing.T) {
	answers := recent.New[int, int](time.Now)
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			for key := range 100 {
				if got, _ := answers.Get(key%10, func() (int, string, error) { return key % 10, "", nil }); got != key%10 {
					t.Errorf("got %d for %d", got, key%10)
				}
				answers.Forget("")
			}
		})
	}
	asking.Wait()
}
