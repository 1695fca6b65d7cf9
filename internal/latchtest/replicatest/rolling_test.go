package replicatest

import (
	"fmt"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/scaletest"
	"latchkey/internal/store"
)

// drainedWithin is how long a replica may take to end what it has begun.
const drainedWithin = 20 * time.Second

func TestARollingRestartFailsNobody(t *testing.T) {
	database, data := latchtest.NewPostgres(t), filepath.Join(t.TempDir(), "data")
	var replicas []*process
	var addresses []string
	for range 3 {
		replica := newProcess(t, data, database)
		replica.start()
		replicas, addresses = append(replicas, replica), append(addresses, replica.url())
	}
	l := newLoad(t, replicas[0].key, addresses...)
	l.client.Transport = &http.Transport{DisableKeepAlives: true} // every request is a connection, and may be refused
	stop := l.run(scaletest.Of(4, 16))
	pause := scaletest.Of(0, 20*time.Second)
	end := time.Now().Add(scaletest.Of(0, 10*time.Minute))
	var slowest time.Duration
	restarts := 0
	for round := 0; round < len(replicas) || time.Now().Before(end); round++ {
		l.await(10)
		replica := replicas[round%len(replicas)]
		slowest = max(slowest, replica.end(syscall.SIGTERM))
		replica.start()
		restarts++
		timer := time.NewTimer(pause)
		<-timer.C
	}
	l.await(10)
	stop()
	failed := 0
	for _, got := range l.answers {
		if got.status == 0 || got.status >= 500 {
			failed++
			t.Logf("status %d at %v: %v", got.status, got.at, got.err)
		}
	}
	kept, err := store.Open(t.Context(), store.Config{URL: database})
	must(t, err)
	defer func() { _ = kept.Close() }()
	organisation := organisationOf(t, kept)
	missing, twice := l.lost(kept, organisation), l.takenTwice(kept, organisation)
	fmt.Printf("RESULT D-9.failed %d 0\nRESULT D-9.lost %d 0\n", failed, len(missing))
	fmt.Printf("RESULT D-9.requests %d 1\nRESULT D-9.restarts %d 3\n", len(l.answers), restarts)
	fmt.Printf("RESULT D-9.drain.ms %d %d\n", slowest.Milliseconds(), drainedWithin.Milliseconds())
	t.Logf("%d inits were reset and asked for again", len(l.reset))
	if len(twice) > 0 {
		t.Errorf("%v were taken though their connection was reset", twice)
	}
	if failed > 0 || len(missing) > 0 || slowest > drainedWithin {
		t.Errorf("%d of %d requests failed, %v was lost, a replica took %v to drain", failed, len(l.answers), missing, slowest)
	}
}

// organisationOf returns the only organisation there is.
func organisationOf(t testing.TB, kept *store.Store) string {
	t.Helper()
	all, err := kept.Organisations(t.Context())
	must(t, err)
	if len(all) != 1 {
		t.Fatalf("there are %d organisations", len(all))
	}
	return all[0].ID
}
