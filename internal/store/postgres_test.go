package store_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"latchkey/internal/latchtest/pgtest"
	"latchkey/internal/store"
	"latchkey/internal/store/storetest"
)

// migrated is the database that every PostgreSQL test clones.
var migrated = pgtest.Template("store", func(url string) error {
	opened, err := store.Open(context.Background(), store.Config{URL: url})
	if err != nil {
		return err
	}
	return opened.Close()
})

func openPostgres(t *testing.T, url string) *store.Store {
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
	storetest.Run(t, func(t *testing.T) *store.Store { return openPostgres(t, migrated.New(t)) })
}

func TestStoresThatOpenAtOnceMigrateOnce(t *testing.T) {
	url := pgtest.New(t)
	path := t.TempDir() + "/latchkey.db"
	for _, config := range []store.Config{{URL: url}, {Path: path}} {
		var opening sync.WaitGroup
		for range 4 {
			opening.Go(func() {
				opened, err := store.Open(t.Context(), config)
				if err != nil {
					t.Error(err)
					return
				}
				if err := opened.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		opening.Wait()
	}
}

func TestAServerThatCouldLoseWhatItAcknowledgedIsRefused(t *testing.T) {
	server := pgtest.Start(t, "fsync=off")
	opened, err := store.Open(t.Context(), store.Config{URL: server.URL("postgres")})
	if err == nil {
		t.Fatal("a server with fsync=off was accepted", opened.Close())
	}
	if !strings.Contains(err.Error(), "fsync=off") {
		t.Errorf("the error does not say why: %v", err)
	}
}

func TestAWrongDatabaseURLIsRefusedWithoutItsPassword(t *testing.T) {
	for _, url := range []string{
		"postgres://latchkey:hunter2@127.0.0.1:1/db?connect_timeout=1", "postgres://latchkey:hunter2@%zz/db",
		"postgres://latchkey:hunter2@127.0.0.1:port/db",
	} {
		opened, err := store.Open(t.Context(), store.Config{URL: url})
		if err == nil {
			t.Errorf("a wrong URL was accepted: %v", opened.Close())
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Error("the error shows the password")
		}
	}
}
