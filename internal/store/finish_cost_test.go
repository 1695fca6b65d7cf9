package store

import (
	"fmt"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest/pgtest"
)

const (
	rushHeads = 8000
	rushGroup = 200
)

// rush returns a store on PostgreSQL whose queue was all but empty when the
// statistics of it were made, and then filled at once.
func rush(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{URL: pgtest.New(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	queueUp(t, s, rushHeads)
	for _, statement := range []string{
		`ALTER TABLE delivery_heads SET (autovacuum_enabled = off)`,
		`CREATE TABLE all_heads AS SELECT * FROM delivery_heads`,
		`DELETE FROM delivery_heads WHERE subject <> (SELECT max(subject) FROM delivery_heads)`,
		`VACUUM (ANALYZE) delivery_heads`,
		`INSERT INTO delivery_heads SELECT * FROM all_heads ON CONFLICT DO NOTHING`,
	} {
		if _, err := s.engine.(*postgresEngine).db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return s
}

// finishRush finishes a group of the rush and returns how many heads PostgreSQL
// read for it, and how many queues went on.
func finishRush(t *testing.T, s *Store, sequence, fence int64) (read, more int) {
	t.Helper()
	finished := make([]*finishedDelivery, rushGroup)
	for n := range finished {
		finished[n] = &finishedDelivery{
			delivery: latchkey.Delivery{
				Endpoint: latchkey.WebhookEndpoint{ID: fmt.Sprintf("we_%d", n%costTenants)}, Subject: fmt.Sprintf("conn_%d", n),
				Sequence: sequence, Fence: fence,
			},
			outcome: latchkey.DeliveryOutcome{Delivered: true, At: time.UnixMicro(5)},
		}
	}
	err := s.engine.(*postgresEngine).write(t.Context(), func(tx *tx) error {
		if _, err := tx.exec(`SET LOCAL plan_cache_mode = force_generic_plan`); err != nil { // as after some finishes
			return err
		}
		before, err := headsRead(tx)
		if err != nil {
			return err
		}
		errs, err := finishGroup(tx, finished)
		if err != nil {
			return err
		}
		for n, err := range errs {
			if err != nil {
				t.Errorf("delivery %d: %v", n, err)
			}
		}
		read, err = headsRead(tx)
		read -= before
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range finished {
		if each.more.Load() {
			more++
		}
	}
	return read, more
}

// headsRead is how many heads this connection has read that it has not told of.
func headsRead(tx *tx) (read int, err error) {
	err = tx.row(`SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables
		WHERE relname = 'delivery_heads'`).Scan(&read)
	return read, err
}

func TestFinishesInARushReadTheirOwnHeads(t *testing.T) {
	s := rush(t)
	for _, each := range []struct{ sequence, fence, more int }{{1, 0, rushGroup}, {2, 1, 0}} {
		read, more := finishRush(t, s, int64(each.sequence), int64(each.fence))
		if read > 2*rushGroup {
			t.Errorf("to finish %d deliveries %d heads of %d are read", rushGroup, read, rushHeads)
		}
		if more != each.more {
			t.Errorf("%d of %d queues go on, want %d", more, rushGroup, each.more)
		}
	}
	var heads, moved int
	err := s.read().QueryRowContext(t.Context(), `SELECT count(*), count(*) FILTER (WHERE fence > 0) FROM delivery_heads`).Scan(&heads, &moved)
	if err != nil || heads != rushHeads-rushGroup || moved != 0 {
		t.Errorf("%d heads are left, want %d, and %d of them are not as they were, %v", heads, rushHeads-rushGroup, moved, err)
	}
}

func TestAClaimInARushReadsItsOwnHeads(t *testing.T) {
	s := rush(t)
	const most = 16
	var read int
	err := s.engine.write(t.Context(), func(tx *tx) error {
		before, err := headsRead(tx)
		if err != nil {
			return err
		}
		shares := []latchkey.DeliveryShare{{EndpointID: "we_1", Most: most, Interval: time.Millisecond}}
		claimed, err := claimShares(tx, shares, time.Now(), time.Minute)
		if err != nil || len(claimed) != most {
			t.Errorf("%d are claimed of %d, %v", len(claimed), most, err)
		}
		read, err = headsRead(tx)
		read -= before
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if read > 3*most {
		t.Errorf("to claim %d deliveries %d heads of %d are read", most, read, rushHeads)
	}
}

func TestOfTwoThatFinishTheSameDeliveryInAGroupOneDoes(t *testing.T) {
	s, err := Open(t.Context(), Config{URL: pgtest.New(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	queueUp(t, s, 1)
	one := func() *finishedDelivery {
		return &finishedDelivery{
			delivery: latchkey.Delivery{Endpoint: latchkey.WebhookEndpoint{ID: "we_0"}, Subject: "conn_0", Sequence: 1},
			outcome:  latchkey.DeliveryOutcome{Delivered: true, At: time.UnixMicro(5)},
		}
	}
	errs := finishDeliveries(t.Context(), s.engine.(*postgresEngine), []*finishedDelivery{one(), one()})
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Errorf("the two end with %v and %v", errs[0], errs[1])
	}
}
