package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience bounds every wait for the server: to start, to stop, to vanish.
const patience = 30 * time.Second

// Mode is how a server is asked to stop.
type Mode syscall.Signal

// The modes of PostgreSQL's own shutdown.
const (
	Smart     = Mode(syscall.SIGTERM) // waits for every client to leave
	Fast      = Mode(syscall.SIGINT)  // rolls back what is open, then a checkpoint
	Immediate = Mode(syscall.SIGQUIT) // no checkpoint: the next start recovers
)

// Server is a PostgreSQL of the test's own.
type Server struct {
	binaries string
	folder   string // holds data/, log and the socket
	owner    *syscall.Credential
	settings []string
	model    *Server       // whose standby it is; nil: it is a cluster of its own
	postgres *exec.Cmd     // nil while stopped
	exited   chan struct{} // closed when postgres is gone
	janitor  *exec.Cmd
	lifeline io.Closer // the janitor acts when it closes
}

// Start makes a cluster, starts it and stops it at the test's cleanup. The
// settings are "name=value" lines of postgresql.conf. Failure is fatal.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	server, err := newServer(nil, settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// URL returns where the database of that name is; "postgres" always exists.
func (s *Server) URL(database string) string {
	query := url.Values{"host": {s.folder}, "user": {"postgres"}, "sslmode": {"disable"}}
	return (&url.URL{Scheme: "postgres", Path: "/" + database, RawQuery: query.Encode()}).String()
}

// Stop ends the server in the given mode and returns when it is gone.
func (s *Server) Stop(mode Mode) error {
	if s.postgres == nil {
		return nil
	}
	if err := s.postgres.Process.Signal(syscall.Signal(mode)); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	select {
	case <-s.exited:
		s.postgres = nil
		return nil
	case <-time.After(patience):
		return fmt.Errorf("PostgreSQL did not stop in %s", patience)
	}
}

// Kill ends the server and all its backends by SIGKILL, as a crash does, and
// returns when they are gone.
func (s *Server) Kill() error {
	if s.postgres == nil {
		return nil
	}
	backends, err := children(s.postgres.Process.Pid)
	if err != nil {
		return err
	}
	if err := s.postgres.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill PostgreSQL: %w", err)
	}
	<-s.exited
	s.postgres = nil
	return killAll(backends)
}

// Restart starts a server that was stopped or killed, or stops a running one
// first, and returns when it answers.
func (s *Server) Restart() error {
	if err := s.Stop(Fast); err != nil {
		return err
	}
	return s.start()
}

// newServer makes the cluster, or the standby of a model, and starts it.
func newServer(model *Server, settings []string) (*Server, error) {
	folder, err := os.MkdirTemp("/tmp", "pgtest") // short: a socket's path ends at 107 bytes
	if err != nil {
		return nil, fmt.Errorf("folder of PostgreSQL: %w", err)
	}
	s := &Server{folder: folder, settings: settings, model: model}
	if err := s.create(); err != nil {
		return nil, errors.Join(err, s.close(), os.RemoveAll(folder))
	}
	return s, nil
}

func (s *Server) create() (err error) {
	if s.binaries, err = binaries(); err != nil {
		return err
	}
	if s.owner, err = owner(); err != nil {
		return err
	}
	if s.owner != nil {
		if err := os.Chown(s.folder, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
			return fmt.Errorf("hand the folder of PostgreSQL over: %w", err)
		}
	}
	if err := s.watch(); err != nil {
		return err
	}
	if err := s.fill(); err != nil {
		return err
	}
	return s.start()
}

// fill makes the data: a new cluster, or a copy of the model's.
func (s *Server) fill() error {
	// Only the cluster's making is unsynced: initdb is no fact under test.
	making := s.command("initdb", "--no-sync", "--auth=trust", "--username=postgres",
		"--encoding=UTF8", "--locale=C", "--pgdata="+s.data())
	if s.model != nil {
		making = s.command("pg_basebackup", "--no-sync", "--host="+s.model.folder, "--username=postgres",
			"--pgdata="+s.data(), "--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream")
	}
	if output, err := making.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(making.Path), err, output)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// command prepares one of PostgreSQL's programs, run by the owner in a process
// group of its own, so that an interrupted terminal leaves it to the janitor.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.binaries, name), args...)
	cmd.Dir = s.folder
	cmd.Env = []string{"PATH=" + s.binaries + ":/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner, Setpgid: true}
	return cmd
}

// start runs the server and returns when it answers.
func (s *Server) start() error {
	log, err := os.OpenFile(filepath.Join(s.folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("log of PostgreSQL: %w", err)
	}
	defer func() { _ = log.Close() }()
	args := []string{"-D", s.data(), "-k", s.folder, "-c", "listen_addresses=", "-c", "max_connections=200"}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	s.postgres = s.command("postgres", args...)
	s.postgres.Stdout, s.postgres.Stderr = log, log
	if err := s.postgres.Start(); err != nil {
		s.postgres = nil
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	exited := make(chan struct{})
	s.exited = exited
	go func(postgres *exec.Cmd) {
		_ = postgres.Wait() // how it ended is in its log
		close(exited)
	}(s.postgres)
	return s.awaitAnswer()
}

// awaitAnswer tries to connect until it works, the server dies or patience
// ends.
func (s *Server) awaitAnswer() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for {
		connection, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return connection.Close(ctx)
		}
		select {
		case <-s.exited:
			s.postgres = nil
			return fmt.Errorf("PostgreSQL ended at its start: %s", s.logTail())
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not answer: %w: %s", err, s.logTail())
		case <-retry.C:
		}
	}
}

// logTail returns the end of the server's log, for a failure.
func (s *Server) logTail() []byte {
	log, err := os.ReadFile(filepath.Join(s.folder, "log"))
	if err != nil {
		return nil
	}
	return bytes.TrimSpace(log[max(0, len(log)-2000):])
}

// close stops the server and waits until the janitor has removed its folder.
func (s *Server) close() error {
	err := s.Stop(Immediate)
	if s.janitor != nil {
		err = errors.Join(err, s.lifeline.Close(), s.janitor.Wait())
		s.janitor = nil
	}
	return err
}
