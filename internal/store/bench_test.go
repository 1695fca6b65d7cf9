package store_test

import (
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/store"
)

// BenchmarkSessionsCreatedTogether measures the group commit: 64 callers that
// each wait for their own session to be on disk.
func BenchmarkSessionsCreatedTogether(b *testing.B) {
	opened, err := store.Open(b.Context(), store.Config{Path: filepath.Join(b.TempDir(), "latchkey.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = opened.Close() }()
	now := time.Now()
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(each *testing.PB) {
		for each.Next() {
			session := &latchkey.LinkSession{
				ID:             latchkey.NewID(rand.Reader, latchkey.PrefixSession),
				SecretHash:     latchkey.NewID(rand.Reader, ""),
				OrganisationID: "org_1", Environment: latchkey.Sandbox, ClientAppID: "app_1",
				State: latchkey.StatePreLogin, Version: 1, ExpiresAt: now, CreatedAt: now, UpdatedAt: now,
				Request: latchkey.SessionRequest{Mode: latchkey.ModeHosted, Providers: []string{"sandbox"}},
			}
			if err := opened.CreateLinkSession(b.Context(), session); err != nil {
				b.Error(err)
			}
		}
	})
}
