package webhook

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// offered asks for slots and takes what is given.
func offered(s *slots, free int, room int, endpoints ...string) []int {
	rooms := slices.Repeat([]int{room}, len(endpoints))
	given := s.offer(free, endpoints, rooms)
	for i, n := range given {
		for range n {
			s.begin(endpoints[i])
		}
	}
	return given
}

// answered ends attempts of the endpoint that were answered after so long.
func answered(s *slots, endpoint string, attempts int, after time.Duration) {
	for range attempts {
		s.end(endpoint, after, true)
	}
}

func TestSlots(t *testing.T) {
	wants := func(t *testing.T, got []int, want ...int) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("given %v, want %v", got, want)
		}
	}
	t.Run("a window begins at one and grows with every answer", func(t *testing.T) {
		s := newSlots(256)
		for want := 1; want <= widest; want++ {
			wants(t, offered(s, 256, 1000, "a"), want)
			answered(s, "a", want, time.Millisecond)
			s.endpoints["a"].window = want + 1 // as after a single answer
		}
		wants(t, offered(s, 256, 1000, "a"), widest)
	})
	t.Run("an attempt without an answer halves it", func(t *testing.T) {
		s := newSlots(256)
		s.endpoints["a"] = &standing{window: widest, prompt: true}
		wants(t, offered(s, 256, 1000, "a"), widest)
		for range widest {
			s.end("a", attemptTimeout, false)
		}
		wants(t, offered(s, 256, 1000, "a"), 1)
	})
	t.Run("slots are divided one each and then again", func(t *testing.T) {
		s := newSlots(256)
		for _, endpoint := range []string{"a", "b", "c"} {
			s.endpoints[endpoint] = &standing{window: 8, prompt: true}
		}
		wants(t, s.offer(7, []string{"a", "b", "c"}, []int{9, 1, 9}), 3, 1, 3)
		wants(t, s.offer(2, []string{"a", "b", "c"}, []int{0, 9, 9}), 0, 1, 1)
	})
	t.Run("nobody has more than a share of half of all", func(t *testing.T) {
		s := newSlots(256)
		var many []string
		for n := range 64 {
			many = append(many, fmt.Sprint(n))
			s.endpoints[many[n]] = &standing{window: widest, prompt: true}
		}
		if given := offered(s, 256, 1000, many...); slices.Max(given) != 2 || slices.Min(given) != 2 {
			t.Errorf("given %v, want 2 each", given)
		}
	})
	t.Run("those that are not prompt leave half to the others", func(t *testing.T) {
		s := newSlots(16)
		s.endpoints["prompt"] = &standing{window: 8, prompt: true}
		var slow []string
		for n := range 20 {
			slow = append(slow, fmt.Sprint(n))
		}
		total := 0
		for _, n := range offered(s, 16, 1000, slow...) {
			total += n
		}
		if total != 8 {
			t.Errorf("20 unknown endpoints have %d of 16 slots", total)
		}
		wants(t, offered(s, 8, 1000, "prompt", "another"), 1, 0)
	})
	t.Run("what is idle and unproven is forgotten", func(t *testing.T) {
		s := newSlots(16)
		wants(t, offered(s, 1, 1, "a"), 1)
		s.end("a", attemptTimeout, false)
		if len(s.endpoints) != 0 || s.unproven != 0 {
			t.Errorf("%d endpoints are remembered, %d attempts counted", len(s.endpoints), s.unproven)
		}
		s.end("never begun", time.Second, true)
	})
	t.Run("no more are remembered than are useful", func(t *testing.T) {
		s := newSlots(16)
		for n := range mostRemembered + 2 {
			name := fmt.Sprint(n)
			s.begin(name)
			s.end(name, time.Millisecond, true)
		}
		if len(s.endpoints) > mostRemembered {
			t.Errorf("%d endpoints are remembered", len(s.endpoints))
		}
	})
}
