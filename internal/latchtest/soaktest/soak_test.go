package soaktest

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"latchkey/internal/latchtest/pgtest"
	"latchkey/internal/latchtest/scaletest"
)

// length is how long each engine is under load.
var length = flag.Duration("soak", scaletest.Of(5*time.Minute, time.Hour), "how long each engine is under load")

// The load: so low that it may run beside other tests.
const (
	users    = 2
	linkEach = 2 * time.Second  // of each user
	stepEach = 12 * time.Second // from the end of one step to the next
)

// soak is one server, or two, under load for a long time.
type soak struct {
	t        *testing.T
	app      *app
	servers  []*server
	sink     *sink
	disk     smallDisk      // of SQLite
	database *pgtest.Server // of PostgreSQL

	drain, recovery time.Duration // the longest
	lost            int
	memory, files   int // the most that a server held: MiB, descriptors

	mu     sync.Mutex
	counts map[string]int
}

func TestSoak(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		k := &soak{t: t, disk: newSmallDisk(t, 256<<20)}
		k.servers = []*server{newServer(t, filepath.Join(k.disk.folder, "data"))}
		k.run("SQLite", sqliteSteps())
		checkIntegrity(t, filepath.Join(k.disk.folder, "data", "latchkey.db"))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		k := &soak{t: t, database: pgtest.Start(t)}
		data := filepath.Join(t.TempDir(), "data") // the replicas share the key
		for range 2 {
			k.servers = append(k.servers, newServer(t, data, "--database-url", k.database.URL("postgres")))
		}
		k.run("PostgreSQL", postgresSteps())
	})
}

// run breaks one thing after the other while users link, and tells what came
// of it. It leaves the servers stopped.
func (k *soak) run(engine string, steps []step) {
	k.counts, k.sink = map[string]int{}, newSink(k.t)
	k.app = &app{replicas: k.servers, ledger: newLedger()}
	for _, s := range k.servers {
		s.start()
	}
	k.listen()
	load := k.app.begin(k.t, users, linkEach)
	var queue []step
	for deadline := time.Now().Add(*length); time.Now().Before(deadline); {
		k.pause(stepEach)
		if len(queue) == 0 {
			queue = slices.Clone(steps)
			rand.Shuffle(len(queue), func(i, j int) { queue[i], queue[j] = queue[j], queue[i] })
		}
		queue[0].run(k)
		queue = queue[1:]
		k.app.await(k.t, 3) // it goes on
		for _, s := range k.servers {
			memory, files := s.holds()
			k.memory, k.files = max(k.memory, memory), max(k.files, files)
		}
		k.check(false)
	}
	load.end()
	k.awaitWebhooks()
	k.check(true)
	k.report(engine)
	for _, s := range k.servers {
		s.signal(syscall.SIGTERM)
		if status, err := s.wait(patience); err != nil || status != 0 {
			k.t.Errorf("it ended with %d, %v:\n%s", status, err, s.log)
		}
	}
}

// listen registers the sink.
func (k *soak) listen() {
	got, err := k.servers[0].ask(k.t.Context(), "POST", "/v2/webhook-endpoints", "application/json",
		fmt.Sprintf(`{"url":%q,"events":["connection.created","connection.disconnected"]}`, k.sink.url))
	if err != nil || got.status != http.StatusCreated {
		k.t.Fatalf("webhook endpoint: %d %s %v", got.status, got.body, err)
	}
}

// victim is one of the servers.
func (k *soak) victim() *server { return k.servers[rand.IntN(len(k.servers))] }

// pause lets the load go on for so long.
func (k *soak) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-k.t.Context().Done():
	}
}

// count adds to what the report tells.
func (k *soak) count(what string, n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.counts[what] += n
}

// awaitReady waits until every server is.
func (k *soak) awaitReady() {
	for _, s := range k.servers {
		eventually(k.t, "it came back with its database", func() bool {
			ctx, cancel := context.WithTimeout(k.t.Context(), 5*time.Second)
			defer cancel()
			return s.ready(ctx)
		})
	}
}

// check asks for what was acknowledged.
func (k *soak) check(all bool) {
	for _, what := range k.app.ledger.check(k.servers[0], time.Now(), all) {
		k.lost++
		k.t.Error(what)
	}
}

// awaitWebhooks waits until the sink has been told of everything. A retry may
// be some minutes off after an outage.
func (k *soak) awaitWebhooks() {
	deadline := time.Now().Add(5 * time.Minute)
	for len(k.sink.missing(k.app.ledger)) > 0 && time.Now().Before(deadline) {
		k.pause(200 * time.Millisecond)
	}
}

// report prints the figures and holds them to their limits.
func (k *soak) report(engine string) {
	missing, disorder := k.sink.missing(k.app.ledger), k.sink.disorder()
	repeated, most := k.sink.duplicates()
	writes, sessions, consents, connections, ends := k.app.ledger.counts()
	slowest := time.Duration(0)
	for _, s := range k.servers {
		slowest = max(slowest, s.slowest)
	}
	row := func(name string, value, limit any) {
		fmt.Printf("RESULT soak.%s.%s %v %v\n", engine, name, value, limit)
	}
	row("lost", k.lost, 0)
	row("webhooks_missing", len(missing), 0)
	row("webhooks_out_of_order", len(disorder), 0)
	row("webhooks_unreadable", len(k.sink.strange), 0)
	row("refused_without_retry_after", k.app.rude.Load(), 0)
	row("ready_ms", slowest.Milliseconds(), readyWithin.Milliseconds())
	row("drain_ms", k.drain.Milliseconds(), drainWithin.Milliseconds())
	if k.disk.folder != "" {
		row("recovery_ms", k.recovery.Milliseconds(), recovery.Milliseconds())
	}
	row("memory_mib", k.memory, memoryWithin)
	row("descriptors", k.files, filesWithin)
	row("minutes", int(length.Minutes()), int(length.Minutes()))
	fmt.Printf("soak: %s: %d writes acknowledged: %d sessions, %d consents, %d connections, %d ends; %d answers cut, %d refused, %d errors; "+
		"%d webhooks turned away, %d told twice (one %d times); %v\n", engine, writes, sessions, consents, connections, ends,
		k.app.cut.Load(), k.app.refused.Load(), k.app.failed.Load(), k.sink.turned, repeated, most, k.counts)
	for _, what := range slices.Concat(missing, disorder, k.sink.strange) {
		k.t.Error("webhooks: " + what)
	}
	if k.memory > memoryWithin || k.files > filesWithin {
		k.t.Errorf("it held %d MiB and %d descriptors", k.memory, k.files)
	}
	if k.app.rude.Load() > 0 {
		k.t.Errorf("%d refusals without Retry-After", k.app.rude.Load())
	}
	if least := int(length.Seconds()) / 4; connections < least/2 || ends < least/16 {
		k.t.Errorf("only %d connections and %d ends were at stake", connections, ends)
	}
}
