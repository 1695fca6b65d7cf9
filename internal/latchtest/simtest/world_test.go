package simtest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"latchkey"
)

// world is what one seed happens in.
type world struct {
	database      *database
	scenario      scenario
	bug           bug
	remembers     bool // keep the history
	dice          *dice
	began         time.Time
	bank          *bank
	sink          *sink
	journal       *journal
	queue         *agenda // of deliveries
	promises      *agenda // of revocations
	unwritten     unwritten
	loss          atomic.Int64 // of the network, in thousandths
	organisations [organisations]*organisation

	mu        sync.Mutex // guards what follows
	places    [replicas]*place
	ever      []*replica // every replica that was started
	owners    map[string]string
	violation *violation
	history   []string
	over      bool // what happens now is not history any more
}

// play lets a scenario happen and returns the world as it then is.
func play(t *testing.T, database *database, scenario scenario, planted bug) *world {
	t.Helper()
	w := &world{database: database, scenario: scenario, bug: planted, owners: map[string]string{}}
	w.play(t)
	return w
}

// play lets the scenario happen in a bubble of its own.
func (w *world) play(t *testing.T) {
	t.Helper()
	defer func() {
		if cause := recover(); cause != nil { // of the bubble: everybody waits for nobody
			w.violation = &violation{comesToRest, 0, fmt.Sprint(cause)}
		}
	}()
	w.database.clear(t)
	synctest.Test(t, func(t *testing.T) { w.run(t) })
}

// run is the life of the world.
func (w *world) run(t *testing.T) {
	w.began, w.dice = time.Now(), newDice(w.scenario.Noise)
	w.bank, w.sink, w.journal = newBank(w), newSink(w), newJournal(w)
	w.queue = &agenda{world: w, changed: true, query: `SELECT COALESCE(MIN(due_at), 9223372036854775807) FROM delivery_heads`}
	w.promises = &agenda{world: w, changed: true, query: `SELECT COALESCE(MIN(due_at), 9223372036854775807) FROM revocations`}
	w.loss.Store(int64(w.scenario.Loss))
	for i := range w.organisations {
		w.organisations[i] = w.found(t, i)
	}
	for i := range w.places {
		w.places[i] = &place{number: i, skew: w.scenario.Skews[i]}
		w.start(w.places[i])
	}
	var doing sync.WaitGroup
	for i, act := range w.scenario.Acts {
		doing.Go(func() {
			name := fmt.Sprint("act ", i)
			time.Sleep(act.At + between(w.dice.roll(name), 0, time.Millisecond))
			w.perform(acting(context.Background(), name), act, name)
		})
	}
	doing.Wait()
	w.heal()
	w.settle()
	w.judgeEnd()
	w.stop(t)
}

// perform does an act and returns when it is over.
func (w *world) perform(ctx context.Context, a act, name string) {
	switch a.Kind {
	case visit:
		w.visit(ctx, a, name)
	case calls:
		w.call(ctx, a, name)
	case disconnect, invalidate:
		w.end(ctx, a)
	case revokeKey:
		w.revokeSecondKey(ctx, a)
	default:
		w.trouble(a)
	}
}

// The patience with what must come to rest after all troubles are over.
const (
	settleEvery = 3 * time.Second
	settleMost  = 15 * time.Minute
)

// settle waits until nothing is left to be delivered or ended.
func (w *world) settle() {
	for begun := time.Now(); ; time.Sleep(settleEvery) {
		var left int
		var err error
		w.database.do(func() {
			err = w.database.empty.QueryRowContext(context.Background(),
				`SELECT (SELECT COUNT(*) FROM delivery_heads) + (SELECT COUNT(*) FROM revocations)`).Scan(&left)
		})
		if err == nil && left == 0 {
			return
		}
		if time.Since(begun) > settleMost {
			w.violated(acksLast, "%d deliveries and revocations are left for good (%v)", left, err)
			return
		}
	}
}

// stop ends every replica that ever was, so that the world can end.
func (w *world) stop(t *testing.T) {
	w.mu.Lock()
	ever := w.ever
	w.over = true
	w.mu.Unlock()
	for _, r := range ever {
		r.end()
		for _, loop := range r.loops {
			if err := loop.Stop(context.Background()); err != nil {
				t.Errorf("stop %s: %v", r.name, err)
			}
		}
	}
}

// pass lets time of the world pass.
func pass(wait time.Duration) { time.Sleep(wait) }

// reach returns a running replica: the one of the place, or the next; nil when
// all are down.
func (w *world) reach(number int) *replica {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range replicas {
		if running := w.places[(number+i)%replicas].running; running != nil {
			return running
		}
	}
	return nil
}

// ownerOf returns the organisation of a session whose init has been seen.
func (w *world) ownerOf(session string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.owners[session]
}

// organisationOf returns an organisation by its id.
func (w *world) organisationOf(id string) *organisation {
	for _, organisation := range w.organisations {
		if organisation.id == id {
			return organisation
		}
	}
	return nil
}

// organisationAt returns the organisation whose events go to a URL.
func (w *world) organisationAt(url string) *organisation {
	for _, organisation := range w.organisations {
		if organisation.url() == url {
			return organisation
		}
	}
	return nil
}

// noted adds to the history what has happened now.
func (w *world) noted(what ...any) {
	if !w.remembers {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		w.history = append(w.history, fmt.Sprint(append([]any{time.Since(w.began), " "}, what...)...))
	}
}

// environment is where everything happens.
const environment = latchkey.Sandbox
