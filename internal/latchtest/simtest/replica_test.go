package simtest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"latchkey"
	"latchkey/internal/auth"
	"latchkey/internal/connector"
	"latchkey/internal/jobs"
	"latchkey/internal/link"
	"latchkey/internal/proxy"
	"latchkey/internal/vault"
	"latchkey/internal/web"
	"latchkey/internal/webhook"
)

// The pace of a replica's background. The app looks for checks and for sessions
// to expire every five seconds; here that would be most of what a seed costs.
const (
	deliveriesAtOnce  = 16
	revocationsAtOnce = 8
	revocationsEvery  = 2 * time.Second
	checksAtOnce      = 16
	expiryEvery       = 25 * time.Second
	checksEvery       = 20 * time.Second
	expiryBatch       = 100
)

// replica is one process, from its start to its end: the real rooms, put
// together as the app does.
type replica struct {
	*world
	number     int
	name       string // with how often it was started
	cache      cache  // of a planted bug
	auth       *auth.Auth
	links      *link.Links
	router     *web.Router
	deliveries *jobs.Loop[latchkey.Delivery]
	loops      []loop
	end        context.CancelFunc // of its background
}

// loop is something in the background.
type loop interface {
	Start(ctx context.Context)
	Stop(ctx context.Context) error
}

// start starts the replica of a place, with an empty memory.
func (w *world) start(place *place) *replica {
	place.starts++
	r := &replica{world: w, number: place.number, name: fmt.Sprintf("replica %d.%d", place.number, place.starts)}
	guarded := vault.New(vault.Config{
		Store: shelf{r}, Refreshes: shelf{r}, Keys: w.database.keys(r.now, r.random("keys")), Connector: w.connector,
		Client: func(latchkey.Connection) *http.Client { return r.client() },
		Dead: func(ctx context.Context, connection latchkey.Connection, reason string) error {
			return r.links.Died(ctx, connection, reason)
		},
		Blocked:        func(provider string, cause error) { r.links.Blocked(provider, cause) },
		FingerprintKey: []byte("the same in every replica, 32 byt"), Now: r.now, Log: silent,
	})
	r.links = link.New(link.Config{
		Sessions: shelf{r}, Apps: shelf{r}, Connections: shelf{r}, Revocations: shelf{r}, Attempts: shelf{r}, Checks: shelf{r},
		Sealer: guarded, Connector: w.connector, Providers: []string{bankID}, Check: guarded.Check,
		Client: func(*latchkey.LinkSession) *http.Client { return r.client() },
		Revoke: guarded.Revoke, Export: guarded.Export, LinkURL: "https://latchkey.example",
		Budgets: link.Budgets{Account: []latchkey.Budget{}, Code: []latchkey.Budget{}, Address: []latchkey.Budget{}},
		Now:     r.now, Random: r.random("link"), Log: silent,
	})
	r.auth = auth.New(auth.Config{Store: shelf{r}, Now: r.now})
	r.router = web.New(web.Config{Authenticate: r.auth.Caller, Now: r.now, Random: r.random("web"), Log: silent})
	proxy.Register(r.router, proxy.Config{
		Vault: guarded, Now: r.now, Log: silent,
		// No call of the bank's lasts long enough to be cut.
		Streams:   proxy.NewStreams(func(_ context.Context, ids []string) ([]string, error) { return ids, nil }),
		Transport: func(latchkey.Connection) http.RoundTripper { return wire{r} },
	})
	r.startLoops(guarded)
	w.mu.Lock()
	defer w.mu.Unlock()
	place.running = r
	w.ever = append(w.ever, r)
	return r
}

// startLoops starts what nobody waits for.
func (r *replica) startLoops(guarded *vault.Vault) {
	r.deliveries = webhook.New(webhook.Config{
		Store: shelf{r}, Client: r.client(), Now: r.now, Random: r.random("webhook"), Log: silent,
		OpenSecret: func(_ context.Context, endpoint latchkey.WebhookEndpoint) ([]latchkey.Secret, error) {
			secret, err := guarded.OpenEndpointSecret(endpoint)
			return []latchkey.Secret{secret}, err
		},
	}).Loop(deliveriesAtOnce)
	r.loops = []loop{
		r.deliveries,
		jobs.New(jobs.Config[latchkey.Revocation]{
			Name: "revocation", Claim: r.links.ClaimRevocations, Run: r.links.Revoke, Concurrency: revocationsAtOnce,
			Poll: revocationsEvery, Now: r.now, Random: r.random("revocation"),
		}),
		jobs.New(jobs.Config[latchkey.DueCheck]{
			Name: "connection check", Claim: r.links.ClaimChecks, Run: r.links.CheckConnection, Concurrency: checksAtOnce,
			Poll: checksEvery, Now: r.now, Random: r.random("check"),
		}),
		jobs.NewTicker(jobs.TickerConfig{
			Name: "session expiry", Every: expiryEvery, Now: r.now, Random: r.random("expiry"),
			Do: func(ctx context.Context) error {
				_, err := r.links.Sweep(ctx, expiryBatch)
				return err
			},
		}),
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.end = cancel
	for _, loop := range r.loops {
		loop.Start(ctx)
	}
}

// silent keeps the log of thousands of worlds to itself.
var silent = slog.New(slog.DiscardHandler)

// client is the replica's way out.
func (r *replica) client() *http.Client { return &http.Client{Transport: wire{r}} }

// now is the time by the replica's clock.
func (r *replica) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Add(r.places[r.number].skew)
}

// connector finds the one provider.
func (w *world) connector(id string) (connector.Connector, bool) {
	return bankConnector{}, id == bankID
}

// random is the randomness of one of the replica's rooms: its own, so that it
// does not hang on who is first of those that act at the same moment.
func (r *replica) random(room string) *random {
	return newRandom(r.dice.roll(r.name, "randomness of", room))
}
