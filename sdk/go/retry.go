package latchkey

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// How long is waited before a call is sent again: a random part of firstDelay,
// of twice as much the next time, and so on up to longestDelay. What the server
// says in Retry-After counts instead, up to longestRetryAfter.
const (
	firstDelay        = 500 * time.Millisecond
	longestDelay      = 8 * time.Second
	longestRetryAfter = time.Minute
)

// waiting waits for the time, or returns the context's error.
type waiting func(context.Context, time.Duration) error

func waitFor(ctx context.Context, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// repeat tries, and if that is safe tries again after a trouble that may pass.
// It tells whether a try was lost, so that nobody knows what it has done. When
// the context ends before another try could begin, the trouble is returned as
// it is.
func (c *Client) repeat(ctx context.Context, safe bool, try func() (*http.Response, error)) (_ *http.Response, lost bool, _ error) {
	for attempt := 0; ; attempt++ {
		response, err := try()
		if !safe || attempt >= c.maxRetries || ctx.Err() != nil || !mayPass(response, err) {
			return response, lost, err
		}
		delay := delayOf(response, attempt)
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= delay {
			return response, lost, err
		}
		lost = lost || response == nil || response.StatusCode != http.StatusTooManyRequests
		discard(response)
		if err := c.wait(ctx, delay); err != nil {
			return nil, lost, err
		}
	}
}

// mayPass reports whether the same call may fare better later.
func mayPass(response *http.Response, err error) bool {
	if err != nil {
		_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
		return !untrusted && !errors.Is(err, errTooLarge) && !errors.Is(err, context.Canceled)
	}
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable:
		return true
	}
	return false
}

// delayOf returns how long to wait before the next try.
func delayOf(response *http.Response, attempt int) time.Duration {
	if response != nil {
		if after, ok := retryAfter(response.Header); ok {
			return min(after, longestRetryAfter)
		}
	}
	return part(min(firstDelay<<min(attempt, 10), longestDelay))
}

// part returns a random time below the whole (full jitter), so that clients
// that failed together do not come back together.
func part(whole time.Duration) time.Duration {
	var drawn [8]byte
	_, _ = rand.Read(drawn[:]) // never fails
	return time.Duration(binary.BigEndian.Uint64(drawn[:]) % uint64(whole))
}

// retryAfter reads Retry-After: seconds, or a date (RFC 9110 section 10.2.3).
func retryAfter(header http.Header) (time.Duration, bool) {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at)), true
	}
	return 0, false
}

// discard reads the rest of a short answer, so that its connection can be used
// again, and closes it.
func discard(response *http.Response) {
	if response == nil {
		return
	}
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10)
	_ = response.Body.Close()
}
