package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey"
)

// takeAttempt counts a try, or refuses it when one of its budgets is used up.
// The key's row is taken first, so that of many tries at once no more pass
// than the budget allows.
func takeAttempt(tx *tx, attempt latchkey.Attempt) error {
	times, err := attemptTimes(tx, attempt)
	if err != nil {
		return err
	}
	keep := time.Duration(0)
	for _, budget := range attempt.Budgets {
		keep = max(keep, budget.Within)
		if wait := overBudget(times, attempt.At, budget); wait > 0 {
			return &latchkey.Error{
				Code: latchkey.RateLimited, Message: "too many tries", RetryAfter: int((wait + time.Second - 1) / time.Second),
			}
		}
	}
	oldest := micros(attempt.At.Add(-keep))
	kept := times[:0]
	for _, at := range times {
		if at > oldest {
			kept = append(kept, at)
		}
	}
	kept = append(kept, micros(attempt.At))
	slices.Sort(kept) // replicas' clocks differ
	return writeAttempts(tx, attempt, kept)
}

// overBudget returns how long until there may be another try; 0: now.
func overBudget(times []int64, now time.Time, budget latchkey.Budget) time.Duration {
	since := micros(now.Add(-budget.Within))
	within, oldest := 0, int64(0)
	for i := len(times) - 1; i >= 0 && times[i] > since; i-- {
		if within++; within == budget.Tries {
			oldest = times[i]
		}
	}
	if within < budget.Tries {
		return 0
	}
	return max(time.Second, time.Duration(oldest-since)*time.Microsecond)
}

// releaseAttempt forgets one try, because it was right.
func releaseAttempt(tx *tx, attempt latchkey.Attempt) error {
	times, err := attemptTimes(tx, attempt)
	if err != nil {
		return err
	}
	for i, at := range times {
		if at == micros(attempt.At) {
			return writeAttempts(tx, attempt, append(times[:i], times[i+1:]...))
		}
	}
	return nil
}

// attemptTimes takes the key's row and returns when tries were made, oldest
// first.
func attemptTimes(tx *tx, attempt latchkey.Attempt) ([]int64, error) {
	var text string
	err := tx.row(`INSERT INTO attempts (key, times, updated_at) VALUES ($1, '', $2)
		ON CONFLICT (key) DO UPDATE SET updated_at = excluded.updated_at RETURNING times`,
		attempt.Key, micros(attempt.At)).Scan(&text)
	if err != nil {
		return nil, fmt.Errorf("take attempts: %w", err)
	}
	var times []int64
	for field := range strings.SplitSeq(text, ",") {
		if field == "" {
			continue
		}
		at, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read attempts: %w", err)
		}
		times = append(times, at)
	}
	return times, nil
}

func writeAttempts(tx *tx, attempt latchkey.Attempt, times []int64) error {
	var text strings.Builder
	for i, at := range times {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString(strconv.FormatInt(at, 10))
	}
	if _, err := tx.exec(`UPDATE attempts SET times = $2 WHERE key = $1`, attempt.Key, text.String()); err != nil {
		return fmt.Errorf("count attempt: %w", err)
	}
	return nil
}

// TakeAttempts counts all of the tries, or none and fails as rate limited.
func (s *Store) TakeAttempts(ctx context.Context, attempts []latchkey.Attempt) error {
	return s.fact(ctx, func(tx *tx) error { return insertConsequences(tx, latchkey.Consequences{Take: attempts}) })
}

// ReleaseAttempts forgets tries, because they were right.
func (s *Store) ReleaseAttempts(ctx context.Context, attempts []latchkey.Attempt) error {
	return s.ending(ctx, func(tx *tx) error { return insertConsequences(tx, latchkey.Consequences{Release: attempts}) })
}

// ForgetAttempts removes up to limit keys that nobody has tried since, and
// returns how many it removed.
func (s *Store) ForgetAttempts(ctx context.Context, since time.Time, limit int) (int, error) {
	var removed int64
	err := s.ending(ctx, func(tx *tx) error {
		var err error
		removed, err = tx.exec(`DELETE FROM attempts WHERE key IN (
			SELECT key FROM attempts WHERE updated_at < $1 ORDER BY updated_at LIMIT $2)`, micros(since), limit)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forget attempts: %w", err)
	}
	return int(removed), nil
}
