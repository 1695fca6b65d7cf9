package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Bouncer is a PgBouncer before one server that has a socket. It lends a server connection for
// one transaction each.
type Bouncer struct{ *Server }

// bouncerPort is part of the name of its socket.
const bouncerPort = "6432"

// StartBouncer starts a PgBouncer before the server of the URL and stops it at the test's
// cleanup. Failure is fatal.
func StartBouncer(t testing.TB, address string) *Bouncer {
	t.Helper()
	bouncer, err := newBouncer(address)
	if bouncer != nil {
		t.Cleanup(func() {
			if err := bouncer.close(); err != nil {
				t.Error(err)
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return bouncer
}

// URL returns where the database of that name is behind the pooler.
func (b *Bouncer) URL(database string) string {
	query := url.Values{"host": {b.folder}, "port": {bouncerPort}, "user": {"postgres"}, "sslmode": {"disable"}}
	return (&url.URL{Scheme: "postgres", Path: "/" + database, RawQuery: query.Encode()}).String()
}

// newBouncer is laid out like a server, so that the janitor finds it: the id of
// its process is in data/postmaster.pid.
func newBouncer(address string) (*Bouncer, error) {
	before, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the address of the server is not a URL")
	}
	owner, err := owner()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("/tmp", "pgtest")
	if err != nil {
		return nil, fmt.Errorf("folder of PgBouncer: %w", err)
	}
	b := &Bouncer{&Server{folder: folder, binaries: "/usr/sbin", owner: owner}}
	if err := os.Mkdir(b.data(), 0o700); err != nil {
		return b, fmt.Errorf("folder of PgBouncer: %w", err)
	}
	text := strings.Join([]string{
		"[databases]", "* = host=" + before.Query().Get("host") + " user=postgres", "[pgbouncer]",
		"pool_mode = transaction", "auth_type = any", "unix_socket_dir = " + folder, "listen_port = " + bouncerPort,
		"logfile = " + filepath.Join(folder, "log"), "pidfile = " + filepath.Join(b.data(), "postmaster.pid"),
		"max_client_conn = 500", "default_pool_size = 16", "server_login_retry = 0.5", "",
	}, "\n")
	config := filepath.Join(folder, "pgbouncer.ini")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return b, fmt.Errorf("configuration of PgBouncer: %w", err)
	}
	if b.owner != nil {
		for _, path := range []string{folder, b.data(), config} {
			if err := os.Chown(path, int(b.owner.Uid), int(b.owner.Gid)); err != nil {
				return b, fmt.Errorf("hand the folder of PgBouncer over: %w", err)
			}
		}
	}
	if err := b.watch(); err != nil {
		return b, err
	}
	return b, b.run(config)
}

// run starts the process and returns when it takes connections.
func (b *Bouncer) run(config string) error {
	b.postgres = b.command("pgbouncer", "--quiet", config)
	if err := b.postgres.Start(); err != nil {
		b.postgres = nil
		return fmt.Errorf("start PgBouncer: %w: run `make deps`", err)
	}
	exited := make(chan struct{})
	b.exited = exited
	go func(process *exec.Cmd) {
		_ = process.Wait()
		close(exited)
	}(b.postgres)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for {
		// Its socket is in the folder a moment before it listens there.
		err := b.dial(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-b.exited:
			b.postgres = nil
			return fmt.Errorf("PgBouncer ended at its start: %s", b.logTail())
		case <-ctx.Done():
			return fmt.Errorf("PgBouncer does not answer: %w", errors.Join(err, ctx.Err()))
		case <-retry.C:
		}
	}
}

// dial makes sure that the server behind it is reached.
func (b *Bouncer) dial(ctx context.Context) error {
	config, err := pgx.ParseConfig(b.URL("postgres"))
	if err != nil {
		return fmt.Errorf("address of PgBouncer: %w", err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	connection, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connect through PgBouncer: %w: %s", err, b.logTail())
	}
	return connection.Close(ctx)
}
