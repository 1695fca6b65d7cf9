package webhook

import (
	"crypto/rand"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"latchkey"
)

func TestPace(t *testing.T) {
	begin := time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)
	for _, rate := range []int{1, 2, 7, 10, 50, 100, 999, MaxRate} {
		pace, used := paceOf(rate), time.Time{}
		var sent []time.Time
		for at := begin; at.Before(begin.Add(10 * time.Second)); at = at.Add(time.Millisecond) {
			from := pace.from(at, used)
			n := pace.room(at, from)
			for range n {
				sent = append(sent, at)
			}
			used = from.Add(time.Duration(n) * pace.interval)
		}
		most, first := 0, 0
		for last := range sent {
			for sent[last].Sub(sent[first]) >= time.Second {
				first++
			}
			most = max(most, last-first+1)
		}
		if most > rate {
			t.Errorf("a rate of %d let %d through in a second", rate, most)
		}
		if len(sent) < 10*rate*3/4 {
			t.Errorf("a rate of %d let only %d through in ten seconds", rate, len(sent))
		}
	}
	t.Run("a clock that was set back stops nobody", func(t *testing.T) {
		pace := paceOf(10)
		if from := pace.from(begin, begin.Add(time.Hour)); pace.room(begin, from) != 1 {
			t.Errorf("%d may go out", pace.room(begin, from))
		}
	})
	t.Run("the next look finds half a burst", func(t *testing.T) {
		for _, rate := range []int{1, 10, 100, MaxRate} {
			pace := paceOf(rate)
			next := pace.next(begin, pace.burst)
			if room := pace.room(next, begin.Add(time.Duration(pace.burst)*pace.interval)); room != (pace.burst+1)/2 {
				t.Errorf("a rate of %d: %d may go out then, want %d", rate, room, (pace.burst+1)/2)
			}
		}
	})
}

// A queue is sent at its endpoint's rate by the loop, which wakes by itself.
func TestAQueueIsSentAtItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate, events = 50, 500
		got := &receipts{}
		s := newSink(t, func(_ http.ResponseWriter, r *http.Request) { got.add(r.Header.Get("Webhook-Id")) })
		q := &queue{rate: rate}
		for n := range events {
			q.push(event("we1", "conn"+latchkey.NewID(rand.Reader, ""), n))
		}
		stop := run(t, q, s, 64)
		for q.waiting() > 0 {
			time.Sleep(time.Second)
		}
		if err := stop(time.Minute); err != nil {
			t.Error(err)
		}
		first, most := 0, 0
		for last := range got.times {
			for got.times[last].Sub(got.times[first]) >= time.Second {
				first++
			}
			most = max(most, last-first+1)
		}
		took := got.times[events-1].Sub(got.times[0])
		if most > rate || took > events/rate*2*time.Second {
			t.Errorf("up to %d came in a second, all of them in %v", most, took)
		}
	})
}
