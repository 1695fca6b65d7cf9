package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// listenQuiet is how long a connection may be silent before it is asked
	// whether it still is one: a way that swallows everything looks like peace.
	listenQuiet   = 5 * time.Second
	listenTime    = 5 * time.Second // to connect, and to answer that question
	firstRelisten = 50 * time.Millisecond
	lastRelisten  = 5 * time.Second
)

// listener hears what other processes have changed, on a connection of its own.
type listener struct {
	config  *pgx.ConnConfig
	log     *slog.Logger
	process string // whose messages are its own
	heard   func(Change)
	woken   func()
	end     context.CancelFunc
	working sync.WaitGroup
}

func (l *listener) start() {
	ctx, cancel := context.WithCancel(context.Background())
	l.end = cancel
	l.working.Go(func() { l.loop(ctx) })
}

func (l *listener) close() {
	l.end()
	l.working.Wait()
}

// loop listens until ctx ends. Between two tries to connect it waits longer
// each time, and not as long as the other replicas.
func (l *listener) loop(ctx context.Context) {
	for pause := firstRelisten; ; pause = min(2*pause, lastRelisten) {
		listened, err := l.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		if listened {
			pause = firstRelisten
		}
		l.log.WarnContext(ctx, "changes of other replicas are not heard of", slog.String("cause", err.Error()))
		if !sleep(ctx, scattered(pause)) {
			return
		}
	}
}

// scattered returns between half and one and a half of the pause.
func scattered(pause time.Duration) time.Duration {
	var random [1]byte
	_, _ = rand.Read(random[:]) // never fails
	return pause/2 + pause*time.Duration(random[0])/256
}

// listen connects and hears until the connection ends, and reports whether
// there was one. What was said before is not heard: then anything may have
// changed.
func (l *listener) listen(ctx context.Context) (listened bool, err error) {
	connecting, cancel := context.WithTimeout(ctx, listenTime)
	defer cancel()
	conn, err := pgx.ConnectConfig(connecting, l.config)
	if err != nil {
		return false, fmt.Errorf("connect to listen: %w", err)
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if _, err := conn.Exec(connecting, "LISTEN "+channel); err != nil {
		return false, fmt.Errorf("listen: %w", err)
	}
	l.heard(Change{Kind: ChangedAnything})
	l.woken()
	for {
		if err := l.next(ctx, conn); err != nil {
			return true, err
		}
	}
}

// next hears one message, or finds out that the connection still stands.
func (l *listener) next(ctx context.Context, conn *pgx.Conn) error {
	waiting, cancel := context.WithTimeout(ctx, listenQuiet)
	defer cancel()
	notification, err := conn.WaitForNotification(waiting)
	if err == nil {
		l.hear(notification.Payload)
		return nil
	}
	if waiting.Err() == nil || ctx.Err() != nil || conn.IsClosed() {
		return fmt.Errorf("wait for a notification: %w", err)
	}
	asking, cancelAsking := context.WithTimeout(ctx, listenTime)
	defer cancelAsking()
	if err := conn.Ping(asking); err != nil {
		return fmt.Errorf("ask whether the connection stands: %w", err)
	}
	return nil
}

// hear acts on a message: the process that sent it, the kind, the organisation.
// Anybody who may connect can send one; it can only make forget.
func (l *listener) hear(payload string) {
	process, message, _ := strings.Cut(payload, " ")
	if process == l.process {
		return
	}
	if message == woken {
		l.woken()
		return
	}
	kind, organisation, _ := strings.Cut(message, " ")
	l.heard(Change{Kind: ChangeKind(kind), OrganisationID: organisation})
}

// replicas is the messenger of a process that has others beside it.
type replicas struct {
	*notifier
	listener *listener
}

func (r *replicas) close() {
	r.listener.close()
	r.notifier.close()
}

// startReplicas begins to listen and to tell.
func (e *postgresEngine) startReplicas(config Config, log *slog.Logger) *replicas {
	n := startNotifier(e.db, log)
	r := &replicas{notifier: n, listener: &listener{
		config: e.direct, log: log, process: n.process, heard: config.Changed, woken: config.Woken,
	}}
	r.listener.start()
	return r
}
