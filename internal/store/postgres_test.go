package store_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"latchkey/internal/latchtest/pgtest"
	"latchkey/internal/store"
	"latchkey/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// migrated is the database that every test on PostgreSQL gets a clone of.
var migrated = pgtest.Template("store", func(url string) error {
	opened, err := store.Open(context.Background(), store.Config{URL: url})
	if err != nil {
		return err
	}
	return opened.Close()
})

func openPostgres(t *testing.T, url string) *store.Store {
	t.Helper()
	opened, err := store.Open(t.Context(), store.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	return opened
}

func TestPostgresKeepsTheContract(t *testing.T) {
	address := migrated.New(t)
	opened := openPostgres(t, address)
	storetest.Run(t, func(t *testing.T) *store.Store {
		empty(t, address)
		return opened
	})
}

// empty removes every row. With a clone of the template for every sentence the
// contract took some five times as long.
func empty(t *testing.T, address string) {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close(context.Background()) }()
	_, err = connection.Exec(t.Context(), `SET session_replication_role = replica; DO $$ DECLARE name text; BEGIN
		FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
			AND tablename <> 'goose_db_version' LOOP
			EXECUTE format('DELETE FROM %I', name);
		END LOOP; END $$`)
	if err != nil {
		t.Fatal(err)
	}
}

// A server may be safe by its own settings and still be told otherwise by the
// database, the role or, as here, the URL.
func TestPostgresThatCouldLoseWhatItAcknowledgedIsRefused(t *testing.T) {
	for setting, address := range map[string]string{
		"fsync=off":              pgtest.Start(t, "fsync=off").URL("postgres"),
		"full_page_writes=off":   pgtest.Start(t, "full_page_writes=off").URL("postgres"),
		"synchronous_commit=off": withSetting(t, pgtest.New(t), "synchronous_commit", "off"),
	} {
		t.Run(setting, func(t *testing.T) {
			opened, err := store.Open(t.Context(), store.Config{URL: address})
			if err == nil {
				t.Fatal("it was opened", opened.Close())
			}
			if !strings.Contains(err.Error(), setting) {
				t.Errorf("the refusal does not name %s: %v", setting, err)
			}
		})
	}
}

// withSetting adds a server setting of every session to a database URL.
func withSetting(t *testing.T, address, name, value string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := parsed.Query()
	query.Set(name, value)
	parsed.RawQuery = query.Encode()
	return parsed.String()
}

func TestAPostgresThatCannotBeOpenedKeepsThePasswordSecret(t *testing.T) {
	const password = "hunter2secret"
	socket, err := url.Parse(pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, address := range map[string]string{
		"nobody listens":        "postgres://latchkey:" + password + "@127.0.0.1:1/latchkey?connect_timeout=2",
		"the port is no number": "postgres://latchkey:" + password + "@127.0.0.1:port/latchkey",
		"an option is unknown":  "postgres://latchkey:" + password + "@127.0.0.1/latchkey?sslmode=perhaps",
		"the escape is broken":  "postgres://latchkey:" + password + "%zz@127.0.0.1/latchkey",
		"there is no database": (&url.URL{
			Scheme: "postgres", User: url.UserPassword("postgres", password), Path: "/nothing", RawQuery: socket.RawQuery,
		}).String(),
	} {
		t.Run(name, func(t *testing.T) {
			opened, err := store.Open(t.Context(), store.Config{URL: address})
			if err == nil {
				t.Fatal("it was opened", opened.Close())
			}
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), password) {
				t.Error("the error shows the password")
			}
		})
	}
}

// Every replica of a new installation opens the same empty database.
func TestManyOpensOfAnEmptyDatabaseMigrateItOnce(t *testing.T) {
	for engine, config := range map[string]store.Config{
		"SQLite":     {Path: t.TempDir() + "/data/latchkey.db"},
		"PostgreSQL": {URL: pgtest.New(t)},
	} {
		t.Run(engine, func(t *testing.T) {
			const replicas = 4
			stores, errs := make([]*store.Store, replicas), make([]error, replicas)
			var opening sync.WaitGroup
			for i := range replicas {
				opening.Go(func() { stores[i], errs[i] = store.Open(t.Context(), config) })
			}
			opening.Wait()
			if err := errors.Join(errs...); err != nil {
				t.Fatal(err)
			}
			for i, opened := range stores {
				first, err := opened.KeepVaultProof(t.Context(), fmt.Appendf(nil, "proof of replica %d", i))
				if err != nil || string(first) != "proof of replica 0" {
					t.Errorf("replica %d keeps %q, %v", i, first, err)
				}
				if err := opened.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
