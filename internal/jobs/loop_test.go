package jobs

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// queue is a queue in memory: every item is claimed once.
type queue struct {
	mu     sync.Mutex
	items  []int
	fail   error // of every claim, while set
	claims []int // the limits asked for
	times  []time.Time
}

func (q *queue) push(items ...int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = append(q.items, items...)
}

func (q *queue) failWith(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.fail = err
}

func (q *queue) claim(_ context.Context, limit int) ([]int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.claims = append(q.claims, limit)
	q.times = append(q.times, time.Now())
	if q.fail != nil {
		return nil, q.fail
	}
	n := min(limit, len(q.items))
	claimed := q.items[:n]
	q.items = q.items[n:]
	return claimed, nil
}

// gaps returns the time between the claims, without the jitter's share.
func (q *queue) gaps() []time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	var gaps []time.Duration
	for i := 1; i < len(q.times); i++ {
		gaps = append(gaps, q.times[i].Sub(q.times[i-1]))
	}
	return gaps
}

func (q *queue) claimed() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.claims)
}

// still is a source of randomness that puts every jitter in the middle.
type still struct{}

func (still) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 0
	}
	if len(p) > 0 {
		p[0] = 0x80
	}
	return len(p), nil
}

// record collects what ran.
type record struct {
	mu  sync.Mutex
	ran []int
}

func (r *record) add(item int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ran = append(r.ran, item)
}

func (r *record) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ran)
}

func mustStop(t *testing.T, stop func(context.Context) error) {
	t.Helper()
	if err := stop(t.Context()); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestLoopClaims(t *testing.T) {
	t.Run("what is due at the start runs at once, what comes later after a wake", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q, done := &queue{items: []int{1}}, &record{}
			loop := New(Config[int]{Name: "test", Claim: q.claim, Run: func(_ context.Context, i int) { done.add(i) }, Concurrency: 4, Poll: time.Hour})
			loop.Start(t.Context())
			synctest.Wait()
			q.push(2)
			synctest.Wait()
			if done.len() != 1 {
				t.Errorf("%d items ran before the wake, want 1", done.len())
			}
			loop.Wake()
			synctest.Wait()
			if diff := cmp.Diff([]int{1, 2}, done.ran); diff != "" {
				t.Errorf("ran (-want +got):\n%s", diff)
			}
			mustStop(t, loop.Stop)
		})
	})

	t.Run("without a wake it polls", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q := &queue{}
			loop := New(Config[int]{Name: "test", Claim: q.claim, Run: func(context.Context, int) {}, Poll: time.Minute, Random: still{}})
			loop.Start(t.Context())
			time.Sleep(5*time.Minute + time.Second)
			mustStop(t, loop.Stop)
			want := []time.Duration{time.Minute, time.Minute, time.Minute, time.Minute, time.Minute}
			if diff := cmp.Diff(want, q.gaps()); diff != "" {
				t.Errorf("gaps between claims (-want +got):\n%s", diff)
			}
		})
	})

	t.Run("polls are jittered by no more than 10 %", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q := &queue{}
			loop := New(Config[int]{Name: "test", Claim: q.claim, Run: func(context.Context, int) {}, Poll: time.Minute})
			loop.Start(t.Context())
			time.Sleep(10 * time.Hour)
			mustStop(t, loop.Stop)
			different := map[time.Duration]bool{}
			for _, gap := range q.gaps() {
				different[gap] = true
				if gap < 54*time.Second || gap > 66*time.Second {
					t.Fatalf("a gap of %v, want 54 s to 66 s", gap)
				}
			}
			if len(different) < 100 {
				t.Errorf("only %d different gaps in 10 hours", len(different))
			}
		})
	})

	t.Run("a full claim is followed by another at once, a partial one by sleep", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q, done := &queue{}, &record{}
			for i := range 10 {
				q.push(i)
			}
			loop := New(Config[int]{Name: "test", Claim: q.claim, Concurrency: 4, Poll: time.Hour, Run: func(_ context.Context, i int) {
				done.add(i)
			}})
			loop.Start(t.Context())
			time.Sleep(time.Second)
			if done.len() != 10 {
				t.Errorf("%d of 10 ran without a wake", done.len())
			}
			claims := q.claimed()
			time.Sleep(time.Minute)
			if q.claimed() != claims {
				t.Errorf("%d claims while there was nothing to do", q.claimed()-claims)
			}
			mustStop(t, loop.Stop)
		})
	})

	t.Run("a million wakes of an idle loop are few claims and none is lost", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q := &queue{}
			slow := func(ctx context.Context, limit int) ([]int, error) {
				time.Sleep(time.Second)
				return q.claim(ctx, limit)
			}
			loop := New(Config[int]{Name: "test", Claim: slow, Run: func(context.Context, int) {}, Poll: time.Hour})
			loop.Start(t.Context())
			synctest.Wait() // the first claim is under way
			for range 1_000_000 {
				loop.Wake()
			}
			time.Sleep(time.Minute)
			if q.claimed() != 2 {
				t.Errorf("%d claims, want the one under way and one for all wakes", q.claimed())
			}
			mustStop(t, loop.Stop)
		})
	})

	t.Run("claims begin no sooner after each other than the gap, and the first at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q := &queue{}
			var claims []time.Time
			began := time.Now()
			claim := func(ctx context.Context, limit int) ([]int, error) {
				claims = append(claims, time.Now())
				return q.claim(ctx, limit)
			}
			loop := New(Config[int]{Name: "test", Claim: claim, Gap: 5 * time.Millisecond, Poll: time.Hour, Run: func(context.Context, int) {}})
			loop.Start(t.Context())
			for range 100 {
				loop.Wake()
				time.Sleep(time.Millisecond)
			}
			mustStop(t, loop.Stop)
			if len(claims) < 20 || len(claims) > 21 || !claims[0].Equal(began) {
				t.Fatalf("%d claims in 100 ms, the first after %v", len(claims), claims[0].Sub(began))
			}
			for i := range claims[1:] {
				if gap := claims[i+1].Sub(claims[i]); gap < 5*time.Millisecond {
					t.Errorf("a claim %v after the one before", gap)
				}
			}
		})
	})

	t.Run("wakes while every slot is busy are answered by the next claim, and by no other", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q := &queue{items: []int{1}}
			loop := New(Config[int]{Name: "test", Claim: q.claim, Poll: time.Hour, Run: func(context.Context, int) { time.Sleep(time.Second) }})
			loop.Start(t.Context())
			synctest.Wait()
			loop.Wake()
			time.Sleep(time.Minute)
			if q.claimed() != 2 {
				t.Errorf("%d claims, want the first and one after the item", q.claimed())
			}
			mustStop(t, loop.Stop)
		})
	})

	t.Run("a claim that hangs is an error in the end", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			claims := 0
			hang := func(ctx context.Context, _ int) ([]int, error) {
				claims++
				<-ctx.Done()
				return nil, ctx.Err()
			}
			loop := New(Config[int]{Name: "test", Claim: hang, Run: func(context.Context, int) {}})
			loop.Start(t.Context())
			time.Sleep(31 * time.Second)
			synctest.Wait()
			if claims != 2 {
				t.Errorf("%d claims in 31 s, want a second after the first was given up", claims)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := loop.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("stop: %v, want it cut short", err)
			}
		})
	})
}

func TestNoWakeIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const producers, each = 8, 500
		q, done := &queue{}, &record{}
		loop := New(Config[int]{Name: "test", Claim: q.claim, Concurrency: 3, Poll: 24 * time.Hour, Run: func(_ context.Context, i int) {
			time.Sleep(time.Duration(i%3) * time.Millisecond)
			done.add(i)
		}})
		loop.Start(t.Context())
		var all sync.WaitGroup
		for p := range producers {
			all.Go(func() {
				for i := range each {
					q.push(i)
					loop.Wake()
					time.Sleep(time.Duration((i*7+p)%5) * time.Millisecond)
				}
			})
		}
		all.Wait()
		time.Sleep(time.Hour) // much less than a poll
		if done.len() != producers*each {
			t.Errorf("%d of %d ran: a wake was lost", done.len(), producers*each)
		}
		mustStop(t, loop.Stop)
	})
}

func TestConcurrency(t *testing.T) {
	t.Run("never more run than allowed, and never more are asked for than can run", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q := &queue{}
			for i := range 100 {
				q.push(i)
			}
			var mu sync.Mutex
			running, most, ran := 0, 0, 0
			claim := func(ctx context.Context, limit int) ([]int, error) {
				mu.Lock()
				defer mu.Unlock()
				if running+limit > 5 {
					t.Errorf("claim of %d while %d run", limit, running)
				}
				return q.claim(ctx, limit)
			}
			loop := New(Config[int]{Name: "test", Claim: claim, Concurrency: 5, Run: func(_ context.Context, i int) {
				mu.Lock()
				running++
				most = max(most, running)
				mu.Unlock()
				time.Sleep(time.Duration(1+i%7) * time.Second)
				mu.Lock()
				running--
				ran++
				mu.Unlock()
			}})
			loop.Start(t.Context())
			time.Sleep(time.Hour)
			mustStop(t, loop.Stop)
			if most != 5 || ran != 100 {
				t.Errorf("at most %d ran at once, %d in all; want 5 and 100", most, ran)
			}
		})
	})

	t.Run("a claim that took too many loses none and breaks no limit", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			running, most, ran, claimed := 0, 0, 0, false
			greedy := func(context.Context, int) ([]int, error) {
				mu.Lock()
				defer mu.Unlock()
				if claimed {
					return nil, nil
				}
				claimed = true
				return make([]int, 9), nil
			}
			loop := New(Config[int]{Name: "test", Claim: greedy, Concurrency: 2, Run: func(context.Context, int) {
				mu.Lock()
				running++
				most = max(most, running)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				running--
				ran++
				mu.Unlock()
			}})
			loop.Start(t.Context())
			time.Sleep(time.Minute)
			mustStop(t, loop.Stop)
			if most != 2 || ran != 9 {
				t.Errorf("at most %d ran at once, %d in all; want 2 and 9", most, ran)
			}
		})
	})

	t.Run("one slow item does not keep the others waiting", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q, done := &queue{items: []int{0, 1, 2, 3, 4, 5}}, &record{}
			loop := New(Config[int]{Name: "test", Claim: q.claim, Concurrency: 2, Run: func(_ context.Context, i int) {
				if i == 0 {
					time.Sleep(time.Hour)
				}
				done.add(i)
			}})
			loop.Start(t.Context())
			time.Sleep(time.Second)
			if done.len() != 5 {
				t.Errorf("%d ran beside the slow one, want 5", done.len())
			}
			mustStop(t, loop.Stop)
			if done.len() != 6 {
				t.Errorf("%d ran in all, want 6", done.len())
			}
		})
	})

	t.Run("the zero of every option is usable", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q, done := &queue{items: []int{1, 2, 3}}, &record{}
			loop := New(Config[int]{Claim: q.claim, Run: func(_ context.Context, i int) { done.add(i) }})
			loop.Start(t.Context())
			synctest.Wait()
			mustStop(t, loop.Stop)
			if diff := cmp.Diff([]int{1, 2, 3}, done.ran); diff != "" {
				t.Errorf("ran (-want +got):\n%s", diff)
			}
		})
	})
}

// logged returns a logger and what it wrote.
func logged() (*slog.Logger, *lines) {
	text := &lines{}
	return slog.New(slog.NewTextHandler(text, nil)), text
}

type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), part)
}
