package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Pair is a primary and a standby that has every commit on its disk before it
// is acknowledged.
type Pair struct {
	Primary *Server
	Standby *Server
}

// StartPair starts both and stops them at the test's cleanup. Failure is fatal.
func StartPair(t testing.TB, settings ...string) *Pair {
	t.Helper()
	pair := &Pair{Primary: Start(t, settings...)}
	standby, err := newServer(pair.Primary, settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := standby.close(); err != nil {
			t.Error(err)
		}
	})
	pair.Standby = standby
	if err := pair.follow(); err != nil {
		t.Fatal(err)
	}
	return pair
}

// URL returns where the database of that name is, at whichever of the two
// takes writes.
func (p *Pair) URL(database string) string {
	return Either(p.Primary.URL(database), p.Standby.URL(database))
}

// Either returns the URL of the first of two places that takes writes. Both are
// sockets of PostgreSQL or of a pooler, for the same database.
func Either(one, other string) string {
	first, err := url.Parse(one)
	if err != nil {
		return one
	}
	second, err := url.Parse(other)
	if err != nil {
		return one
	}
	query := first.Query()
	for _, name := range []string{"host", "port"} {
		a, b := query.Get(name), second.Query().Get(name)
		if a != "" || b != "" {
			query.Set(name, a+","+b)
		}
	}
	query.Set("target_session_attrs", "read-write")
	first.RawQuery = query.Encode()
	return first.String()
}

// Fail ends the primary at once, as `pg_ctl stop -m immediate` does.
func (p *Pair) Fail() error { return p.Primary.Stop(Immediate) }

// Promote makes the standby the primary, and returns when it takes writes.
func (p *Pair) Promote() error {
	if err := p.Standby.ask(`SELECT pg_promote(true, 30)`, "true"); err != nil {
		return err
	}
	p.Primary, p.Standby = p.Standby, p.Primary
	return p.Primary.ask(`SELECT pg_is_in_recovery()`, "false")
}

// Rebuild makes the stopped server a standby of the primary. Its data of
// before is gone.
func (p *Pair) Rebuild() error {
	if err := p.Standby.Stop(Immediate); err != nil {
		return err
	}
	p.Standby.model = p.Primary
	if err := errors.Join(os.RemoveAll(p.Standby.data()), p.Standby.fill()); err != nil {
		return err
	}
	if err := p.Standby.start(); err != nil {
		return err
	}
	return p.follow()
}

// follow waits until the standby streams, and lets every commit wait for it
// from then on.
func (p *Pair) follow() error {
	if err := p.Primary.ask(`SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'`, "1"); err != nil {
		return err
	}
	for _, statement := range []string{`ALTER SYSTEM SET synchronous_standby_names = '*'`, `SELECT pg_reload_conf()`} {
		if err := p.Primary.execute(statement); err != nil {
			return err
		}
	}
	return p.Primary.ask(`SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'`, "1")
}

// execute runs one statement.
func (s *Server) execute(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	connection, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL for tests: %w", err)
	}
	defer func() { _ = connection.Close(ctx) }()
	if _, err := connection.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// ask asks until the one value of the answer is as wanted.
func (s *Server) ask(query, want string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for {
		got, err := s.value(ctx, query)
		if err == nil && got == want {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is %s and never became %s: %w", query, got, want, errors.Join(ctx.Err(), err))
		case <-retry.C:
		}
	}
}

func (s *Server) value(ctx context.Context, query string) (string, error) {
	connection, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return "", err
	}
	defer func() { _ = connection.Close(context.WithoutCancel(ctx)) }()
	var value any
	if err := connection.QueryRow(ctx, query).Scan(&value); err != nil {
		return "", err
	}
	return fmt.Sprint(value), nil
}
