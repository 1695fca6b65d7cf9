package web

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"latchkey"
)

// rememberedBuckets bounds how many buckets are kept. When there are more, the
// full ones, which are as good as new, are dropped, and if most are not full,
// any half of them: a crowd may cost some their count, and never the memory.
const rememberedBuckets = 20_000

// Buckets holds one token bucket a name. Its methods are safe for concurrent
// use.
type Buckets struct {
	now     func() time.Time
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

// NewBuckets returns no buckets yet; each is full when it is first asked for.
func NewBuckets(now func() time.Time) *Buckets {
	return &Buckets{now: now, buckets: map[string]*rate.Limiter{}}
}

// Take takes a token of the named bucket, which is made with the limit when
// there is none, and writes how it stands into the header. Without a token it
// fails as rate limited.
func (b *Buckets) Take(header http.Header, name string, limit latchkey.RateLimit) error {
	now := b.now()
	bucket := b.bucket(name, limit, now)
	allowed := bucket.AllowN(now, 1)
	return describeBucket(header, bucket, now, allowed)
}

// Full fails as rate limited, like Take, when the named bucket has no token,
// and takes none.
func (b *Buckets) Full(header http.Header, name string, limit latchkey.RateLimit) error {
	now := b.now()
	b.mu.Lock()
	bucket, ok := b.buckets[name]
	b.mu.Unlock()
	if !ok || bucket.TokensAt(now) >= 1 {
		return nil
	}
	return describeBucket(header, bucket, now, false)
}

// Adjust gives the named bucket another limit, and writes how it stands into
// the header if that is new. What has been taken stays taken.
func (b *Buckets) Adjust(header http.Header, name string, limit latchkey.RateLimit) {
	now := b.now()
	bucket := b.bucket(name, limit, now)
	b.mu.Lock()
	defer b.mu.Unlock()
	burst, wanted := bucket.Burst(), rate.Limit(float64(limit.PerMinute)/60)
	if burst == limit.Burst && bucket.Limit() == wanted {
		return
	}
	taken := float64(burst) - bucket.TokensAt(now)
	adjusted := rate.NewLimiter(wanted, limit.Burst)
	adjusted.AllowN(now, min(limit.Burst, int(math.Ceil(taken))))
	b.buckets[name] = adjusted
	_ = describeBucket(header, adjusted, now, true)
}

func describeBucket(header http.Header, bucket *rate.Limiter, now time.Time, allowed bool) error {
	left, burst, perSecond := bucket.TokensAt(now), bucket.Burst(), float64(bucket.Limit())
	header.Set("X-RateLimit-Limit", strconv.Itoa(burst))
	header.Set("X-RateLimit-Remaining", strconv.Itoa(max(0, int(left))))
	full := time.Duration((float64(burst) - left) / perSecond * float64(time.Second))
	header.Set("X-RateLimit-Reset", strconv.FormatInt(now.Add(full).Round(time.Second).Unix(), 10))
	if allowed {
		return nil
	}
	return &latchkey.Error{
		Code: latchkey.RateLimited, Message: "too many requests; wait before the next one",
		RetryAfter: max(1, int(math.Ceil((1-left)/perSecond))),
	}
}

func (b *Buckets) bucket(name string, limit latchkey.RateLimit, now time.Time) *rate.Limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	bucket, ok := b.buckets[name]
	if ok {
		return bucket
	}
	if len(b.buckets) >= rememberedBuckets {
		for old, kept := range b.buckets {
			if kept.TokensAt(now) >= float64(kept.Burst()) {
				delete(b.buckets, old)
			}
		}
		for old := range b.buckets {
			if len(b.buckets) <= rememberedBuckets/2 {
				break
			}
			delete(b.buckets, old)
		}
	}
	bucket = rate.NewLimiter(rate.Limit(float64(limit.PerMinute)/60), limit.Burst)
	b.buckets[name] = bucket
	return bucket
}
