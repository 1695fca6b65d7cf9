package store_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"latchkey"
	"latchkey/internal/latchtest/pgtest"
	"latchkey/internal/store"
)

// BenchmarkLinksOnPostgres measures what the database does for a whole link:
// the session, three steps, and the end in a connection with its event. It
// also tells what that leaves on the disk.
func BenchmarkLinksOnPostgres(b *testing.B) {
	for name, pooled := range map[string]bool{"direct": false, "pooled": true} {
		b.Run(name, func(b *testing.B) {
			direct := migrated.New(b)
			config := store.Config{URL: direct}
			if pooled {
				address, err := url.Parse(direct)
				if err != nil {
					b.Fatal(err)
				}
				config = store.Config{
					URL:       pgtest.StartBouncer(b, direct).URL(strings.TrimPrefix(address.Path, "/")),
					DirectURL: direct,
				}
			}
			opened, err := store.Open(b.Context(), config)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = opened.Close() }()
			var links atomic.Int64
			began := time.Now()
			b.SetParallelism(32)
			b.ResetTimer()
			b.RunParallel(func(each *testing.PB) {
				for each.Next() {
					if err := linkOnce(b.Context(), opened); err != nil {
						b.Error(err)
					}
					links.Add(1)
				}
			})
			b.ReportMetric(float64(links.Load())/time.Since(began).Seconds(), "links/s")
			b.ReportMetric(bytesOf(b, direct)/float64(links.Load()), "B/link")
		})
	}
}

// linkOnce is a link as the store sees it.
func linkOnce(ctx context.Context, opened *store.Store) error {
	l := newLife(nil, opened, "org_1")
	if err := opened.CreateLinkSession(ctx, l.session); err != nil {
		return err
	}
	for range 3 {
		l.session.Version++
		if err := opened.AdvanceLinkSession(ctx, l.session, l.session.Version-1, latchkey.Consequences{}); err != nil {
			return err
		}
	}
	l.session.Version, l.session.State = l.session.Version+1, latchkey.StateCompleted
	credential := make([]byte, 1024)
	_, _ = rand.Read(credential)
	return opened.CompleteLink(ctx, l.session, l.session.Version-1, l.linked, latchkey.SealedCredential{Bytes: credential},
		latchkey.Consequences{Events: []latchkey.Event{l.event(latchkey.EventConnectionCreated)}})
}

// bytesOf returns what the sessions, connections and events take, with their
// indexes.
func bytesOf(b *testing.B, address string) float64 {
	b.Helper()
	connection, err := pgx.Connect(b.Context(), address)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = connection.Close(b.Context()) }()
	var bytes int64
	err = connection.QueryRow(b.Context(), `SELECT pg_total_relation_size('link_sessions') +
		pg_total_relation_size('connections') + pg_total_relation_size('events')`).Scan(&bytes)
	if err != nil {
		b.Fatal(err)
	}
	return float64(bytes)
}
