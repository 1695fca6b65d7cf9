package webhook

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"math"
	"net/http"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"
)

// life returns when the attempts of one endpoint that always fails are made,
// counted from the first.
func life(s schedule) []time.Duration {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at, times := begin, []time.Duration{0}
	for attempt := 1; ; attempt++ {
		next := s.next(attempt, at, 0)
		if next.IsZero() {
			return times
		}
		at = next
		times = append(times, at.Sub(begin))
	}
}

func TestSchedule(t *testing.T) {
	t.Run("at least ten attempts over at least 72 hours, however the dice fall", func(t *testing.T) {
		least := life(schedule{random: bytes.NewReader(make([]byte, 16*8*2))}) // no jitter beyond the least
		hours := least[len(least)-1].Hours()
		if len(least) < 10 || len(least) != Attempts || hours < 72 {
			t.Errorf("%d attempts over %.1f h", len(least), hours)
		}
		fmt.Printf("RESULT W-5 %d 10 attempts (at least)\n", len(least))
		fmt.Printf("RESULT W-5 %.1f 72 hours (at least)\n", hours)
	})

	t.Run("the first retry comes after about 5 s, every gap is longer than the one before, jitter 10 to 30 %", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			dice := rapid.SliceOfN(rapid.Byte(), 16*8*2, 16*8*2).Draw(t, "dice")
			times := life(schedule{random: bytes.NewReader(dice)})
			if first := times[1]; first < 4500*time.Millisecond || first > 6*time.Second {
				t.Errorf("first retry after %v", first)
			}
			last := time.Duration(0)
			for i := 1; i < len(times); i++ {
				wait := times[i] - times[i-1]
				if wait <= last {
					t.Errorf("gap %d is %v after %v", i, wait, last)
				}
				last = wait
				if jitter := float64(wait)/float64(gap(i)) - 1; jitter < 0.0999 || jitter > 0.3001 {
					t.Errorf("jitter %.3f at attempt %d", jitter, i)
				}
			}
			if total := times[len(times)-1]; total < 72*time.Hour {
				t.Errorf("over after %v", total)
			}
		})
	})

	t.Run("endpoints that failed together never come back together", func(t *testing.T) {
		const endpoints, windows = 20_000, 20
		block, err := aes.NewCipher(make([]byte, 16))
		if err != nil {
			t.Fatal(err)
		}
		dice := cipher.StreamReader{S: cipher.NewCTR(block, make([]byte, 16)), R: zeros{}} // the same at every run
		waves := make([][]float64, Attempts)
		for range endpoints {
			for attempt, at := range life(schedule{random: dice}) {
				waves[attempt] = append(waves[attempt], at.Seconds())
			}
		}
		worst := 0.0
		for _, wave := range waves[1:] {
			worst = max(worst, crowding(wave, windows))
		}
		if worst > 2 {
			t.Errorf("the fullest window holds %.2f times the mean", worst)
		}
		fmt.Printf("RESULT W-5 %.2f 2 fullest window to mean (at most)\n", worst)
	})

	t.Run("without randomness it still retries", func(t *testing.T) {
		if times := life(schedule{random: iotest.ErrReader(fmt.Errorf("no entropy"))}); len(times) != Attempts {
			t.Errorf("%d attempts", len(times))
		}
	})

	t.Run("our own faults are retried within minutes and never given up", func(t *testing.T) {
		s, now := schedule{random: rand.Reader}, time.Now()
		for attempt := range 1000 {
			wait := s.again(attempt, now).Sub(now)
			if wait < 4*time.Second || wait > 7*time.Minute {
				t.Fatalf("attempt %d is retried after %v", attempt, wait)
			}
		}
	})
}

// zeros is an endless source of zeros.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// crowding returns how full the fullest of equal windows is, compared to the
// mean.
func crowding(times []float64, windows int) float64 {
	first, last := math.Inf(1), math.Inf(-1)
	for _, at := range times {
		first, last = min(first, at), max(last, at)
	}
	counts := make([]int, windows)
	fullest := 0
	for _, at := range times {
		i := min(int((at-first)/(last-first)*float64(windows)), windows-1)
		counts[i]++
		fullest = max(fullest, counts[i])
	}
	return float64(fullest) / (float64(len(times)) / float64(windows))
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	cases := []struct {
		name, value string
		want        time.Duration
	}{
		{"absent", "", 0},
		{"seconds", "120", 2 * time.Minute},
		{"zero", "0", 0},
		{"an hour", "3600", time.Hour},
		{"more than an hour is an hour", "86400", time.Hour},
		{"more than fits is an hour", "99999999999999999999999", time.Hour},
		{"negative", "-5", 0},
		{"signed", "+5", 0},
		{"fraction", "1.5", 0},
		{"nonsense", "soon", 0},
		{"date", now.Add(10 * time.Minute).Format(http.TimeFormat), 10 * time.Minute},
		{"date of RFC 850", now.Add(10 * time.Minute).Format("Monday, 02-Jan-06 15:04:05 GMT"), 10 * time.Minute},
		{"date long ago", now.Add(-time.Hour).Format(http.TimeFormat), 0},
		{"date far ahead", now.AddDate(50, 0, 0).Format(http.TimeFormat), time.Hour},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := retryAfter(c.value, now); got != c.want {
				t.Errorf("%q: %v, want %v", c.value, got, c.want)
			}
		})
	}

	t.Run("what is asked for is the least, and is not exceeded by much", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			s := schedule{random: rand.Reader}
			attempt := rapid.IntRange(1, Attempts-1).Draw(t, "attempt")
			asked := time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "asked"))
			wait, bounded := s.next(attempt, now, asked).Sub(now), min(asked, time.Hour)
			most := max(bounded+bounded/10, gap(attempt)*13/10)
			if wait < bounded || wait < gap(attempt) || wait > most {
				t.Errorf("attempt %d, asked for %v: %v", attempt, asked, wait)
			}
		})
	})

	t.Run("after the last attempt it changes nothing", func(t *testing.T) {
		if at := (schedule{random: rand.Reader}).next(Attempts, now, time.Minute); !at.IsZero() {
			t.Errorf("another attempt at %v", at)
		}
	})

	t.Run("it never panics and never leaves its bounds", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			value := rapid.String().Draw(t, "value")
			if got := retryAfter(value, now); got < 0 || got > time.Hour {
				t.Errorf("%q: %v", value, got)
			}
		})
	})
}
