package proxy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestOnlyLastingCallsAreLookedUpAndOnlyEndedOnesCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked [][]string
		streams := NewStreams(func(_ context.Context, ids []string) ([]string, error) {
			asked = append(asked, ids)
			return []string{"a"}, nil
		})
		look := func() {
			t.Helper()
			if err := streams.CutEnded(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		look()
		a, endA := streams.begin(t.Context(), "a")
		look()
		b1, endB1 := streams.begin(t.Context(), "b")
		b2, endB2 := streams.begin(t.Context(), "b")
		if len(asked) != 0 {
			t.Errorf("%v was asked for", asked)
		}
		time.Sleep(2 * settled)
		look()
		if len(asked) != 1 || len(asked[0]) != 2 {
			t.Errorf("%v was asked for, want both at once", asked)
		}
		if a.Err() != nil || context.Cause(b1) != error(errEnded) || context.Cause(b2) != error(errEnded) {
			t.Errorf("the calls ended with %v, %v, %v", a.Err(), context.Cause(b1), context.Cause(b2))
		}
		endA()
		endB1()
		endB2()
		look()
		if len(asked) != 1 || len(streams.running) != 0 {
			t.Errorf("ended calls are remembered: %v, %v", asked, streams.running)
		}
	})
}

func TestManyConnectionsAreLookedUpInPartsAndAnErrorCutsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sizes []int
		fails := false
		streams := NewStreams(func(_ context.Context, ids []string) ([]string, error) {
			if fails {
				return nil, errors.New("no database")
			}
			sizes = append(sizes, len(ids))
			return ids, nil
		})
		var calls []context.Context
		for i := range 2*lookedUpAtOnce + 1 {
			ctx, end := streams.begin(t.Context(), fmt.Sprint(i))
			defer end()
			calls = append(calls, ctx)
		}
		time.Sleep(2 * settled)
		if err := streams.CutEnded(t.Context()); err != nil || !slices.Equal(sizes, []int{lookedUpAtOnce, lookedUpAtOnce, 1}) {
			t.Errorf("looked up in parts of %v, %v", sizes, err)
		}
		fails = true
		if err := streams.CutEnded(t.Context()); err == nil {
			t.Error("no error")
		}
		for _, call := range calls {
			if call.Err() != nil {
				t.Fatal("a call was cut")
			}
		}
	})
}
