package jobs

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTicker(t *testing.T) {
	t.Run("the first turn comes at once, the others at their time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			var turns []time.Duration
			ticker := NewTicker(TickerConfig{Name: "test", Every: time.Minute, Random: still{}, Do: func(context.Context) error {
				turns = append(turns, time.Since(begin))
				return nil
			}})
			ticker.Start(t.Context())
			time.Sleep(2*time.Minute + time.Second)
			mustStop(t, ticker.Stop)
			if diff := cmp.Diff([]time.Duration{0, time.Minute, 2 * time.Minute}, turns); diff != "" {
				t.Errorf("turns (-want +got):\n%s", diff)
			}
		})
	})

	t.Run("a turn longer than the interval is never doubled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			running, turns := 0, 0
			ticker := NewTicker(TickerConfig{Name: "test", Every: time.Second, Do: func(context.Context) error {
				running++
				turns++
				if running > 1 {
					t.Error("two turns at once")
				}
				time.Sleep(10 * time.Second)
				running--
				return nil
			}})
			ticker.Start(t.Context())
			time.Sleep(time.Minute)
			mustStop(t, ticker.Stop)
			if turns < 5 {
				t.Errorf("%d turns in a minute", turns)
			}
		})
	})

	t.Run("errors and panics are logged once in a row and end nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			log, text := logged()
			turns := 0
			ticker := NewTicker(TickerConfig{Name: "sweep", Every: time.Minute, Log: log, Do: func(context.Context) error {
				turns++
				switch {
				case turns <= 3:
					return errors.New("database is away")
				case turns <= 6:
					panic("worse")
				}
				return nil
			}})
			ticker.Start(t.Context())
			time.Sleep(15 * time.Minute)
			mustStop(t, ticker.Stop)
			if turns < 10 || text.count("turn fails") != 1 || text.count("turn works again") != 1 {
				t.Errorf("%d turns, %d lines of failure, %d of recovery", turns, text.count("turn fails"), text.count("turn works again"))
			}
		})
	})

	t.Run("a turn that hangs ends with its time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			turns := 0
			ticker := NewTicker(TickerConfig{Name: "test", Every: time.Second, Timeout: 5 * time.Second, Do: func(ctx context.Context) error {
				turns++
				<-ctx.Done()
				return ctx.Err()
			}})
			ticker.Start(t.Context())
			time.Sleep(time.Minute)
			synctest.Wait()
			if turns < 8 {
				t.Errorf("%d turns in a minute, want one in about 6 s", turns)
			}
			mustStop(t, ticker.Stop)
		})
	})

	t.Run("Stop waits for a turn, then cancels it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ticker := NewTicker(TickerConfig{Name: "test", Every: time.Second, Timeout: time.Hour, Do: func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			}})
			ticker.Start(t.Context())
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			begin := time.Now()
			if err := ticker.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 2*time.Second {
				t.Errorf("stop: %v after %v", err, time.Since(begin))
			}
		})
	})
}
