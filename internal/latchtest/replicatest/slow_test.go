package replicatest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/pgtest"
)

// What a caller is owed while the database is slow, and when it is not any
// more.
const (
	refusedWithin   = 2 * time.Second
	recoveredWithin = 5 * time.Second
	callers         = 48 // more than a replica has connections
)

func databaseOf(t testing.TB, address string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	must(t, err)
	return strings.TrimPrefix(parsed.Path, "/")
}

func TestASlowDatabaseIsRefusedInTimeAndForgotten(t *testing.T) {
	direct := latchtest.NewPostgres(t)
	way := pgtest.StartProxy(t, direct)
	options := latchtest.Options{
		DatabaseURL: way.URL(databaseOf(t, direct)), Data: filepath.Join(t.TempDir(), "data"), Hurried: true,
	}
	slow := latchtest.Start(t, options)
	options.DatabaseURL = direct
	other := latchtest.Start(t, options)
	burst(slow) // every connection there may be is made
	before := storeGoroutines(t)
	for _, trouble := range []struct {
		name      string
		delay     time.Duration
		swallowed bool
	}{
		{"100ms", 100 * time.Millisecond, false}, {"1s", time.Second, false}, {"10s", 10 * time.Second, false}, {"blackhole", 0, true},
	} {
		way.Slow(trouble.delay)
		way.Swallow(trouble.swallowed)
		statuses, slowest, unasked := burst(slow)
		began := time.Now()
		burst(other)
		limit := refusedWithin + time.Since(began) // what so many cost on this machine now is not the database's
		fmt.Printf("RESULT C-3.%s.503.ms %d %d\n", trouble.name, slowest.Milliseconds(), refusedWithin.Milliseconds())
		t.Logf("%s: %v", trouble.name, statuses)
		if slowest > limit || unasked > 0 || statuses[200]+statuses[503] != callers || trouble.delay != 100*time.Millisecond && statuses[503] == 0 {
			t.Errorf("%s: answers %v, the slowest 503 after %v, %d of them without Retry-After", trouble.name, statuses, slowest, unasked)
		}
		way.Slow(0)
		way.Swallow(false)
		began = time.Now()
		until(slow, http.StatusOK, "POST", "/v2/link/init", map[string]any{"provider": "sandbox"})
		recovered := time.Since(began)
		fmt.Printf("RESULT C-3.%s.recovery.ms %d %d\n", trouble.name, recovered.Milliseconds(), recoveredWithin.Milliseconds())
		if recovered > recoveredWithin {
			t.Errorf("%s: it came back after %v", trouble.name, recovered)
		}
	}
	latchtest.Eventually(t, "what waited for the database has ended", func() bool { return storeGoroutines(t) <= before })
	fmt.Printf("RESULT C-3.goroutines %d %d\n", storeGoroutines(t), before)
}

// burst lets many callers begin a link at once, and returns how they were
// answered, how long the slowest refusal took and how many did not say when to
// come again.
func burst(s *latchtest.Server) (statuses map[int]int, slowest time.Duration, unasked int) {
	statuses = map[int]int{}
	var mu sync.Mutex
	var calling sync.WaitGroup
	for n := range callers {
		calling.Go(func() {
			began := time.Now()
			answer := s.Call("POST", "/v2/link/init", map[string]any{"provider": "sandbox"},
				"Idempotency-Key", fmt.Sprintf("burst %d %d", began.UnixNano(), n))
			took := time.Since(began)
			mu.Lock()
			defer mu.Unlock()
			statuses[answer.Status]++
			if answer.Status != http.StatusServiceUnavailable {
				return
			}
			slowest = max(slowest, took)
			if answer.Header.Get("Retry-After") == "" {
				unasked++
			}
		})
	}
	calling.Wait()
	return statuses, slowest, unasked
}

// storeGoroutines counts those that are somewhere in the store for a request.
func storeGoroutines(t testing.TB) int {
	t.Helper()
	var text bytes.Buffer
	must(t, pprof.Lookup("goroutine").WriteTo(&text, 2))
	count := 0
	for _, stack := range strings.Split(text.String(), "\n\n") {
		if strings.Contains(stack, "internal/store.(*postgresEngine)") || strings.Contains(stack, "internal/store.(*Store)") ||
			strings.Contains(stack, "internal/store.(*postgresRow)") {
			count++
		}
	}
	return count
}
