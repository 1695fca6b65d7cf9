package simtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite" // what the database is emptied with

	"latchkey/internal/store"
	"latchkey/internal/vault"
	"latchkey/internal/vault/seal"
)

// database is the real store on a SQLite file in memory, with the vault's key.
// One seed after the other uses it, and each finds it empty.
//
// Its calls are made by a goroutine outside the bubbles: the store was opened
// there, and its channels may not be mixed with those of a bubble. To a bubble a
// call takes no time.
type database struct {
	store *store.Store
	empty *sql.DB
	ring  *seal.Ring
	calls chan func()
	made  chan struct{}
	mu    sync.Mutex // held by the one call that is being made
	woken bool       // the call has committed deliveries
	seeds int        // that were played
}

// newDatabase opens a database that lasts as long as the test.
func newDatabase(t *testing.T) *database {
	t.Helper()
	d := &database{calls: make(chan func()), made: make(chan struct{})}
	path := filepath.Join(memoryFolder(t), "simulated.db")
	opened, err := store.Open(t.Context(), store.Config{Path: path, Woken: func() { d.woken = true }})
	if err != nil {
		t.Fatal(err)
	}
	d.store = opened
	if d.empty, err = sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)"); err != nil {
		t.Fatal(err)
	}
	d.empty.SetMaxOpenConns(1)
	if d.ring, err = seal.NewRing(rand.Reader); err != nil {
		t.Fatal(err)
	}
	keys := vault.NewKeys(vault.KeysConfig{Store: opened, Ring: d.ring, Now: time.Now, Random: rand.Reader, Log: silent})
	if _, err := keys.Adopt(t.Context()); err != nil {
		t.Fatal(err)
	}
	go func() {
		for call := range d.calls {
			call()
			d.made <- struct{}{}
		}
	}()
	t.Cleanup(func() {
		close(d.calls)
		_ = d.empty.Close()
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// memoryFolder returns a folder that no disk slows down, where there is one.
func memoryFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "simulated")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

// do makes a call and reports whether it has committed deliveries.
func (d *database) do(call func()) (woken bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.woken = false
	d.calls <- call
	<-d.made
	return d.woken
}

// tidyEvery is after how many seeds the database's log is cut short. A seed
// writes some 2 MB of it, and memory folders can be as small as 64 MB.
const tidyEvery = 4

// clear empties the database for the next seed.
func (d *database) clear(t *testing.T) {
	t.Helper()
	_, err := d.empty.ExecContext(context.Background(), `BEGIN IMMEDIATE;
		DELETE FROM delivery_heads; DELETE FROM deliveries; DELETE FROM events; DELETE FROM webhook_endpoints;
		DELETE FROM revocations; DELETE FROM connections; DELETE FROM link_sessions; DELETE FROM attempts;
		DELETE FROM idempotency_keys; DELETE FROM audit; DELETE FROM audit_chains; DELETE FROM domain_claims;
		DELETE FROM client_apps; DELETE FROM data_keys; DELETE FROM credential_marks; DELETE FROM revocation_journal; DELETE FROM endpoint_paces; DELETE FROM api_keys; DELETE FROM organisations; COMMIT`)
	if d.seeds++; err == nil && d.seeds%tidyEvery == 0 {
		_, err = d.empty.ExecContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)")
	}
	if err != nil {
		t.Fatal(err)
	}
}
