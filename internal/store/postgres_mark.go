package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// errUnknown tells of a commit whose answer was lost, and that could not be
// asked for: it may have been done.
var errUnknown = errors.New("whether the commit was done is not known")

// rollbackTime is what a server gets to undo a transaction before the
// connection is closed, which does it too.
const rollbackTime = time.Second

// A mark is how a commit is recognised afterwards: the number of a transaction
// in a row that only its slot writes. The number stands in the same commit.
// PostgreSQL's own transaction ids won't do: a server that crashed, or a
// standby in its place, gives those that it has not heard of to others.
type mark struct {
	slot   string
	number int64
}

// commit returns the statements that end the transaction, in one round trip. A
// transaction that has written nothing leaves no mark. One whose number was
// closed meanwhile fails, since no mark may be null.
func (m mark) commit() string {
	return fmt.Sprintf(`INSERT INTO commit_marks AS kept (slot, mark, closed, used_at)
		SELECT '%s', %d, 0, %d WHERE pg_current_xact_id_if_assigned() IS NOT NULL
		ON CONFLICT (slot) DO UPDATE SET mark = CASE WHEN kept.closed < excluded.mark THEN excluded.mark END,
			used_at = excluded.used_at; COMMIT`, m.slot, m.number, time.Now().UnixMicro())
}

// marks hands out the slots of this process. There are as many as transactions
// at once.
type marks struct {
	process string
	mu      sync.Mutex
	made    int
	free    []mark
}

func newMarks() *marks { return &marks{process: strings.ToLower(rand.Text())} }

// take returns a number that was never used, in a slot that nobody uses now.
func (m *marks) take() mark {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.free); n > 0 {
		taken := m.free[n-1]
		m.free = m.free[:n-1]
		taken.number++
		return taken
	}
	m.made++
	return mark{slot: fmt.Sprintf("%s.%d", m.process, m.made), number: 1}
}

// give returns a slot whose last number is decided.
func (m *marks) give(used mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.free = append(m.free, used)
}

// resolve finds out what became of a commit whose answer was lost. It waits
// for a transaction that is still under way, and closes the number to one that
// is still to come. nil: it was done; the cause: it was not and never will be;
// errUnknown: ctx has ended before there was an answer.
func (e *postgresEngine) resolve(ctx context.Context, mark mark, cause error) error {
	if ctx.Err() != nil {
		return errors.Join(errUnknown, cause)
	}
	var done bool
	err := again(ctx, func() error {
		return e.db.QueryRowContext(ctx, `INSERT INTO commit_marks AS kept (slot, mark, closed, used_at)
			VALUES ($1, 0, $2, $3) ON CONFLICT (slot) DO UPDATE SET closed = excluded.closed RETURNING mark = closed`,
			mark.slot, mark.number, time.Now().UnixMicro()).Scan(&done)
	})
	if err != nil {
		return errors.Join(errUnknown, cause, err) // the slot is never used again
	}
	e.marks.give(mark)
	if done {
		return nil
	}
	return &undone{cause}
}

// undone is a lost way to the server by which nothing was done.
type undone struct{ cause error }

// Error tells what was lost.
func (u *undone) Error() string { return "not done: " + u.cause.Error() }

// Unwrap returns the cause.
func (u *undone) Unwrap() error { return u.cause }

// ForgetCommitMarks removes up to limit marks that were last used before, and
// returns how many it removed. Nobody asks for them after a day.
func (s *Store) ForgetCommitMarks(ctx context.Context, before time.Time, limit int) (int, error) {
	if s.engine.batches() == nil {
		return 0, nil // SQLite loses no answer
	}
	var removed int64
	err := s.engine.write(ctx, func(tx *tx) error {
		var err error
		removed, err = tx.exec(`DELETE FROM commit_marks WHERE slot IN (
			SELECT slot FROM commit_marks WHERE used_at <= $1 LIMIT $2)`, micros(before), limit)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forget commit marks: %w", err)
	}
	return int(removed), nil
}
