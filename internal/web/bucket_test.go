package web

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
)

// stopped is a clock that the test moves.
type stopped struct{ now time.Time }

func newStopped() *stopped { return &stopped{now: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)} }

func (s *stopped) Now() time.Time { return s.now }

// taken takes a token and returns the three headers and the refusal's seconds.
func taken(l *Buckets, name string) (headers [3]string, retryAfter int) {
	header := http.Header{}
	err := l.Take(header, name, latchkey.RateLimit{}.OrDefault())
	for i, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} {
		headers[i] = header.Get(name)
	}
	if latchkey.CodeOf(err) == latchkey.RateLimited {
		retryAfter = err.(*latchkey.Error).RetryAfter //nolint:errorlint // exactly this one
	}
	return headers, retryAfter
}

func TestABucketHoldsNinetyAndFillsByOneASecond(t *testing.T) {
	clock := newStopped()
	l := NewBuckets(clock.Now)
	begin := clock.now.Unix()
	for i := 1; i <= latchkey.DefaultBurst; i++ {
		want := [3]string{"90", strconv.Itoa(latchkey.DefaultBurst - i), strconv.FormatInt(begin+int64(i), 10)}
		if headers, wait := taken(l, "a"); wait != 0 || headers != want {
			t.Fatalf("call %d: %s, wait %d, want %s", i, headers, wait, want)
		}
	}
	for range 3 {
		if headers, wait := taken(l, "a"); wait != 1 || headers != [3]string{"90", "0", strconv.FormatInt(begin+90, 10)} {
			t.Errorf("the 91st: %s, wait %d", headers, wait)
		}
	}
	if _, wait := taken(l, "b"); wait != 0 {
		t.Error("another connection pays for it")
	}
	clock.now = clock.now.Add(999 * time.Millisecond)
	if _, wait := taken(l, "a"); wait != 1 {
		t.Errorf("before the second is over: wait %d", wait)
	}
	clock.now = clock.now.Add(time.Millisecond)
	if _, wait := taken(l, "a"); wait != 0 {
		t.Errorf("after a second: wait %d", wait)
	}
	clock.now = clock.now.Add(time.Hour)
	if headers, _ := taken(l, "a"); headers[1] != "89" {
		t.Errorf("after an hour %s are left, want 89", headers[1])
	}
}

func TestABucketWithAnotherLimitRemembersWhatWasTaken(t *testing.T) {
	clock := newStopped()
	l := NewBuckets(clock.Now)
	for range 10 {
		taken(l, "a")
	}
	for _, c := range []struct {
		limit latchkey.RateLimit
		left  string // of the new bucket
	}{
		{latchkey.RateLimit{PerMinute: 60, Burst: 200}, "190"},
		{latchkey.RateLimit{PerMinute: 1, Burst: 12}, "2"},
		{latchkey.RateLimit{PerMinute: 6000, Burst: 12}, "2"},
		{latchkey.RateLimit{PerMinute: 6, Burst: 1}, "0"},
	} {
		header := http.Header{}
		l.Adjust(header, "a", c.limit)
		want := []string{strconv.Itoa(c.limit.Burst), c.left}
		got := []string{header.Get("X-RateLimit-Limit"), header.Get("X-RateLimit-Remaining")}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%+v (-want +got): %s", c.limit, diff)
		}
		again := http.Header{}
		if l.Adjust(again, "a", c.limit); len(again) != 0 {
			t.Errorf("the same limit again: %v", again)
		}
	}
	if _, wait := taken(l, "a"); wait != 10 {
		t.Errorf("wait %d seconds at 6 a minute, want 10", wait)
	}
}

func TestFullBucketsAreForgottenAndUsedOnesAreNot(t *testing.T) {
	clock := newStopped()
	l := NewBuckets(clock.Now)
	for i := range rememberedBuckets - 1 {
		taken(l, fmt.Sprint(i))
	}
	clock.now = clock.now.Add(time.Second)
	for range 10 {
		taken(l, "busy")
	}
	taken(l, "new") // one too many: the full ones go
	if diff := cmp.Diff(2, len(l.buckets)); diff != "" {
		t.Errorf("buckets kept (-want +got): %s", diff)
	}
	if headers, _ := taken(l, "busy"); headers[1] != "79" {
		t.Errorf("the busy one has %s left, want 79", headers[1])
	}
}

func TestAFullLookTakesNothing(t *testing.T) {
	clock, limit := newStopped(), latchkey.RateLimit{PerMinute: 60, Burst: 3}
	l := NewBuckets(clock.Now)
	for range 5 {
		if err := l.Full(http.Header{}, "a", limit); err != nil {
			t.Fatalf("a bucket that nobody took from: %v", err)
		}
	}
	for range limit.Burst {
		if err := l.Full(http.Header{}, "a", limit); err != nil {
			t.Fatalf("with tokens left: %v", err)
		}
		if err := l.Take(http.Header{}, "a", limit); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		header := http.Header{}
		err := l.Full(header, "a", limit)
		if latchkey.CodeOf(err) != latchkey.RateLimited || header.Get("X-RateLimit-Remaining") != "0" || header.Get("X-RateLimit-Limit") != "3" {
			t.Errorf("without tokens: %v, %v", err, header)
		}
	}
	if err := l.Full(http.Header{}, "b", limit); err != nil {
		t.Errorf("another pays for it: %v", err)
	}
	clock.now = clock.now.Add(time.Second)
	if err := l.Full(http.Header{}, "a", limit); err != nil {
		t.Errorf("after a second: %v", err)
	}
}

func TestABucketIsAdjusted(t *testing.T) {
	clock := newStopped()
	l := NewBuckets(clock.Now)
	take := func(limit latchkey.RateLimit) (left, most string, err error) {
		header := http.Header{}
		err = l.Take(header, "a", limit)
		return header.Get("X-RateLimit-Remaining"), header.Get("X-RateLimit-Limit"), err
	}
	wide, narrow := latchkey.RateLimit{PerMinute: 600, Burst: 10}, latchkey.RateLimit{PerMinute: 60, Burst: 2}
	l.Adjust(http.Header{}, "a", wide) // makes it
	if left, most, err := take(narrow); left != "9" || most != "10" || err != nil {
		t.Fatalf("a bucket that is there keeps its limit: %s of %s, %v", left, most, err)
	}
	l.Adjust(http.Header{}, "a", narrow)
	if left, most, err := take(narrow); left != "0" || most != "2" || err != nil { // one was taken before
		t.Errorf("after narrowing: %s of %s, %v", left, most, err)
	}
	if _, _, err := take(narrow); latchkey.CodeOf(err) != latchkey.RateLimited || err.(*latchkey.Error).RetryAfter != 1 { //nolint:errorlint // exactly this one
		t.Errorf("the second call after narrowing: %v", err)
	}
	l.Adjust(http.Header{}, "a", wide)
	clock.now = clock.now.Add(100 * time.Millisecond)
	if left, most, err := take(wide); left != "8" || most != "10" || err != nil {
		t.Errorf("a tenth of a second after widening: %s of %s, %v, want 8 of 10", left, most, err)
	}
}

func TestACrowdOfUsedBucketsIsHalved(t *testing.T) {
	clock := newStopped()
	l := NewBuckets(clock.Now)
	for i := range 3 * rememberedBuckets {
		taken(l, fmt.Sprint(i)) // none of them gets full again
		if len(l.buckets) > rememberedBuckets {
			t.Fatalf("%d buckets after %d names", len(l.buckets), i)
		}
	}
	if len(l.buckets) < rememberedBuckets/2 {
		t.Errorf("only %d buckets are kept", len(l.buckets))
	}
}
