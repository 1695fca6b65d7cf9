package pgtest_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"latchkey/internal/latchtest/pgtest"
)

// run executes a statement by a URL.
func run(t *testing.T, address, statement string) error {
	t.Helper()
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	connection, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close(t.Context()) }()
	_, err = connection.Exec(t.Context(), statement)
	return err
}

func TestAStandbyTakesThePlaceOfItsPrimary(t *testing.T) {
	pair := pgtest.StartPair(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(run(t, pair.URL("postgres"), `CREATE TABLE kept (n INT)`))
	for n := range 2 {
		must(run(t, pair.URL("postgres"), `INSERT INTO kept VALUES (1)`))
		must(pair.Fail())
		must(pair.Promote())
		must(pair.Rebuild())
		connection, err := pgx.Connect(t.Context(), pair.Primary.URL("postgres"))
		must(err)
		var count int
		must(connection.QueryRow(t.Context(), `SELECT count(*) FROM kept`).Scan(&count))
		must(connection.Close(t.Context()))
		if count != n+1 {
			t.Errorf("after %d failures there are %d rows", n+1, count)
		}
	}
}

func TestThePoolerLendsAConnectionForATransaction(t *testing.T) {
	server := pgtest.Start(t)
	bouncer := pgtest.StartBouncer(t, server.URL("postgres"))
	if err := run(t, bouncer.URL("postgres"), `CREATE TABLE kept (n INT)`); err != nil {
		t.Fatal(err)
	}
	if err := run(t, server.URL("postgres"), `INSERT INTO kept VALUES (1)`); err != nil {
		t.Errorf("it led somewhere else: %v", err)
	}
}

func TestTheWayIsCutWhereItIsAskedFor(t *testing.T) {
	server := pgtest.Start(t)
	if err := run(t, server.URL("postgres"), `CREATE TABLE kept (n INT)`); err != nil {
		t.Fatal(err)
	}
	proxy := pgtest.StartProxy(t, server.URL("postgres"))
	for n, cut := range []pgtest.Cut{pgtest.No, pgtest.Request, pgtest.Done} {
		proxy.CutWhen(func([]byte) pgtest.Cut { return cut })
		err := run(t, proxy.URL("postgres"), `INSERT INTO kept VALUES (1)`)
		if (err != nil) != (cut != pgtest.No) || proxy.Cuts() != n {
			t.Errorf("cut %d of %d: %v", cut, proxy.Cuts(), err)
		}
	}
	proxy.CutWhen(nil)
	proxy.Slow(50 * time.Millisecond)
	began := time.Now()
	if err := run(t, proxy.URL("postgres"), `DO $$ BEGIN ASSERT (SELECT count(*) FROM kept) = 2; END $$`); err != nil {
		t.Errorf("what arrived was not done, or what did not was: %v", err)
	}
	if took := time.Since(began); took < 50*time.Millisecond {
		t.Errorf("a slow way took %v", took)
	}
}
