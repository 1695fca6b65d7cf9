package store

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest/pgtest"
	"latchkey/internal/latchtest/scaletest"
)

const (
	shortQueue  = 100
	costRounds  = 50
	costClaim   = 20     // deliveries, as many as come free at a time
	costMost    = 1.5    // times as long as with the short queue, by the plan
	costWorst   = 3.0    // on a busy machine; a claim that read the queue would take hundreds of times as long
	costTenants = 10     // endpoints that share the queue
	costFill    = 25_000 // deliveries that one fact queues
)

// queueUp fills an empty store with so many deliveries that are due, each about
// a connection of its own, and with as many that wait behind them. Many are
// written at once, as a million facts would take hours.
func queueUp(t *testing.T, s *Store, n int) {
	t.Helper()
	statements := []string{`INSERT INTO organisations (id, name, created_at) VALUES ('org_1', '', 0)`}
	for tenant := range costTenants {
		statements = append(statements, fmt.Sprintf(`INSERT INTO webhook_endpoints (id, organisation_id, environment, url, events,
			description, status, sealed_secret, created_at) VALUES ('we_%d', 'org_1', 'sandbox', 'https://shop.example/', ',*,', '',
			'enabled', 'sealed', 0)`, tenant))
	}
	runAll(t, s, statements)
	for first := 0; first < n; first += costFill {
		runAll(t, s, queuedUp(s, first, min(first+costFill, n)-1))
	}
	if postgres, ok := s.engine.(*postgresEngine); ok { // as the server itself does before long
		if _, err := postgres.db.ExecContext(t.Context(), "VACUUM (ANALYZE, FREEZE)"); err != nil {
			t.Fatal(err)
		}
	}
}

// queuedUp returns the statements that queue the deliveries of those numbers.
func queuedUp(s *Store, first, last int) (statements []string) {
	series := fmt.Sprintf("(SELECT generate_series(%d, %d) AS n) numbers", first, last)
	if _, sqlite := s.engine.(*sqliteEngine); sqlite {
		series = fmt.Sprintf(`(WITH RECURSIVE series (n) AS (SELECT %d UNION ALL SELECT n + 1 FROM series WHERE n < %d)
			SELECT n FROM series) numbers`, first, last)
	}
	for sequence := 1; sequence <= 2; sequence++ {
		statements = append(statements, fmt.Sprintf(`INSERT INTO events (id, organisation_id, environment, type, subject, sequence,
			body, created_at) SELECT 'evt_%[1]d_' || n, 'org_1', 'sandbox', 'connection.created', 'conn_' || n, %[1]d, '{}', 0
			FROM %[2]s`, sequence, series),
			fmt.Sprintf(`INSERT INTO deliveries (endpoint_id, subject, sequence, event_id, state, attempts, last_status, excerpt,
			updated_at, queued_at) SELECT 'we_' || (n %% %[3]d), 'conn_' || n, %[1]d, 'evt_%[1]d_' || n, 'pending', 0, 0, '', 0, 0
			FROM %[2]s`, sequence, series, costTenants))
	}
	return append(statements, fmt.Sprintf(`INSERT INTO delivery_heads (endpoint_id, subject, sequence, event_id, attempt,
		due_at, fence) SELECT 'we_' || (n %% %[2]d), 'conn_' || n, 1, 'evt_1_' || n, 0, n + 1, 0 FROM %[1]s`, series, costTenants))
}

// runAll runs the statements in one fact.
func runAll(t *testing.T, s *Store, statements []string) {
	t.Helper()
	err := s.fact(t.Context(), func(tx *tx) error {
		for _, statement := range statements {
			if _, err := tx.exec(statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// claimOnce claims as the deliverer does and returns how long it took. What it
// claimed fails then and goes to the end of the queue.
func claimOnce(t *testing.T, s *Store, now time.Time) time.Duration {
	t.Helper()
	began := time.Now()
	due, err := s.DueEndpoints(t.Context(), now, "", 128)
	if err != nil {
		t.Fatal(err)
	}
	var shares []latchkey.DeliveryShare
	for i, endpoint := range due {
		shares = append(shares, latchkey.DeliveryShare{
			EndpointID: endpoint.ID, Most: (costClaim + i) / costTenants,
			PacedUntil: endpoint.PacedUntil, From: now, Interval: time.Millisecond,
		})
	}
	claimed, err := s.ClaimDeliveries(t.Context(), now, time.Minute, shares)
	took := time.Since(began)
	if err != nil || len(claimed) < costClaim-costTenants {
		t.Fatalf("%d were claimed, %v", len(claimed), err)
	}
	for _, delivery := range claimed {
		outcome := latchkey.DeliveryOutcome{Status: 500, RetryAt: now.Add(time.Second), At: now}
		if err := s.FinishDelivery(t.Context(), delivery, outcome); err != nil {
			t.Fatal(err)
		}
	}
	return took
}

// A claim takes the same time however much waits. The two queues take turns, so
// that what else the machine does falls on both.
func TestAClaimCostsNoMoreWhenTheQueueIsLong(t *testing.T) {
	long := scaletest.Of(50_000, 1_000_000)
	for engine, open := range map[string]func() Config{
		"SQLite":     func() Config { return Config{Path: filepath.Join(t.TempDir(), "latchkey.db")} },
		"PostgreSQL": func() Config { return Config{URL: pgtest.New(t)} },
	} {
		t.Run(engine, func(t *testing.T) {
			stores := map[int]*Store{}
			for _, n := range []int{shortQueue, long} {
				s, err := Open(t.Context(), open())
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = s.Close() })
				queueUp(t, s, n)
				stores[n] = s
			}
			took := map[int][]time.Duration{}
			now := time.Now()
			for range costRounds {
				now = now.Add(2 * time.Minute) // everything is due again
				for n, s := range stores {
					took[n] = append(took[n], claimOnce(t, s, now))
				}
			}
			usual := func(n int) time.Duration { // a quick one: what else the machine does only adds
				slices.Sort(took[n])
				return took[n][len(took[n])/10]
			}
			ratio := float64(usual(long)) / float64(usual(shortQueue))
			fmt.Printf("RESULT claim.%s-%d-ratio %.2f %.1f\n", engine, long, ratio, costMost)
			t.Logf("%v with %d waiting, %v with %d", usual(shortQueue), 2*shortQueue, usual(long), 2*long)
			if ratio > costWorst {
				t.Errorf("a claim takes %v with %d waiting, and %v with %d", usual(shortQueue), shortQueue, usual(long), long)
			}
			noScan(t, stores[long])
		})
	}
}

// noScan fails the test if a statement of a claim would read all heads.
func noScan(t *testing.T, s *Store) {
	t.Helper()
	explain := "EXPLAIN "
	if _, sqlite := s.engine.(*sqliteEngine); sqlite {
		explain = "EXPLAIN QUERY PLAN "
	}
	for statement, args := range map[string][]any{
		dueEndpoints: {time.Now().UnixMicro(), "", 128, time.Now().UnixMicro()},
		findHeadsOf:  {"we_1", time.Now().UnixMicro(), 16, time.Now().UnixMicro()},
	} {
		err := s.fact(t.Context(), func(tx *tx) error {
			rows, err := tx.rows(explain+statement, args...)
			plan, err := collect(rows, err, func(row scanner) (string, error) {
				var id, parent, unused int
				var line string
				if explain == "EXPLAIN " {
					return line, row.Scan(&line)
				}
				err := row.Scan(&id, &parent, &unused, &line)
				return line, err
			})
			for _, line := range plan {
				if strings.Contains(line, "Seq Scan on delivery_heads") || strings.Contains(line, "SCAN h") ||
					strings.Contains(line, "TEMP B-TREE") || strings.Contains(line, "Sort") {
					t.Errorf("a claim reads or sorts all heads: %s", strings.Join(plan, "\n"))
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
