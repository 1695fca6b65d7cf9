// Package webhook tells organisations what happened: it signs events, posts
// them to endpoints, and decides what follows from the answer.
//
//	event committed with its delivery rows ──Wake──▶ jobs.Loop
//	                                                   │ claim: endpoint by endpoint, as far as slots and pace
//	                                                   │        allow, the oldest of each subject, hidden for Lease
//	                                                   ▼
//	        sign ──▶ POST ──▶ 2xx, complete ───────▶ delivered          ─┐
//	                     ├──▶ 410 ─────────────────▶ endpoint disabled   ├─▶ Store.FinishDelivery
//	                     ├──▶ anything else, nothing ▶ again, at its time │      │
//	                     └──▶ the same, last attempt ▶ parked, kept      ─┘      └─▶ Wake: the next of the subject
//
// At least once, and in order per endpoint and subject: the store hands out an
// event only when the one before it is done with. A receiver tells duplicates
// by webhook-id.
package webhook

import (
	"cmp"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"latchkey"
	"latchkey/internal/jobs"
)

// Lease is how long a claimed delivery is hidden from other claimers: an
// attempt and the recording of its outcome take less than half of it.
const Lease = time.Minute

const (
	pollEvery     = time.Second // how late a retry may be noticed
	claimGap      = 5 * time.Millisecond
	finishTries   = 4
	finishTimeout = 3 * time.Second        // of one try
	finishPause   = 100 * time.Millisecond // before the second try; four times longer before each later one
)

// Store keeps what is to be delivered.
type Store interface {
	// DueEndpoints returns up to limit endpoints that something is due for at
	// now, in the order of their ids, after the one that is given.
	DueEndpoints(ctx context.Context, now time.Time, after string, limit int) ([]latchkey.DueEndpoint, error)

	// ClaimDeliveries takes what is due at now of the shares' endpoints, of each
	// subject only the oldest that is not done with, and hides it until the lease
	// is over. Each delivery carries a new fence.
	ClaimDeliveries(ctx context.Context, now time.Time, lease time.Duration, shares []latchkey.DeliveryShare,
	) ([]latchkey.Delivery, error)

	// FinishDelivery records how an attempt ended. It fails with
	// latchkey.Conflict when the fence is no longer the newest, and with
	// latchkey.NotFound when the delivery or its endpoint is gone.
	FinishDelivery(ctx context.Context, delivery latchkey.Delivery, outcome latchkey.DeliveryOutcome) error
}

// Config is what a Deliverer works with. Store, Client and OpenSecret are
// required.
type Config struct {
	Store Store

	// Client is the way out of the building, filtered. Whatever it says, no
	// redirect is followed and no cookie kept.
	Client *http.Client

	// OpenSecret returns the endpoint's secrets: one, or two during a rotation,
	// the newer first. They are zeroed after use.
	OpenSecret func(ctx context.Context, endpoint latchkey.WebhookEndpoint) ([]latchkey.Secret, error)

	Rate   int              // of an endpoint that has none of its own, in deliveries a second; zero: DefaultRate
	Now    func() time.Time // nil: time.Now
	Random io.Reader        // for the jitter, safe for concurrent use; nil: crypto/rand
	Log    *slog.Logger     // nil: nothing is logged
}

// Deliverer makes attempts at delivering.
type Deliverer struct {
	config   Config
	client   *http.Client
	schedule schedule
	slots    *slots
	wake     func()      // the loop, to claim
	held     atomic.Bool // the last claim left something that waits for an attempt to end
	last     string      // the endpoint that the last claim ended with
	crowded  bool        // more endpoints had something due than fit on a page
	again    *time.Timer // wakes the loop when an endpoint's rate has room again
}

// New returns a Deliverer. It panics when something required is missing.
func New(config Config) *Deliverer {
	if config.Store == nil || config.Client == nil || config.OpenSecret == nil {
		panic("webhook: a deliverer needs a Store, a Client and OpenSecret")
	}
	config.Rate = cmp.Or(config.Rate, DefaultRate)
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Random == nil {
		config.Random = rand.Reader
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	client := *config.Client
	client.Jar = nil
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Deliverer{config: config, client: &client, schedule: schedule{random: config.Random}}
}

// Loop returns the loop, not yet started, that claims deliveries and makes
// their attempts, at most concurrency at once. Wake it when events were
// committed, and when a finish has made the next of its subject due. A
// Deliverer has one loop.
func (d *Deliverer) Loop(concurrency int) *jobs.Loop[latchkey.Delivery] {
	loop := jobs.New(jobs.Config[latchkey.Delivery]{
		Name:        "webhook",
		Claim:       d.claim,
		Run:         d.run,
		Concurrency: concurrency,
		Poll:        pollEvery,
		Gap:         claimGap,
		Log:         d.config.Log,
		Now:         d.config.Now,
		Random:      d.config.Random,
	})
	d.slots, d.wake = newSlots(concurrency), loop.Wake
	return loop
}

// Deliver makes one attempt and records its outcome, the latter also when ctx
// ends meanwhile; it reports whether there was an answer. It takes 24 seconds
// at the very worst. An outcome that can't be recorded is logged; the delivery
// comes again when its lease is over.
func (d *Deliverer) Deliver(ctx context.Context, delivery latchkey.Delivery) (answered bool) {
	outcome := d.attempt(ctx, delivery)
	d.logOutcome(ctx, delivery, outcome)
	d.finish(context.WithoutCancel(ctx), delivery, outcome)
	return outcome.Status != 0
}

// finish records the outcome, a few times if it must. A lost fence or a
// deleted endpoint is not an error: somebody else knows better.
func (d *Deliverer) finish(ctx context.Context, delivery latchkey.Delivery, outcome latchkey.DeliveryOutcome) {
	pause := finishPause
	for try := 1; ; try++ {
		err := d.finishOnce(ctx, delivery, outcome)
		code := latchkey.CodeOf(err)
		switch {
		case err == nil:
			return
		case code == latchkey.Conflict || code == latchkey.NotFound:
			d.logger(delivery).InfoContext(ctx, "webhook outcome came too late", "error", err)
			return
		case try == finishTries:
			d.logger(delivery).ErrorContext(ctx, "webhook outcome not recorded", "tries", try, "error", err)
			return
		}
		time.Sleep(pause) // survives shutdown on purpose; 2.1 s in all
		pause *= 4
	}
}

func (d *Deliverer) finishOnce(ctx context.Context, delivery latchkey.Delivery, outcome latchkey.DeliveryOutcome) error {
	ctx, cancel := context.WithTimeout(ctx, finishTimeout)
	defer cancel()
	return d.config.Store.FinishDelivery(ctx, delivery, outcome)
}

// logOutcome tells what operators want to see: failures, and above all an
// endpoint that is not sent to any more.
func (d *Deliverer) logOutcome(ctx context.Context, delivery latchkey.Delivery, outcome latchkey.DeliveryOutcome) {
	if outcome.Delivered && !d.config.Log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	log := d.logger(delivery).With("status", outcome.Status)
	switch {
	case outcome.Delivered:
		log.DebugContext(ctx, "webhook delivered")
	case outcome.Disable:
		log.WarnContext(ctx, "webhook endpoint is gone and gets disabled")
	case outcome.RetryAt.IsZero():
		log.WarnContext(ctx, "webhook failed for the last time and gets parked")
	default:
		log.InfoContext(ctx, "webhook failed", "retryAt", outcome.RetryAt)
	}
}

// logger names the delivery in every line. The URL stays out of the log: it may
// carry a token.
func (d *Deliverer) logger(delivery latchkey.Delivery) *slog.Logger {
	return d.config.Log.With("endpoint", delivery.Endpoint.ID, "event", delivery.EventID, "attempt", delivery.Attempt)
}
