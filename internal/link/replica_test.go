package link_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"latchkey/internal/latchtest"
)

// The size of the burst, and where it goes.
const (
	burstSize     = 200
	burstReplicas = 3
)

// start starts a replica on the data with the usual budgets.
func start(t *testing.T, options latchtest.Options) house {
	options.Idle, options.Limits = true, latchtest.Limits{AttemptsPerAccount: 1}
	return newHouse(t, options)
}

// burst lets that many people, each with a session of their own, guess the
// account's password at once, through the replicas in turn, and returns how
// many guesses reached the provider.
func burst(replicas []house, username string) (arrived int) {
	before := 0
	for _, h := range replicas {
		before += h.Provider.Logins()
	}
	guessers := make([]*guesser, burstSize)
	app := replicas[0].Trial.ClientApps["whitelabel"]
	var all sync.WaitGroup
	for i := range guessers {
		h := replicas[i%len(replicas)]
		guessers[i] = &guesser{house: h, key: h.Trial.APIKey, app: app}
		if i%5 == 0 {
			guessers[i].app = "" // an import
			continue
		}
		all.Go(func() { guessers[i].begin() })
	}
	all.Wait()
	for i, g := range guessers {
		g.house = replicas[(i+1)%len(replicas)] // not where it began
		all.Go(func() { g.guess(username, "wrong") })
	}
	all.Wait()
	arrived = -before
	for _, h := range replicas {
		arrived += h.Provider.Logins()
	}
	return arrived
}

func TestBudgetsHoldOverReplicasAndRestarts(t *testing.T) {
	t.Parallel()
	overshoot, made := 0, 0
	reached := func(name string, got, want int) {
		t.Helper()
		overshoot, made = overshoot+max(0, got-want), made+burstSize
		if got != want {
			t.Errorf("%s: %d guesses reached the provider, want %d", name, got, want)
		}
	}
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Data = filepath.Join(t.TempDir(), "data")
		count := 1 // SQLite is one process's
		if options.DatabaseURL != "" {
			count = burstReplicas
		}
		var replicas []house
		for range count {
			replicas = append(replicas, start(t, options))
		}
		reached("a burst", burst(replicas, "victim"), perQuarter)
		for _, h := range replicas {
			h.Stop()
		}
		again := start(t, options)
		reached("a burst after a restart", burst([]house{again}, "victim"), 0)
		again.Clock.Move(15*time.Minute + time.Second)
		reached("a burst after a quarter of an hour", burst([]house{again}, "victim"), perQuarter)
	})
	fmt.Printf("RESULT A-4 %d 2\nRESULT A-4.n %d %d\n", overshoot, made, burstSize)
}
