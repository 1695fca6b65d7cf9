package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// channel is where replicas tell each other what has changed.
const channel = "latchkey"

const (
	// notifyPause is how long word is gathered before it is sent. A NOTIFY takes
	// a lock that all of them wait for (PostgreSQL's source, async.c), so it is
	// sent beside the facts, and many in one transaction.
	notifyPause = 20 * time.Millisecond
	wakePause   = 200 * time.Millisecond // between two wakes: each makes every replica look
	notifyTime  = 2 * time.Second        // for one sending
	maxPending  = 1000                   // changes; when there are more, anything may have changed
	woken       = "deliveries"           // the message that there may be something to deliver
)

// notifier sends what this process has changed to the others.
type notifier struct {
	db      *sql.DB
	log     *slog.Logger
	process string // by which this process knows its own messages
	mu      sync.Mutex
	pending map[string]bool
	wakened atomic.Int64  // when the others were last woken
	news    chan struct{} // holds one
	ending  context.Context
	end     context.CancelFunc
	working sync.WaitGroup
}

func startNotifier(db *sql.DB, log *slog.Logger) *notifier {
	n := &notifier{
		db: db, log: log, process: strings.ToLower(rand.Text()), pending: map[string]bool{}, news: make(chan struct{}, 1),
	}
	n.ending, n.end = context.WithCancel(context.Background())
	n.working.Go(n.loop)
	return n
}

func (n *notifier) tell(change Change) {
	n.add(string(change.Kind) + " " + change.OrganisationID)
}

// wake is let go when one was sent a moment ago: this process has been woken
// itself, and the others look once a second.
func (n *notifier) wake() {
	now := time.Now().UnixNano()
	last := n.wakened.Load()
	if now-last >= int64(wakePause) && n.wakened.CompareAndSwap(last, now) {
		n.add(woken)
	}
}

// add queues a message that is not waiting yet.
func (n *notifier) add(message string) {
	n.mu.Lock()
	if len(n.pending) >= maxPending {
		clear(n.pending)
		n.pending[string(ChangedAnything)], n.pending[woken] = true, true
	}
	n.pending[message] = true
	n.mu.Unlock()
	select {
	case n.news <- struct{}{}:
	default:
	}
}

func (n *notifier) loop() {
	for {
		select {
		case <-n.ending.Done():
			return
		case <-n.news:
		}
		n.send()
		if !sleep(n.ending, notifyPause) {
			return
		}
	}
}

// send sends what is waiting. What can't be sent is let go: the others find it
// by age.
func (n *notifier) send() {
	n.mu.Lock()
	messages := make([]string, 0, len(n.pending))
	for message := range n.pending {
		messages = append(messages, n.process+" "+message)
	}
	clear(n.pending)
	n.mu.Unlock()
	if len(messages) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(n.ending, notifyTime)
	defer cancel()
	_, err := n.db.ExecContext(ctx, `SELECT pg_notify($1, message) FROM unnest($2::text[]) AS message`, channel, messages)
	if err != nil {
		n.log.WarnContext(ctx, "other replicas were not told of changes", slog.String("cause", err.Error()))
	}
}

// close sends what is waiting and ends.
func (n *notifier) close() {
	n.send()
	n.end()
	n.working.Wait()
}
