package proxy

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"latchkey"
)

// The token bucket of a connection.
const (
	perMinute = 60
	burst     = 90
)

// rememberedBuckets bounds how many buckets are kept. When there are more, the
// full ones, which are as good as new, are dropped.
const rememberedBuckets = 20_000

// limits holds one token bucket for each connection.
type limits struct {
	now     func() time.Time
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

func newLimits(now func() time.Time) *limits {
	return &limits{now: now, buckets: map[string]*rate.Limiter{}}
}

// take takes a token and writes the headers of the bucket, or refuses.
func (l *limits) take(header http.Header, name string) error {
	now := l.now()
	bucket := l.bucket(name, now)
	allowed := bucket.AllowN(now, 1)
	left := bucket.TokensAt(now)
	header.Set("X-RateLimit-Limit", strconv.Itoa(burst))
	header.Set("X-RateLimit-Remaining", strconv.Itoa(max(0, int(left))))
	full := time.Duration((burst - left) * float64(time.Minute) / perMinute)
	header.Set("X-RateLimit-Reset", strconv.FormatInt(now.Add(full).Round(time.Second).Unix(), 10))
	if allowed {
		return nil
	}
	return &latchkey.Error{
		Code: latchkey.RateLimited, Message: "too many requests for this connection",
		RetryAfter: max(1, int(math.Ceil((1-left)*60/perMinute))),
	}
}

func (l *limits) bucket(name string, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket, ok := l.buckets[name]
	if ok {
		return bucket
	}
	if len(l.buckets) >= rememberedBuckets {
		for old, kept := range l.buckets {
			if kept.TokensAt(now) >= burst {
				delete(l.buckets, old)
			}
		}
	}
	bucket = rate.NewLimiter(rate.Limit(float64(perMinute)/60), burst)
	l.buckets[name] = bucket
	return bucket
}
