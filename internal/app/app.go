// Package app reads the configuration, builds every room and hands each what
// it needs, and owns start and shutdown. It is the only place where rooms
// meet.
//
//	Config ─▶ New: store ─▶ key ─▶ vault ─▶ links ─▶ webhooks ─▶ doors
//	       ─▶ Start: deliveries, revocations, expiry ─▶ … ─▶ Stop: drain, close
package app

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"latchkey"
	"latchkey/internal/account"
	"latchkey/internal/api"
	"latchkey/internal/auth"
	"latchkey/internal/connector"
	"latchkey/internal/egress"
	"latchkey/internal/hosted"
	"latchkey/internal/jobs"
	"latchkey/internal/journal"
	"latchkey/internal/link"
	"latchkey/internal/proxy"
	"latchkey/internal/store"
	"latchkey/internal/vault"
	"latchkey/internal/web"
	"latchkey/internal/webhook"
)

// Parts are what a test puts in place of the world. Zero fields are the world.
type Parts struct {
	Now        func() time.Time // the time itself; nil: as Machine and the database tell it
	Machine    func() time.Time // the clock of the machine, which may be wrong or be set; nil: time.Now
	Random     io.Reader
	Log        *slog.Logger
	Connectors []connector.Connector // providers beside the built-in ones, or in the place of one
	Patience   time.Duration         // of one request with the database; 0: what its client has
	// Outside changes what may be reached, and by which names; nil: nothing.
	Outside func(egress.Config) egress.Config
}

// App is a running Latchkey.
type App struct {
	config     Config
	parts      Parts
	store      *store.Store
	journal    *journal.Journal
	egress     *egress.Egress
	countries  *egress.Countries
	connectors map[string]connector.Connector
	router     *web.Router
	links      *link.Links
	keys       *auth.Auth
	accounts   *account.Account
	deliveries *jobs.Loop[latchkey.Delivery]
	streams    *proxy.Streams
	background []lifecycle
	metrics    *metrics
	woken      atomic.Pointer[func()]
	built      atomic.Bool   // there are rooms that may remember
	leaving    chan struct{} // closed when the process is about to end
	left       sync.Once     // closes it
	failed     chan error    // the database's disk has failed
}

// lifecycle is a background loop.
type lifecycle interface {
	Start(ctx context.Context)
	Stop(ctx context.Context) error
}

// New opens the database and builds every room. Nothing runs yet.
func New(ctx context.Context, config Config, parts Parts) (*App, error) {
	config, err := config.complete()
	if err != nil {
		return nil, err
	}
	if parts.Random == nil {
		parts.Random = rand.Reader
	}
	if parts.Log == nil {
		parts.Log = slog.New(slog.DiscardHandler)
	}
	var clock *clock
	if parts.Now == nil {
		if parts.Machine == nil {
			parts.Machine = time.Now
		}
		clock = newClock(parts.Machine, parts.Log)
		parts.Now = clock.Now
	}
	a := &App{config: config, parts: parts, metrics: newMetrics(), leaving: make(chan struct{}), failed: make(chan error, 1)}
	if a.connectors, err = connectors(config, parts); err != nil {
		return nil, err
	}
	a.store, err = store.Open(ctx, store.Config{
		URL: config.DatabaseURL, DirectURL: config.DatabaseDirectURL, Connections: config.DatabaseConnections,
		Path: config.databasePath(), Log: parts.Log, Woken: a.wake, Changed: a.forget,
		Revoked: a.journalOne, Unfinished: config.Unfinished,
		Failed: func(cause error) { a.failed <- cause }, FactsAtOnce: config.Limits.WritesAtOnce,
	})
	if err != nil {
		return nil, err
	}
	if a.journal, err = journal.Open(config.Journal); err != nil {
		return nil, errors.Join(err, a.store.Close())
	}
	if err := a.build(ctx, clock); err != nil {
		return nil, errors.Join(err, a.store.Close(), a.journal.Close())
	}
	return a, nil
}

// build makes the rooms, innermost first.
func (a *App) build(ctx context.Context, clock *clock) (err error) {
	if a.background, err = a.followDatabase(ctx, clock); err != nil {
		return err
	}
	keys, err := openKeys(ctx, a.config, a.parts, a.store)
	if err != nil {
		return err
	}
	if err := a.anchor().check(ctx); err != nil {
		return err
	}
	if err := a.beginJournal(ctx); err != nil {
		return err
	}
	fingerprints, err := openFingerprintKey(ctx, keys, a.parts.Random, a.store)
	if err != nil {
		return err
	}
	if err := a.buildEgress(); err != nil {
		return err
	}
	guarded := vault.New(vault.Config{
		Store: a.store, Refreshes: a.store, Keys: keys, Connector: a.connector,
		Client: func(connection latchkey.Connection) *http.Client {
			return a.egress.ClientFor(egress.Provider, wayOfConnection(connection))
		},
		Dead: func(ctx context.Context, connection latchkey.Connection, reason string) error {
			return a.links.Died(ctx, connection, reason)
		},
		Blocked:        func(provider string, cause error) { a.links.Blocked(provider, cause) },
		FingerprintKey: fingerprints, Now: a.parts.Now, Log: a.parts.Log,
	})
	a.links = link.New(link.Config{
		Sessions: a.store, Apps: a.store, Connections: a.store, Revocations: a.store, Attempts: a.store, Checks: a.store,
		Sealer:    guarded,
		Connector: a.connector, Providers: a.served(), Check: guarded.Check, Stopped: a.metrics.stop,
		Client: func(session *latchkey.LinkSession) *http.Client {
			return a.egress.ClientFor(egress.Provider, wayOfSession(session))
		},
		Exits:  exits{a},
		Revoke: guarded.Revoke, Export: guarded.Export, Budgets: a.config.Limits.budgets(), LinkURL: a.config.LinkURL,
		Now: a.parts.Now, Random: a.parts.Random, Log: a.parts.Log,
	})
	a.keys = auth.New(auth.Config{Store: a.store, Now: a.parts.Now})
	a.accounts = account.New(account.Config{
		Apps: a.store, Keys: a.store, Settings: a.store, Records: a.store, NewKey: auth.NewKey,
		Served: a.servedIn, Now: a.parts.Now, Random: a.parts.Random,
	})
	a.built.Store(true)
	a.buildBackground(guarded)
	a.background = append(append(a.background, a.keyUpkeep(keys)...), a.anchoring(), a.clearing())
	a.buildDoors(guarded)
	return nil
}

// buildBackground makes the loops that nobody waits for.
func (a *App) buildBackground(guarded *vault.Vault) {
	deliverer := webhook.New(webhook.Config{
		Store: a.store, Client: a.egress.Client(egress.Webhook),
		OpenSecret: func(_ context.Context, endpoint latchkey.WebhookEndpoint) ([]latchkey.Secret, error) {
			return a.endpointSecrets(guarded, endpoint)
		},
		Rate: a.config.Webhooks.Rate, Now: a.parts.Now, Random: a.parts.Random, Log: a.parts.Log,
	})
	a.deliveries = deliverer.Loop(deliveriesAtOnce)
	wake := a.deliveries.Wake
	a.woken.Store(&wake)
	revocations := jobs.New(jobs.Config[latchkey.Revocation]{
		Name: "revocation", Claim: a.links.ClaimRevocations, Run: a.links.Revoke, Concurrency: revocationsAtOnce,
		Poll: revocationsEvery, Log: a.parts.Log, Now: a.parts.Now,
	})
	expiry := jobs.NewTicker(jobs.TickerConfig{
		Name: "session expiry", Every: expiryEvery, Log: a.parts.Log, Now: a.parts.Now,
		Do: func(ctx context.Context) error {
			for {
				ended, err := a.links.Sweep(ctx, expiryBatch)
				if err != nil || ended < expiryBatch {
					return err
				}
			}
		},
	})
	uses := jobs.NewTicker(jobs.TickerConfig{
		Name: "last use of keys", Every: usesEvery, Log: a.parts.Log, Now: a.parts.Now, Do: a.WriteUses,
	})
	a.background = append(a.background, a.monitor()...)
	a.background = append(a.background, a.deliveries, revocations, expiry, uses, a.exitChecks(), a.streamChecks())
	a.background = append(a.background, a.housekeeping()...)
}

// endpointSecrets opens what an endpoint's deliveries are signed with now, the
// newest first. Those that were opened come also beside an error, to be zeroed.
func (a *App) endpointSecrets(guarded *vault.Vault, endpoint latchkey.WebhookEndpoint) ([]latchkey.Secret, error) {
	secret, err := guarded.OpenEndpointSecret(endpoint)
	if err != nil || !a.parts.Now().Before(endpoint.PreviousUntil) {
		return []latchkey.Secret{secret}, err
	}
	endpoint.SealedSecret = endpoint.PreviousSecret
	previous, err := guarded.OpenEndpointSecret(endpoint)
	return []latchkey.Secret{secret, previous}, err
}

// The pace of the background.
const (
	deliveriesAtOnce  = 256
	revocationsAtOnce = 8
	revocationsEvery  = 2 * time.Second
	expiryEvery       = 5 * time.Second
	expiryBatch       = 100
	usesEvery         = time.Minute
)

// buildDoors makes the routes.
func (a *App) buildDoors(guarded *vault.Vault) {
	trusted, _ := a.config.trusted() // checked when the configuration was completed
	a.router = web.New(web.Config{
		Authenticate: a.keys.Caller, Observe: a.metrics.observe, Secure: isHTTPS(a.config.LinkURL),
		ErrorPage: hosted.ErrorPage,
		KeyRate:   a.config.Limits.keyRate(), MissRate: a.config.Limits.missRate(), TrustedProxies: trusted,
		Gate: newGates(a.config.Limits).of, Refusal: tryLater,
		Context: a.patient(),
		Now:     a.parts.Now, Random: a.parts.Random, Log: a.parts.Log,
	})
	endpoints := webhook.NewEndpoints(webhook.EndpointsConfig{
		Store: a.store, History: a.store, Seal: guarded.SealEndpointSecret, CheckURL: a.egress.CheckURL,
		Now: a.parts.Now, Random: a.parts.Random,
	})
	api.Register(a.router, api.Config{
		Links: a.links, Endpoints: endpoints, Events: webhook.NewEventLog(a.store), Accounts: a.accounts,
	})
	hosted.Register(a.router, hosted.Config{
		Links: a.links, Provider: a.provider, Scenarios: a.scenarios, Now: a.parts.Now, Leaving: a.leaving,
		Secure: isHTTPS(a.config.LinkURL),
		Logos: hosted.Logos{
			Find: newLogos(a.egress.Client(egress.Logo), a.parts.Now).find,
			Mark: func(url string) string { return guarded.Fingerprint("logo", url) },
		},
	})
	proxy.Register(a.router, proxy.Config{
		Vault: guarded, Streams: a.streams,
		Transport: func(connection latchkey.Connection) http.RoundTripper {
			return a.egress.TransportFor(egress.Proxy, wayOfConnection(connection))
		},
		Now: a.parts.Now, Log: a.parts.Log,
	})
	a.registerHealth()
	a.registerReference()
}

// wake tells the deliverer that there may be something to deliver.
func (a *App) wake() {
	if wake := a.woken.Load(); wake != nil {
		(*wake)()
	}
}

// Handler answers every request of the API and the pages.
func (a *App) Handler() http.Handler { return a.router }

// Routes lists what is served.
func (a *App) Routes() []web.Route { return a.router.Routes() }

// Store returns the database, for tests that count calls or look inside.
func (a *App) Store() *store.Store { return a.store }

// Links returns the room of links, for tests that walk through it many times.
func (a *App) Links() *link.Links { return a.links }

// Start begins the background work.
func (a *App) Start(ctx context.Context) {
	for _, loop := range a.background {
		loop.Start(ctx)
	}
}

// WriteUses writes down when keys were last used. It is done every minute and
// at the end.
func (a *App) WriteUses(ctx context.Context) error {
	return a.keys.WriteUses(ctx, a.store.TouchAPIKeys)
}

// Stop drains the background work until ctx ends, and closes the database.
func (a *App) Stop(ctx context.Context) error {
	a.endStreams()
	stopped := a.stopLoops(ctx)
	return errors.Join(stopped, a.close(ctx))
}

// stopLoops drains all of the background work at once, since each may take all
// of the time there is.
func (a *App) stopLoops(ctx context.Context) error {
	errs := make([]error, len(a.background))
	var stopping sync.WaitGroup
	for i, loop := range a.background {
		stopping.Go(func() { errs[i] = loop.Stop(ctx) })
	}
	stopping.Wait()
	return errors.Join(errs...)
}

// close writes down what is only in memory and closes the database.
func (a *App) close(ctx context.Context) error {
	err := errors.Join(a.WriteUses(ctx), a.anchor().keep(ctx))
	a.egress.Close()
	return errors.Join(err, a.store.Close(), a.journal.Close())
}
