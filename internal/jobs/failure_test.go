package jobs

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestClaimErrors(t *testing.T) {
	t.Run("they back off from 100 ms to 5 s, whatever wakes come", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q := &queue{fail: errors.New("database is away")}
			loop := New(Config[int]{Name: "test", Claim: q.claim, Run: func(context.Context, int) {}, Poll: time.Millisecond})
			loop.Start(t.Context())
			for range 200 {
				loop.Wake()
				time.Sleep(100 * time.Millisecond)
			}
			mustStop(t, loop.Stop)
			const ms = time.Millisecond
			want := []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, 5000 * ms}
			got := q.gaps()
			if diff := cmp.Diff(want, got[:min(len(got), len(want))]); diff != "" {
				t.Errorf("gaps between claims (-want +got):\n%s", diff)
			}
			if last := got[len(got)-1]; last != 5*time.Second {
				t.Errorf("the last gap is %v, want 5 s", last)
			}
		})
	})

	t.Run("a row of them is two lines in the log, and the next row is told again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			log, text := logged()
			q, done := &queue{fail: errors.New("database is away")}, &record{}
			loop := New(Config[int]{Name: "mail", Claim: q.claim, Poll: time.Second, Log: log, Run: func(_ context.Context, i int) { done.add(i) }})
			loop.Start(t.Context())
			time.Sleep(time.Minute)
			if n := text.count("claim fails"); n != 1 {
				t.Errorf("%d lines for one row of failures, want 1", n)
			}
			q.failWith(nil)
			q.push(7)
			time.Sleep(time.Minute)
			if n := text.count("claim works again"); n != 1 {
				t.Errorf("%d lines for the recovery, want 1", n)
			}
			if done.len() != 1 {
				t.Errorf("%d items ran after the recovery, want 1", done.len())
			}
			q.failWith(errors.New("again"))
			time.Sleep(time.Minute)
			mustStop(t, loop.Stop)
			if n := text.count("claim fails"); n != 2 {
				t.Errorf("%d lines for two rows of failures, want 2", n)
			}
			if text.count("job=mail") != 3 {
				t.Error("a line does not name the loop")
			}
		})
	})

	t.Run("after a recovery the back-off begins anew", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q := &queue{fail: errors.New("away")}
			loop := New(Config[int]{Name: "test", Claim: q.claim, Run: func(context.Context, int) {}, Poll: time.Hour, Random: still{}})
			loop.Start(t.Context())
			time.Sleep(time.Minute)
			q.failWith(nil)
			time.Sleep(time.Minute)
			q.failWith(errors.New("away again"))
			before := len(q.gaps())
			loop.Wake()
			time.Sleep(350 * time.Millisecond) // claims at 0, 100 and 300 ms
			mustStop(t, loop.Stop)
			if got := len(q.gaps()) - before; got != 3 {
				t.Errorf("%d claims in 350 ms, want 3", got)
			}
		})
	})

	t.Run("a panicking claim is an error like any other", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			log, text := logged()
			first, done := true, &record{}
			claim := func(context.Context, int) ([]int, error) {
				if first {
					first = false
					panic(errors.New("nil map"))
				}
				if done.len() > 0 {
					return nil, nil
				}
				return []int{1}, nil
			}
			loop := New(Config[int]{Name: "test", Claim: claim, Log: log, Run: func(_ context.Context, i int) { done.add(i) }})
			loop.Start(t.Context())
			time.Sleep(time.Second)
			mustStop(t, loop.Stop)
			if done.len() == 0 || text.count("nil map") != 1 {
				t.Errorf("%d items ran, the panic is logged %d times", done.len(), text.count("nil map"))
			}
		})
	})
}

func TestPanickingRun(t *testing.T) {
	t.Run("it ends only its item, gives its slot back and is logged with its stack", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			log, text := logged()
			q, done := &queue{items: []int{0, 1, 0, 2, 0, 3}}, &record{}
			loop := New(Config[int]{Name: "test", Claim: q.claim, Concurrency: 1, Log: log, Run: func(_ context.Context, i int) {
				if i == 0 {
					panic("item zero")
				}
				done.add(i)
			}})
			loop.Start(t.Context())
			synctest.Wait()
			mustStop(t, loop.Stop)
			if diff := cmp.Diff([]int{1, 2, 3}, done.ran); diff != "" {
				t.Errorf("ran (-want +got):\n%s", diff)
			}
			if text.count("item zero") != 3 || text.count("failure_test.go") == 0 {
				t.Error("the log lacks a panic or its stack")
			}
		})
	})

	t.Run("the log tells no value of a panic that is neither error nor sentence", func(t *testing.T) {
		type form struct{ Password string }
		if got := describePanic(form{Password: "hunter2"}); got != "jobs.form" {
			t.Errorf("described as %q", got)
		}
	})
}

func TestStop(t *testing.T) {
	t.Run("what runs finishes, and nothing new is claimed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q, done := &queue{items: []int{1, 2, 3, 4}}, &record{}
			loop := New(Config[int]{Name: "test", Claim: q.claim, Concurrency: 2, Run: func(ctx context.Context, i int) {
				time.Sleep(10 * time.Second)
				if ctx.Err() != nil {
					t.Errorf("item %d was cut short", i)
				}
				done.add(i)
			}})
			loop.Start(t.Context())
			synctest.Wait()
			begin := time.Now()
			mustStop(t, loop.Stop)
			if took := time.Since(begin); took != 10*time.Second || done.len() != 2 {
				t.Errorf("stopped after %v with %d finished, want 10 s and 2", took, done.len())
			}
			if len(q.items) != 2 {
				t.Errorf("%d items left for others, want 2", len(q.items))
			}
		})
	})

	t.Run("a claim under way is let finish and its items run", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q, done := &queue{items: []int{1, 2}}, &record{}
			slow := func(ctx context.Context, limit int) ([]int, error) {
				time.Sleep(time.Second)
				return q.claim(ctx, limit)
			}
			loop := New(Config[int]{Name: "test", Claim: slow, Concurrency: 8, Run: func(_ context.Context, i int) { done.add(i) }})
			loop.Start(t.Context())
			synctest.Wait()
			mustStop(t, loop.Stop)
			if done.len() != 2 {
				t.Errorf("%d of the 2 items taken ran", done.len())
			}
		})
	})

	t.Run("nothing is claimed after it, however many slots are free", func(t *testing.T) {
		q := &queue{}
		loop := New(Config[int]{Name: "test", Claim: q.claim, Run: func(context.Context, int) {}, Concurrency: 100})
		mustStop(t, loop.Stop)
		for range 50 { // a choice between a slot and the end must never be a matter of luck
			if free := loop.take(); free != 0 {
				t.Fatalf("%d slots to claim for after the end", free)
			}
		}
	})

	t.Run("when patience ends, what runs is cancelled and waited for", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q, tidied := &queue{items: []int{1}}, false
			loop := New(Config[int]{Name: "mail", Claim: q.claim, Run: func(ctx context.Context, _ int) {
				<-ctx.Done()
				time.Sleep(time.Second) // puts itself in order
				tidied = true
			}})
			loop.Start(t.Context())
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			begin := time.Now()
			err := loop.Stop(ctx)
			if !errors.Is(err, context.DeadlineExceeded) || !tidied || time.Since(begin) != 4*time.Second {
				t.Errorf("stop: %v after %v, tidied: %v", err, time.Since(begin), tidied)
			}
		})
	})

	t.Run("what ignores its cancellation does not hold Stop for ever", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q := &queue{items: []int{1}}
			loop := New(Config[int]{Name: "test", Claim: q.claim, Run: func(context.Context, int) { time.Sleep(time.Hour) }})
			loop.Start(t.Context())
			synctest.Wait()
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			begin := time.Now()
			if err := loop.Stop(ctx); !errors.Is(err, context.Canceled) || time.Since(begin) != stopGrace {
				t.Errorf("stop: %v after %v", err, time.Since(begin))
			}
			mustStop(t, loop.Stop) // a second one may wait longer
		})
	})

	t.Run("the end of Start's ctx claims no more but cuts nothing short", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q, done := &queue{items: []int{1, 2}}, &record{}
			loop := New(Config[int]{Name: "test", Claim: q.claim, Run: func(ctx context.Context, i int) {
				time.Sleep(time.Minute)
				if ctx.Err() != nil {
					t.Errorf("item %d was cut short", i)
				}
				done.add(i)
			}})
			ctx, cancel := context.WithCancel(t.Context())
			loop.Start(ctx)
			synctest.Wait()
			cancel()
			time.Sleep(time.Hour)
			synctest.Wait()
			if diff := cmp.Diff([]int{1}, done.ran); diff != "" {
				t.Errorf("ran (-want +got):\n%s", diff)
			}
			mustStop(t, loop.Stop)
		})
	})

	t.Run("it interrupts sleep and back-off at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			for _, fail := range []error{nil, errors.New("away")} {
				q := &queue{fail: fail}
				loop := New(Config[int]{Name: "test", Claim: q.claim, Run: func(context.Context, int) {}, Poll: time.Hour})
				loop.Start(t.Context())
				time.Sleep(30 * time.Second)
				begin := time.Now()
				mustStop(t, loop.Stop)
				if took := time.Since(begin); took != 0 {
					t.Errorf("stopped after %v", took)
				}
			}
		})
	})

	t.Run("before a start it keeps the loop from ever starting; twice is as good as once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q := &queue{items: []int{1}}
			loop := New(Config[int]{Name: "test", Claim: q.claim, Run: func(context.Context, int) {}})
			mustStop(t, loop.Stop)
			loop.Start(t.Context())
			synctest.Wait()
			mustStop(t, loop.Stop)
			if q.claimed() != 0 {
				t.Error("a stopped loop claimed")
			}
		})
	})

	t.Run("a second start starts no second loop", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q := &queue{}
			loop := New(Config[int]{Name: "test", Claim: q.claim, Run: func(context.Context, int) {}, Poll: time.Hour})
			loop.Start(t.Context())
			loop.Start(t.Context())
			synctest.Wait()
			mustStop(t, loop.Stop)
			if q.claimed() != 1 {
				t.Errorf("%d claims, want 1", q.claimed())
			}
		})
	})
}
