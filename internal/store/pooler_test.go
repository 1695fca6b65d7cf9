package store_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"latchkey/internal/latchtest/pgtest"
	"latchkey/internal/store"
	"latchkey/internal/store/storetest"
)

// Behind a pooler nothing can be prepared, and every transaction may run on
// another connection.
func TestPostgresBehindAPoolerKeepsTheContract(t *testing.T) {
	direct := migrated.New(t)
	address, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	bouncer := pgtest.StartBouncer(t, direct)
	opened, err := store.Open(t.Context(), store.Config{
		URL: bouncer.URL(strings.TrimPrefix(address.Path, "/")), DirectURL: direct,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	kept := 0
	storetest.Run(t, func(t *testing.T) *store.Store {
		empty(t, direct)
		t.Cleanup(func() {
			if !t.Failed() {
				kept++
			}
		})
		return opened
	})
	fmt.Printf("RESULT C-6.pooled %d %d\n", kept, storetest.Sentences())
	if kept != storetest.Sentences() {
		t.Errorf("%d of %d sentences hold behind a pooler", kept, storetest.Sentences())
	}
}
