package app

import (
	"cmp"
	"time"

	"latchkey"
	"latchkey/internal/link"
)

// Limits bound what callers, addresses and accounts may ask. 0 is the default,
// -1 sets no bound.
type Limits struct {
	KeyPerMinute       int `yaml:"requests_per_key"`     // requests of one key in a minute; default 60000
	MissesPerAddress   int `yaml:"misses_per_address"`   // unknown keys and links from one address in a minute; default 20
	AttemptsPerAddress int `yaml:"attempts_per_address"` // logins from one address in 15 minutes; default 50
	RequestsAtOnce     int `yaml:"requests_at_once"`     // requests under way that need no provider, and as many that end things; default 512
	LoginsAtOnce       int `yaml:"logins_at_once"`       // pages and logins under way; default 2048
	CallsAtOnce        int `yaml:"calls_at_once"`        // calls of connections under way; default 2048
	WritesAtOnce       int `yaml:"writes_at_once"`       // what waits for the disk; default 1024
	// AttemptsPerAccount is -1 in tests that are about something else: then the
	// tries of an account are not counted.
	AttemptsPerAccount int `yaml:"-"`
}

// The defaults. A developer's own machine is not to be locked out of itself.
const (
	keyPerMinute         = 60_000
	missesPerAddress     = 20
	attemptsPerAddress   = 50
	developmentPerMinute = 1000

	requestsAtOnce = 512
	loginsAtOnce   = 2048
	callsAtOnce    = 2048
	writesAtOnce   = 1024
)

func (l Limits) complete(development bool) Limits {
	l.KeyPerMinute = cmp.Or(l.KeyPerMinute, keyPerMinute)
	l.RequestsAtOnce = cmp.Or(l.RequestsAtOnce, requestsAtOnce)
	l.LoginsAtOnce = cmp.Or(l.LoginsAtOnce, loginsAtOnce)
	l.CallsAtOnce = cmp.Or(l.CallsAtOnce, callsAtOnce)
	l.WritesAtOnce = cmp.Or(l.WritesAtOnce, writesAtOnce)
	if development {
		l.MissesPerAddress = cmp.Or(l.MissesPerAddress, developmentPerMinute)
		l.AttemptsPerAddress = cmp.Or(l.AttemptsPerAddress, developmentPerMinute)
	}
	l.MissesPerAddress = cmp.Or(l.MissesPerAddress, missesPerAddress)
	l.AttemptsPerAddress = cmp.Or(l.AttemptsPerAddress, attemptsPerAddress)
	return l
}

// keyRate is the bucket of a key: two seconds' worth can be saved up.
func (l Limits) keyRate() latchkey.RateLimit {
	if l.KeyPerMinute < 0 {
		return latchkey.RateLimit{}
	}
	return latchkey.RateLimit{PerMinute: l.KeyPerMinute, Burst: max(1, l.KeyPerMinute/30)}
}

// missRate is the bucket of an address that guesses.
func (l Limits) missRate() latchkey.RateLimit {
	if l.MissesPerAddress < 0 {
		return latchkey.RateLimit{}
	}
	return latchkey.RateLimit{PerMinute: l.MissesPerAddress, Burst: l.MissesPerAddress}
}

// budgets are those of logins.
func (l Limits) budgets() link.Budgets {
	budgets := link.DefaultBudgets()
	budgets.Address = []latchkey.Budget{{Tries: l.AttemptsPerAddress, Within: 15 * time.Minute}}
	if l.AttemptsPerAddress < 0 {
		budgets.Address = []latchkey.Budget{}
	}
	if l.AttemptsPerAccount < 0 {
		budgets.Account, budgets.Code = []latchkey.Budget{}, []latchkey.Budget{}
	}
	return budgets
}
