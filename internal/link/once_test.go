package link_test

import (
	"net/http"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
)

func TestAnIdempotencyKeyIsGoodForADay(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		size := 1
		if options.DatabaseURL != "" {
			size = 3
		}
		f := newFleet(t, options, size)
		what, began := f.init(latchkey.AppWhitelabel, "day"), time.Now()
		at := func(after time.Duration) {
			for _, replica := range f.replicas {
				replica.Clock.Freeze(began.Add(after))
			}
		}
		at(0)
		first := f.linkOf(f.must(http.StatusOK, what)).SessionID
		at(24*time.Hour - time.Second)
		if again := f.must(http.StatusOK, what); !isReplayed(again) || f.linkOf(again).SessionID != first {
			t.Errorf("a second before the day is over: %s", again.Body)
		}
		at(24*time.Hour + time.Second)
		fresh := 0
		for _, answer := range f.race(what) {
			if answer.Code == http.StatusOK && !isReplayed(answer) {
				fresh++
			}
			if session := f.linkOf(answer).SessionID; session == first {
				t.Errorf("a second after the day it is still %s", session)
			}
		}
		if fresh != 1 || f.sessions() != 2 {
			t.Errorf("%d new answers and %d sessions, want one and two", fresh, f.sessions())
		}
	})
}
