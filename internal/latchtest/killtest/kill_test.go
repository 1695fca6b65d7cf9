package killtest

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"latchkey/internal/latchtest/pgtest"
	"latchkey/internal/latchtest/scaletest"
)

// kills is how often a server is killed.
var kills = scaletest.Of(20, 300)

const (
	workers = 8

	// What must have been acknowledged in a round before it ends: on a busy
	// machine that takes longer than the round's time.
	sessionsARound    = 10
	connectionsARound = 1
)

func TestNothingAcknowledgedIsLostWhenTheServerIsKilled(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		s := newServer(t, "")
		killUnderLoad(s, "SQLite")
		checkIntegrity(t, filepath.Join(filepath.Dir(s.config), "latchkey.db"))
	})
	t.Run("PostgreSQL", func(t *testing.T) { killUnderLoad(newServer(t, pgtest.New(t)), "PostgreSQL") })
}

func killUnderLoad(s *server, engine string) {
	s.Helper()
	o, lost := newOracle(), 0
	var number atomic.Int64
	s.start()
	for round := range kills {
		ctx, cancel := context.WithCancel(s.Context())
		var working sync.WaitGroup
		for range workers {
			working.Go(func() {
				for ctx.Err() == nil && s.link(ctx, o, int(number.Add(1))) == nil {
				}
			})
		}
		moment := time.NewTimer(time.Duration(50+rand.IntN(350)) * time.Millisecond)
		<-moment.C
		o.awaitStakes(s, sessionsARound, connectionsARound, round%2) // every other round waits for a disconnection
		s.kill()
		cancel()
		working.Wait()
		client.CloseIdleConnections()
		s.start()
		for _, what := range s.ask(o) {
			lost++
			s.Errorf("%s", what)
		}
	}
	o.all = true
	for _, what := range slices.Concat(s.ask(o), s.askReceipts(o)) {
		lost++
		s.Errorf("%s", what)
	}
	fmt.Printf("RESULT D-1.%s %d 0\n", engine, lost)
	fmt.Printf("RESULT D-1.%s.kills %d %d\n", engine, kills, kills)
	fmt.Printf("RESULT D-1.%s.slowest_start_ms %d 3000\n", engine, s.slowest.Milliseconds())
	fmt.Printf("%s: %d kills, %d sessions, %d consents, %d connections (%d used since) and %d disconnections acknowledged; slowest start %v\n",
		engine, kills, len(o.sessions), len(o.consents), o.made, len(o.used), o.ended, s.slowest.Round(time.Millisecond))
	if len(o.sessions) < sessionsARound*kills || o.made < connectionsARound*kills || o.ended < kills/2 {
		s.Errorf("only %d sessions, %d connections and %d disconnections were at stake", len(o.sessions), o.made, o.ended)
	}
	if s.slowest > 3*time.Second {
		s.Errorf("the slowest start took %v", s.slowest)
	}
}

func TestNothingAcknowledgedIsLostWhenPostgresIsKilled(t *testing.T) {
	database := pgtest.Start(t)
	s := newServer(t, database.URL("postgres"))
	o, lost := newOracle(), 0
	var number atomic.Int64
	s.start()
	for range 3 {
		var working sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		for range workers {
			working.Go(func() {
				for ctx.Err() == nil && s.link(ctx, o, int(number.Add(1))) == nil {
				}
			})
		}
		moment := time.NewTimer(300 * time.Millisecond)
		<-moment.C
		o.awaitStakes(t, sessionsARound, 0, 0)
		if err := database.Kill(); err != nil {
			t.Fatal(err)
		}
		working.Wait()
		cancel()
		if err := database.Restart(); err != nil {
			t.Fatal(err)
		}
		deadline := time.Now().Add(10 * time.Second)
		for !s.ready() {
			if time.Now().After(deadline) {
				t.Fatalf("it did not come back with its database:\n%s", s.log)
			}
		}
		for _, what := range s.ask(o) {
			lost++
			t.Errorf("%s", what)
		}
	}
	fmt.Printf("RESULT D-1.database %d 0\n", lost)
	if len(o.sessions) < 3*sessionsARound {
		t.Errorf("only %d sessions were at stake", len(o.sessions))
	}
}

// checkIntegrity asks SQLite itself.
func checkIntegrity(t *testing.T, path string) {
	t.Helper()
	database, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = database.Close() }()
	var answer string
	if err := database.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&answer); err != nil || answer != "ok" {
		t.Errorf("integrity check: %s, %v", answer, err)
	}
}
