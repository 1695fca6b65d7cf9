package soaktest

import (
	"math/rand/v2"
	"net/http"
	"syscall"
	"time"
)

// step is one thing that goes wrong, and is over when run returns.
type step struct {
	name string
	run  func(*soak)
}

// The limits that a step holds the server to.
const (
	readyWithin = 3 * time.Second
	drainWithin = 20 * time.Second

	memoryLimit  = "128MiB" // GOMEMLIMIT of every server
	memoryWithin = 256      // MiB
	filesWithin  = 200
)

// steps of every engine.
func commonSteps() []step {
	return []step{
		{"kill -9", func(k *soak) {
			s := k.victim()
			s.kill()
			s.start()
			k.count("kills", 1)
		}},
		{"SIGTERM", func(k *soak) {
			s := k.victim()
			began := time.Now()
			s.signal(syscall.SIGTERM)
			status, err := s.wait(patience)
			took := time.Since(began)
			if k.drain = max(k.drain, took); err != nil || status != 0 || took > drainWithin {
				k.t.Errorf("SIGTERM: status %d, %v after %v:\n%s", status, err, took, s.log)
			}
			s.start()
			k.count("restarts", 1)
		}},
		{"SIGSTOP", func(k *soak) {
			s := k.victim()
			s.signal(syscall.SIGSTOP)
			k.pause(3 * time.Second)
			s.signal(syscall.SIGCONT)
			k.count("pauses", 1)
		}},
		{"failing sink", func(k *soak) {
			k.sink.set(failing)
			k.pause(5 * time.Second)
			k.sink.set(welcoming)
			k.count("sink_outages", 1)
		}},
		{"hanging sink", func(k *soak) {
			k.sink.set(hanging)
			k.pause(5 * time.Second)
			k.sink.set(welcoming)
			k.count("sink_outages", 1)
		}},
	}
}

// sqliteSteps break the disk.
func sqliteSteps() []step {
	return append(commonSteps(),
		step{"full disk", func(k *soak) {
			k.disk.fill(k.t, rand.Int64N(64<<10))
			refused := k.app.refused.Load()
			eventually(k.t, "a write was refused", func() bool { return k.app.refused.Load() > refused })
			if alive := k.app.ledger.alive(); len(alive) > 0 {
				if err := k.app.end(k.t.Context(), alive[0]); err != nil {
					k.t.Errorf("a revocation on the full disk: %v", err)
				}
			}
			k.disk.clear(k.t)
			f := &fullness{server: k.servers[0]}
			took := eventually(k.t, "it wrote again", func() bool { return f.init(k.t.Context()) })
			if k.recovery = max(k.recovery, took); took > recovery {
				k.t.Errorf("it took %v to write again", took)
			}
			k.count("full_disks", 1)
		}},
		step{"failed fsync", func(k *soak) {
			s := k.servers[0]
			disk := s.inject(k.t, "fsync,fdatasync", "error=EIO:when=1")
			status, err := s.wait(patience)
			disk.end()
			if err != nil || status != 1 {
				k.t.Errorf("after a failed fsync: status %d, %v:\n%s", status, err, s.log)
			}
			s.start()
			k.count("failed_fsyncs", 1)
		}},
	)
}

// postgresSteps take the database away from the replicas.
func postgresSteps() []step {
	return append(commonSteps(),
		step{"database restart", func(k *soak) {
			if err := k.database.Restart(); err != nil {
				k.t.Fatal(err)
			}
			k.awaitReady()
			k.count("database_restarts", 1)
		}},
		step{"database crash", func(k *soak) {
			if err := k.database.Kill(); err != nil {
				k.t.Fatal(err)
			}
			k.pause(2 * time.Second)
			if got, err := k.servers[0].ask(k.t.Context(), "POST", "/v2/link/init", "application/json", "{}"); err == nil &&
				(got.status != http.StatusServiceUnavailable || got.location != retry) {
				k.t.Errorf("without a database it answers %d %s", got.status, got.body)
			}
			if err := k.database.Restart(); err != nil {
				k.t.Fatal(err)
			}
			k.awaitReady()
			k.count("database_crashes", 1)
		}},
	)
}
