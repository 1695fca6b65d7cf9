package store

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"latchkey"
)

func TestAMoveOfEitherEngineGoesOnWhereItWasInterrupted(t *testing.T) {
	for from := range engines(t) {
		for to, target := range engines(t) {
			t.Run(from+" to "+to, func(t *testing.T) {
				source := engines(t)[from]
				populated(t, source, 600)
				want := digestsOf(t, source)
				ctx, cancel := context.WithCancelCause(t.Context())
				stop := errors.New("pulled out")
				_, err := Move(ctx, source, target, func(table string, _ int64) {
					if table == "connections" {
						cancel(stop)
					}
				})
				if err == nil {
					t.Fatal("it was not interrupted")
				}
				if _, err := Open(t.Context(), target); err == nil || !strings.Contains(err.Error(), "move that was not finished") {
					t.Errorf("half of it could be served: %v", err)
				}
				written := int64(0)
				counts, err := Move(t.Context(), source, target, func(_ string, rows int64) { written += rows })
				if err != nil {
					t.Fatal(err)
				}
				total := int64(0)
				for table, digest := range digestsOf(t, target) {
					if digest != want[table] || counts[table] != 600 {
						t.Errorf("%s has %d rows, or other ones", table, digest.Rows)
					}
					total += counts[table]
				}
				if written >= total {
					t.Errorf("the second run wrote %d of %d rows: it began again", written, total)
				}
				checkNumbers(t, target, 1000, 600)
			})
		}
	}
}

func TestADatabaseThatIsMovedTakesNoChanges(t *testing.T) {
	for name, config := range engines(t) {
		t.Run(name, func(t *testing.T) {
			populated(t, config, 3)
			served, err := Open(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = served.Close() }()
			record := latchkey.AuditRecord{OrganisationID: "organisations_1", Subject: "conn_1", CreatedAt: time.Now()}
			session := &latchkey.LinkSession{ID: "ls_1", SecretHash: "h", OrganisationID: "organisations_1", State: latchkey.StatePreLogin, Version: 1}
			create := func() error { return served.CreateLinkSession(t.Context(), session) }
			snapshot, err := OpenSnapshot(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			tables := snapshot.Header().Tables
			_ = snapshot.Close()

			if err := freeze(t.Context(), config, tables, false); err != nil {
				t.Fatal(err)
			}
			refused, ok := errors.AsType[*latchkey.Error](create())
			if !ok || refused.Code != latchkey.NetworkFailed || refused.RetryAfter != frozenRetry {
				t.Errorf("a new session: %v", refused)
			}
			if err := served.RecordAudit(t.Context(), record); err != nil {
				t.Errorf("a use can't be recorded: %v", err)
			}
			if _, err := served.VaultProof(t.Context()); err != nil {
				t.Errorf("nothing can be read: %v", err)
			}
			if err := freeze(t.Context(), config, tables, true); err != nil {
				t.Fatal(err)
			}
			if err := served.RecordAudit(t.Context(), record); latchkey.CodeOf(err) != latchkey.NetworkFailed {
				t.Errorf("a use is recorded behind the move: %v", err)
			}
			if err := Thaw(t.Context(), config); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(create(), served.RecordAudit(t.Context(), record)); err != nil {
				t.Errorf("after it was abandoned: %v", err)
			}
		})
	}
}

func TestEventsThatAreOutOfOrderAreNumberedAnew(t *testing.T) {
	source := engines(t)["PostgreSQL"]
	populated(t, source, 5)
	db := plain(t, source)
	// The third took its number first and committed last.
	for _, change := range []string{
		`UPDATE events SET organisation_id = 'organisations_1', environment = 'live', transaction_id = -100 + position`,
		`UPDATE events SET transaction_id = -1 WHERE position = 3`,
	} {
		if _, err := db.ExecContext(t.Context(), change); err != nil {
			t.Fatal(err)
		}
	}
	target := Config{Path: t.TempDir() + "/latchkey.db"}
	if _, err := Move(t.Context(), source, target, func(string, int64) {}); err != nil {
		t.Fatal(err)
	}
	moved, err := Open(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = moved.Close() }()
	for _, cursor := range []int64{0, 4} { // of a reader who has seen the fourth, and not the third
		page, err := moved.EventsAfter(t.Context(), "organisations_1", "live", cursor, 10)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, event := range page.Events {
			ids = append(ids, event.ID)
		}
		if got := strings.Join(ids, " "); got != "events_1 events_2 events_4 events_5 events_3" {
			t.Errorf("after %d come %s", cursor, got)
		}
	}
	checkNumbers(t, target, 1005, 5)
}
