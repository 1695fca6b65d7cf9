package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/internal/latchtest/pgtest"
	"latchkey/internal/latchtest/scaletest"
)

// rowsARead is how many rows one question has.
const rowsARead = 100

// ask asks for a number many times over, outside a transaction or in one, and
// returns how many rows came and how many of them were another's.
func ask(ctx context.Context, e *postgresEngine, number int64) (rows, foreign int) {
	const query = `SELECT $1::bigint FROM generate_series(1, $2::bigint)`
	var got []int64
	if number%2 == 0 {
		answer, err := e.reader().QueryContext(ctx, query, number, rowsARead)
		got, _ = collect(answer, err, scanNumber)
	} else {
		_ = e.write(ctx, func(tx *tx) error {
			answer, err := tx.rows(query, number, rowsARead)
			got, err = collect(answer, err, scanNumber)
			return err
		})
	}
	for _, value := range got {
		if value != number {
			foreign++
		}
	}
	return len(got), foreign
}

func TestACancelledQuestionLeavesNoRowsToTheNext(t *testing.T) {
	opened, err := openPostgres(t.Context(), Config{URL: pgtest.New(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = opened.close() }()
	engine := opened.(*postgresEngine)
	wanted := int64(scaletest.Of(100_000, 10_000_000))
	var rows, foreign, number, cancelled atomic.Int64
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			for rows.Load() < wanted {
				n := number.Add(1)
				ctx, cancel := context.WithCancel(t.Context())
				if rand.IntN(2) == 0 { // some before they are asked, some in the middle, some too late
					time.AfterFunc(rand.N(2*time.Millisecond), cancel)
				}
				came, others := ask(ctx, engine, n)
				if ctx.Err() != nil {
					cancelled.Add(1)
				}
				cancel()
				rows.Add(int64(came))
				foreign.Add(int64(others))
			}
		})
	}
	asking.Wait()
	fmt.Printf("RESULT C-7 %d 0\nRESULT C-7.rows %d %d\nRESULT C-7.cancelled %d 1\n", foreign.Load(), rows.Load(), wanted, cancelled.Load())
	if foreign.Load() != 0 || cancelled.Load() == 0 {
		t.Errorf("%d rows were another question's; %d questions were cancelled", foreign.Load(), cancelled.Load())
	}
}
