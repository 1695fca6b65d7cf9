package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"sync"
	"testing"

	"latchkey/internal/latchtest/pgtest"
)

// odd refuses even numbers, and a whole group with one among them.
func odd(_ context.Context, items []int) []error {
	errs := make([]error, len(items))
	for _, item := range items {
		if item%2 == 0 {
			return sameError(len(items), fmt.Errorf("%d is even", item))
		}
	}
	return errs
}

func TestOneBadItemOfABatchFailsAlone(t *testing.T) {
	b := startBatch(odd)
	defer b.stop()
	var group sync.WaitGroup
	for i := range 300 {
		group.Go(func() {
			if err := b.do(t.Context(), i); (err == nil) != (i%2 == 1) {
				t.Errorf("item %d: %v", i, err)
			}
		})
	}
	group.Wait()
}

func TestABatchThatStopsFinishesWhatWaitsAndRefusesTheRest(t *testing.T) {
	entered, end := make(chan struct{}, batchWorkers), make(chan struct{})
	var mu sync.Mutex
	done := map[int]bool{}
	b := startBatch(func(_ context.Context, items []int) []error {
		select {
		case entered <- struct{}{}:
		case <-end:
		}
		<-end
		mu.Lock()
		defer mu.Unlock()
		for _, item := range items {
			done[item] = true
		}
		return make([]error, len(items))
	})
	const n = 100
	answers := make(chan error, n)
	for i := range n {
		go func() { answers <- b.do(context.Background(), i) }()
	}
	for range batchWorkers {
		<-entered // all workers are busy now, so that the rest waits
	}
	stopped := make(chan struct{})
	go func() {
		b.stop()
		close(stopped)
	}()
	close(end)
	<-stopped
	acknowledged := 0
	for range n {
		switch err := <-answers; {
		case err == nil:
			acknowledged++
		case !errors.Is(err, errClosed):
			t.Error(err)
		}
	}
	if acknowledged != len(done) || acknowledged < batchWorkers {
		t.Errorf("%d items were acknowledged and %d done", acknowledged, len(done))
	}
	if err := b.do(t.Context(), n); !errors.Is(err, errClosed) {
		t.Errorf("an item after the end got %v", err)
	}
}

func TestWhoLeavesBeforeThereIsRoomIsNotKept(t *testing.T) {
	entered, end := make(chan struct{}, batchWorkers), make(chan struct{})
	b := startBatch(func(_ context.Context, items []int) []error {
		select {
		case entered <- struct{}{}:
		case <-end:
		}
		<-end
		for _, item := range items {
			if item < 0 {
				t.Error("the item of a caller who had left was done")
			}
		}
		return make([]error, len(items))
	})
	var group sync.WaitGroup
	for range (batchWorkers + 1) * batchLimit { // as much as can be under way and wait
		group.Go(func() {
			if err := b.do(context.Background(), 1); err != nil {
				t.Error(err)
			}
		})
	}
	for range batchWorkers {
		<-entered
	}
	for len(b.waiting) < batchLimit {
		runtime.Gosched()
	}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if err := b.do(ctx, -1); !errors.Is(err, context.Canceled) {
		t.Errorf("the caller that left got %v", err)
	}
	close(end)
	group.Wait()
	b.stop()
}

// contended opens a PostgreSQL whose sessions have the setting, with the facts
// "left" and "right" in it.
func contended(t *testing.T, setting, value string) *postgresEngine {
	t.Helper()
	address, err := url.Parse(pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	query.Set(setting, value)
	address.RawQuery = query.Encode()
	opened, err := openPostgres(t.Context(), Config{URL: address.String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.close(); err != nil {
			t.Error(err)
		}
	})
	for _, name := range []string{"left", "right"} {
		if err := opened.write(t.Context(), noting(name)); err != nil {
			t.Fatal(err)
		}
	}
	return opened.(*postgresEngine)
}

func TestADeadlockIsTriedAgain(t *testing.T) {
	e := contended(t, "deadlock_timeout", "20ms")
	var tries [2]int
	var met, group sync.WaitGroup
	met.Add(2)
	for i, order := range [][]string{{"left", "right"}, {"right", "left"}} {
		group.Go(func() {
			err := e.write(t.Context(), func(tx *tx) error {
				tries[i]++
				for n, name := range order {
					if _, err := tx.exec(`UPDATE meta SET value = value || 'y'::bytea WHERE name = $1`, name); err != nil {
						return err
					}
					if n == 0 && tries[i] == 1 {
						met.Done() // each holds one row and wants the other's
						met.Wait()
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if tries[0]+tries[1] < 3 {
		t.Error("there was no deadlock")
	}
	wantMeta(t, e, "xyy")
}

func TestASerialisationFailureIsTriedAgain(t *testing.T) {
	e := contended(t, "default_transaction_isolation", "serializable")
	var tries [2]int
	var met, group sync.WaitGroup
	met.Add(2)
	for i := range tries {
		group.Go(func() {
			err := e.write(t.Context(), func(tx *tx) error {
				tries[i]++
				var value []byte
				if err := tx.row(`SELECT value FROM meta WHERE name = 'left'`).Scan(&value); err != nil {
					return err
				}
				if tries[i] == 1 {
					met.Done() // both have read the same
					met.Wait()
				}
				_, err := tx.exec(`UPDATE meta SET value = $1`, append(value, 'y'))
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if tries[0]+tries[1] < 3 {
		t.Error("there was no conflict")
	}
	wantMeta(t, e, "xyy")
}

// wantMeta checks that both rows have the value.
func wantMeta(t *testing.T, e engine, want string) {
	t.Helper()
	rows, err := e.reader().QueryContext(t.Context(), `SELECT value FROM meta`)
	values, err := collect(rows, err, func(row scanner) (string, error) {
		var value []byte
		err := row.Scan(&value)
		return string(value), err
	})
	if err != nil || len(values) != 2 || values[0] != want || values[1] != want {
		t.Errorf("got %q, %v, want %q twice", values, err, want)
	}
}
