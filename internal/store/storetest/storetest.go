// Package storetest is the contract that both storage engines pass: facts of
// the business, named as sentences.
//
//	storetest.Run(t, open) ─▶ sessions · completions · connections · outbox · endpoints · replays ·
//	                          deliveries · events · revocations · refreshes · checks · accounts · client apps · keys
package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/store"
)

// Run checks every fact on stores that open makes, each empty and of its own.
func Run(t *testing.T, open func(t *testing.T) *store.Store) {
	for name, fact := range facts() {
		t.Run(name, func(t *testing.T) {
			fact(newWorld(t, open(t)))
		})
	}
}

// Sentences returns how many there are.
func Sentences() int { return len(facts()) }

// facts are all sentences of the contract.
func facts() map[string]func(*world) {
	all := map[string]func(*world){}
	for _, group := range []map[string]func(*world){
		sessionFacts(), completionFacts(), connectionFacts(), outboxFacts(), accountFacts(), clientAppFacts(),
		endpointFacts(), replayFacts(), deliveryFacts(), eventFacts(), attemptFacts(), idempotencyFacts(),
		refreshFacts(), checkFacts(), freshFacts(), keyFacts(), housekeepingFacts(), sessionReadFacts(),
	} {
		for name, fact := range group {
			all[name] = fact
		}
	}
	return all
}

// start is the time at which every world begins.
var start = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

// world is a store with an organisation in it.
type world struct {
	*testing.T
	store        *store.Store
	organisation latchkey.Organisation
	app          latchkey.ClientApp
	key          latchkey.APIKey
}

func newWorld(t *testing.T, opened *store.Store) *world {
	organisation := latchkey.Organisation{
		ID: latchkey.NewID(rand.Reader, latchkey.PrefixOrganisation), Name: "Acme", CreatedAt: start,
	}
	w := &world{
		T: t, store: opened, organisation: organisation,
		app: latchkey.ClientApp{
			ID: latchkey.NewID(rand.Reader, latchkey.PrefixClientApp), OrganisationID: organisation.ID,
			Environment: latchkey.Sandbox, Type: latchkey.AppRedirect, Name: "Shop", Domain: "shop.example",
			RedirectURIs: []string{"https://shop.example/back"}, AllowedOrigins: []string{"https://shop.example"},
			Providers:   []string{"sandbox"},
			Permissions: []latchkey.Permission{{Name: "profile:read", Purpose: "to greet you"}},
			CreatedAt:   start, UpdatedAt: start,
		},
		key: latchkey.APIKey{
			ID: latchkey.NewID(rand.Reader, latchkey.PrefixKey), OrganisationID: organisation.ID,
			Environment: latchkey.Sandbox, Name: "first", Prefix: "sk_sandbox_abc", Hash: latchkey.NewID(rand.Reader, ""),
			Scopes: latchkey.AllScopes(), CreatedAt: start,
		},
	}
	w.must(opened.CreateOrganisation(t.Context(), organisation, []latchkey.APIKey{w.key}, []latchkey.ClientApp{w.app}))
	return w
}

// must fails the test on an error.
func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// wants fails the test unless err has the code.
func (w *world) wants(code latchkey.Code, err error) {
	w.Helper()
	if latchkey.CodeOf(err) != code {
		w.Fatalf("got %v, want an error with code %s", err, code)
	}
}

// session makes a session that is not stored yet.
func (w *world) session() *latchkey.LinkSession {
	return &latchkey.LinkSession{
		ID:             latchkey.NewTimedID(rand.Reader, latchkey.PrefixSession, start),
		SecretHash:     latchkey.HashClientSecret(latchkey.NewClientSecret(rand.Reader, start)),
		OrganisationID: w.organisation.ID, Environment: latchkey.Sandbox, ClientAppID: w.app.ID,
		State: latchkey.StatePreLogin, Version: 1, ExpiresAt: start.Add(30 * time.Minute), CreatedAt: start, UpdatedAt: start,
		Request: latchkey.SessionRequest{
			Mode: latchkey.ModeHosted, RedirectURL: "https://shop.example/back", ClientReferenceID: "user_1",
			Providers: []string{"sandbox"}, Permissions: w.app.Permissions, Metadata: map[string]string{"plan": "pro"},
			Geolocation: &latchkey.Geolocation{Country: "DE", State: "BY"}, Exit: "de-1",
		},
		Progress: latchkey.SessionProgress{AttemptsLeft: 5},
	}
}

// storedSession makes and stores a session.
func (w *world) storedSession() *latchkey.LinkSession {
	session := w.session()
	w.must(w.store.CreateLinkSession(w.Context(), session))
	return session
}

// advanced returns a copy of the session one version on, in the state.
func advanced(session *latchkey.LinkSession, state latchkey.State) *latchkey.LinkSession {
	next := *session
	next.Version, next.State = session.Version+1, state
	return &next
}

// connection makes a new connection of an upstream account.
func (w *world) connection(upstream, reference string) latchkey.Connection {
	return latchkey.Connection{
		ID: latchkey.NewTimedID(rand.Reader, latchkey.PrefixConnection, start), OrganisationID: w.organisation.ID,
		Environment: latchkey.Sandbox, ClientAppID: w.app.ID, Provider: "sandbox", ClientReferenceID: reference,
		Status: latchkey.ConnectionActive, User: latchkey.UserData{ID: upstream, Name: "Ada", Username: "ada"},
		Permissions: []string{"profile:read"}, Exit: "de-1", Version: 1, EventSequence: 1, CreatedAt: start, UpdatedAt: start,
	}
}

// sealed is a stand-in for sealed bytes: the store never looks into them.
func sealed(text string) latchkey.SealedCredential {
	return latchkey.SealedCredential{Bytes: []byte(text), ExpiresAt: start.Add(time.Hour)}
}

// linked stores a session and completes it in the connection.
func (w *world) linked(connection latchkey.Connection) latchkey.Connection {
	w.Helper()
	session := w.storedSession()
	w.must(w.store.CompleteLink(w.Context(), advanced(session, latchkey.StateCompleted), session.Version, connection,
		sealed("credential"), latchkey.Consequences{Events: []latchkey.Event{w.event(connection, latchkey.EventConnectionCreated)}}))
	return connection
}

// event makes the event of the connection's current sequence.
func (w *world) event(connection latchkey.Connection, eventType latchkey.EventType) latchkey.Event {
	return latchkey.Event{
		ID: latchkey.NewTimedID(rand.Reader, latchkey.PrefixEvent, start), OrganisationID: w.organisation.ID,
		Environment: latchkey.Sandbox, Type: eventType, Subject: connection.ID, Sequence: connection.EventSequence,
		Body: fmt.Appendf(nil, `{"n":%d}`, connection.EventSequence), CreatedAt: start,
	}
}

// endpoint stores a webhook endpoint for the event types.
func (w *world) endpoint(events ...string) latchkey.WebhookEndpoint {
	endpoint := latchkey.WebhookEndpoint{
		ID: latchkey.NewID(rand.Reader, latchkey.PrefixWebhookEndpoint), OrganisationID: w.organisation.ID,
		Environment: latchkey.Sandbox, URL: "https://shop.example/hook", Events: events,
		Status: latchkey.EndpointEnabled, SealedSecret: []byte("sealed"), CreatedAt: start,
	}
	w.must(w.store.CreateWebhookEndpoint(w.Context(), endpoint, w.recordOf(endpoint.ID, latchkey.AuditEndpointCreated)))
	return endpoint
}

// recordOf makes the record of something that was done by the world's key.
func (w *world) recordOf(subject string, action latchkey.AuditAction) latchkey.AuditRecord {
	return latchkey.AuditRecord{
		OrganisationID: w.organisation.ID, Environment: latchkey.Sandbox, Actor: w.key.ID, Action: action,
		Subject: subject, Detail: "{}", CreatedAt: start,
	}
}

// race runs n callers at once and returns how many succeeded and how many got
// a conflict; any other error fails the test.
func (w *world) race(n int, run func(i int) error) (won, lost int) {
	w.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		group.Go(func() {
			<-begin
			err := run(i)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case latchkey.CodeOf(err) == latchkey.Conflict, latchkey.CodeOf(err) == latchkey.NotFound, isTwin(err):
				lost++
			default:
				w.Errorf("caller %d: %v", i, err)
			}
		})
	}
	close(begin)
	group.Wait()
	return won, lost
}

func isTwin(err error) bool {
	_, ok := errors.AsType[*store.TwinError](err)
	return ok
}

// background outlives the test's own context, for work in cleanups.
func background() context.Context { return context.Background() }
