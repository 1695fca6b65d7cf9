package replicatest

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/pgtest"
	"latchkey/internal/latchtest/scaletest"
)

// The load of a failure, and how long the service may be away after the
// standby was promoted.
const (
	people  = 6
	backIn  = 10 * time.Second
	beforeN = 10 // links before the primary fails, and after
)

func TestNothingAcknowledgedIsLostWithThePrimary(t *testing.T) {
	for name, pooled := range map[string]bool{"direct": false, "pooled": true} {
		t.Run(name, func(t *testing.T) { failover(t, name, pooled) })
	}
}

func failover(t *testing.T, name string, pooled bool) {
	pair := pgtest.StartPair(t)
	options := latchtest.Options{DatabaseURL: pair.URL("postgres"), Data: filepath.Join(t.TempDir(), "data")}
	if pooled {
		options.DirectURL = options.DatabaseURL
		options.DatabaseURL = pgtest.Either(
			pgtest.StartBouncer(t, pair.Primary.URL("postgres")).URL("postgres"), pgtest.StartBouncer(t, pair.Standby.URL("postgres")).URL("postgres"))
	}
	one := latchtest.Start(t, options)
	two := latchtest.Start(t, options)
	l := newLoad(t, one.Trial.APIKey, one.URL, two.URL)
	stop := l.run(people)
	rounds := scaletest.Of(1, 25)
	var slowest time.Duration
	outside, failed := 0, 0
	for range rounds {
		began := time.Now()
		l.await(beforeN + rand.IntN(beforeN))
		cut := time.Now()
		must(t, pair.Fail())
		must(t, pair.Promote())
		promoted := time.Now()
		l.await(1)
		back := time.Now()
		slowest = max(slowest, back.Sub(promoted))
		l.await(beforeN)
		a, b := l.count(began, cut, back)
		outside, failed = outside+a, failed+b
		must(t, pair.Rebuild())
		l.await(1)
	}
	stop()
	missing := l.lost(one.App.Store(), one.Trial.OrganisationID)
	for _, what := range missing {
		t.Error(what)
	}
	fmt.Printf("RESULT C-1.%s.lost %d 0\n", name, len(missing))
	fmt.Printf("RESULT C-1.%s.rounds %d %d\n", name, rounds, rounds)
	fmt.Printf("RESULT C-1.%s.acknowledged %d 1\n", name, len(l.sessions)+len(l.connections))
	fmt.Printf("RESULT C-1.%s.back.ms %d %d\n", name, slowest.Milliseconds(), backIn.Milliseconds())
	fmt.Printf("RESULT C-1.%s.outside.permille %d 10\n", name, 1000*failed/max(1, outside))
	if slowest > backIn {
		t.Errorf("the service came back %v after the promotion", slowest)
	}
	if 100*failed > outside {
		t.Errorf("%d of %d requests outside the window failed", failed, outside)
	}
}

// settle is how long after the service is back the first connections to it are
// made anew.
const settle = time.Second

// count returns how many requests ended outside the window from the cut until
// the service was back, and how many of them as a fault of the server.
func (l *load) count(began, cut, back time.Time) (all, failed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, got := range l.answers {
		if got.at.Before(began) || got.at.After(cut) && got.at.Before(back.Add(settle)) {
			continue
		}
		all++
		if got.status == 0 || got.status >= 500 {
			failed++
		}
	}
	return all, failed
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
