package link

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"latchkey/internal/connector"
)

// CheckPoll is how often due connections are looked for. What a provider's
// budget gives in that time can be spent at once.
const CheckPoll = 5 * time.Second

// paces hold the budget of each provider: how much this replica asks of it by
// itself.
type paces struct {
	now       func() time.Time
	connector func(provider string) (connector.Connector, bool)
	mu        sync.Mutex
	buckets   map[string]*rate.Limiter
}

func newPaces(config Config) *paces {
	return &paces{now: config.Now, connector: config.Connector, buckets: map[string]*rate.Limiter{}}
}

// bucket returns the provider's, which is made when it is first asked for.
func (p *paces) bucket(provider string) *rate.Limiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	bucket := p.buckets[provider]
	if bucket == nil {
		perMinute := 1
		if found, ok := p.connector(provider); ok {
			perMinute = found.Describe().RequestBudget()
		}
		atOnce := max(1, int(time.Duration(perMinute)*CheckPoll/time.Minute))
		bucket = rate.NewLimiter(rate.Every(time.Minute/time.Duration(perMinute)), atOnce)
		p.buckets[provider] = bucket
	}
	return bucket
}

// room returns how much may be asked of the provider now.
func (p *paces) room(provider string) int { return int(p.bucket(provider).TokensAt(p.now())) }

// spend counts what is asked of it, which must be no more than there was room
// for.
func (p *paces) spend(provider string, requests int) { p.bucket(provider).AllowN(p.now(), requests) }
