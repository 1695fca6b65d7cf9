package store

import (
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest/pgtest"
)

// heldEvents puts a view in the place of the events, which can be read while
// nobody holds the lock 7.
const heldEvents = `ALTER TABLE events RENAME TO kept_events;
	CREATE FUNCTION reads() RETURNS boolean LANGUAGE plpgsql AS
		$$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
	CREATE VIEW events AS SELECT * FROM kept_events WHERE reads()`

// A claim that has read a head, and not yet taken it, finds it moved on by
// another: it takes what that is about now, and keeps the queue.
func TestAHeadThatMovesOnWhileItIsClaimedKeepsItsQueue(t *testing.T) {
	config := Config{URL: pgtest.New(t)}
	s, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	queueUp(t, s, 1)
	db := plain(t, config)
	holder, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Close() }()
	run := func(statement string) {
		t.Helper()
		if _, err := holder.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	run(heldEvents)
	run(`SELECT pg_advisory_lock(7)`)

	type result struct {
		list []latchkey.Delivery
		err  error
	}
	claimed := make(chan result, 1)
	go func() {
		list, err := s.ClaimDeliveries(t.Context(), time.Now(), time.Minute, []latchkey.DeliveryShare{{EndpointID: "we_0", Most: 5}})
		claimed <- result{list, err}
	}()
	const waits = `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted)`
	for waiting, deadline := false, time.Now().Add(time.Minute); !waiting; {
		if err := holder.QueryRowContext(t.Context(), waits).Scan(&waiting); err != nil || time.Now().After(deadline) {
			t.Fatalf("the claim never read the events: %v", err)
		}
	}
	run(`UPDATE delivery_heads SET sequence = 2, event_id = 'evt_2_0', fence = fence + 1 WHERE subject = 'conn_0'`)
	run(`SELECT pg_advisory_unlock(7)`)
	got := <-claimed
	if got.err != nil {
		t.Fatal(got.err)
	}
	if len(got.list) != 1 || got.list[0].EventID != "evt_2_0" || got.list[0].EventType != latchkey.EventConnectionCreated ||
		string(got.list[0].Body) != "{}" {
		t.Errorf("claimed %+v, want event evt_2_0 of conn_0", got.list)
	}
}
