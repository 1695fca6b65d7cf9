package store_test

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/store"
)

// The size of the replay: every connection has had as many events.
const (
	replayConnections = 1000
	replayEach        = 10
	replayMost        = 2000 // milliseconds, by the plan; a busy machine may take longer
)

// manyEvents appends replayConnections × replayEach events and returns an
// endpoint of their organisation that was made afterwards.
func manyEvents(t *testing.T, opened *store.Store) latchkey.WebhookEndpoint {
	t.Helper()
	now := time.Now()
	organisation := latchkey.Organisation{ID: latchkey.NewID(rand.Reader, latchkey.PrefixOrganisation), CreatedAt: now}
	if err := opened.CreateOrganisation(t.Context(), organisation, nil, nil); err != nil {
		t.Fatal(err)
	}
	for sequence := range replayEach {
		var events []latchkey.Event
		for i := range replayConnections {
			events = append(events, latchkey.Event{
				ID: latchkey.NewID(rand.Reader, latchkey.PrefixEvent), OrganisationID: organisation.ID,
				Environment: latchkey.Sandbox, Type: latchkey.EventConnectionUpdated, Subject: fmt.Sprintf("conn_%d", i),
				Sequence: int64(sequence + 1), Body: []byte("{}"), CreatedAt: now,
			})
		}
		session := &latchkey.LinkSession{
			ID: latchkey.NewID(rand.Reader, latchkey.PrefixSession), SecretHash: latchkey.NewID(rand.Reader, ""),
			OrganisationID: organisation.ID, Environment: latchkey.Sandbox, State: latchkey.StatePreLogin, Version: 1,
		}
		if err := opened.CreateLinkSession(t.Context(), session); err != nil {
			t.Fatal(err)
		}
		session.Version = 2
		err := opened.AdvanceLinkSession(t.Context(), session, 1, latchkey.Consequences{Events: events})
		if err != nil {
			t.Fatal(err)
		}
	}
	endpoint := latchkey.WebhookEndpoint{
		ID: latchkey.NewID(rand.Reader, latchkey.PrefixWebhookEndpoint), OrganisationID: organisation.ID,
		Environment: latchkey.Sandbox, URL: "https://shop.example/hook", Events: []string{"*"},
		Status: latchkey.EndpointEnabled, SealedSecret: []byte("sealed"), CreatedAt: now,
	}
	if err := opened.CreateWebhookEndpoint(t.Context(), endpoint, latchkey.AuditRecord{
		OrganisationID: organisation.ID, Environment: latchkey.Sandbox, Detail: "{}",
	}); err != nil {
		t.Fatal(err)
	}
	return endpoint
}

func TestAReplayOfTenThousandEventsIsQuick(t *testing.T) {
	const events = replayConnections * replayEach
	for engine, open := range map[string]func(t *testing.T) *store.Store{
		"SQLite":     func(t *testing.T) *store.Store { return openSQLite(t, filepath.Join(t.TempDir(), "latchkey.db")) },
		"PostgreSQL": func(t *testing.T) *store.Store { return openPostgres(t, migrated.New(t)) },
	} {
		t.Run(engine, func(t *testing.T) {
			opened := open(t)
			endpoint := manyEvents(t, opened)
			for _, run := range []string{"new", "again"} {
				began := time.Now()
				asked := store.WithPatience(t.Context(), 20*time.Millisecond) // a request's own, which is too short
				queued, err := opened.ReplayDeliveries(asked, latchkey.Replay{
					OrganisationID: endpoint.OrganisationID, Environment: endpoint.Environment, EndpointID: endpoint.ID,
					At: began,
				}, latchkey.AuditRecord{})
				took := time.Since(began).Milliseconds()
				if err != nil || queued != events {
					t.Fatalf("%d of %d were queued, %v", queued, events, err)
				}
				t.Logf("%s: %d ms", run, took)
				if engine == "SQLite" && run == "again" {
					fmt.Printf("RESULT replay.10000-ms %d %d\n", took, replayMost)
				}
			}
			claimed, err := opened.ClaimDeliveries(t.Context(), time.Now(), time.Minute,
				[]latchkey.DeliveryShare{{EndpointID: endpoint.ID, Most: 2 * replayConnections}})
			if err != nil || len(claimed) != replayConnections || claimed[0].Sequence != 1 {
				t.Errorf("%d deliveries are due, %v", len(claimed), err)
			}
		})
	}
}
