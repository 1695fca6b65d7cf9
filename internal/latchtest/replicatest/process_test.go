package replicatest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"latchkey/internal/app"
)

// What the test process tells a replica's process, by the environment.
const (
	envAddress  = "REPLICATEST_ADDRESS" // where to serve; set: be a replica and no test
	envData     = "REPLICATEST_DATA"
	envDatabase = "REPLICATEST_DATABASE"
)

func TestMain(m *testing.M) {
	if os.Getenv(envAddress) == "" {
		os.Exit(m.Run())
	}
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve is a replica until SIGTERM, as `latchkey serve` is one.
func serve() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	address := os.Getenv(envAddress)
	listener, err := app.Listen(ctx, address)
	if err != nil {
		return err
	}
	latch, err := app.New(ctx, app.Config{
		APIURL: "http://" + address, Data: os.Getenv(envData), DatabaseURL: os.Getenv(envDatabase), Development: true,
		Limits: app.Limits{AttemptsPerAddress: -1, MissesPerAddress: -1},
	}, app.Parts{Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		return err
	}
	trial, err := latch.Trial(ctx)
	if err != nil {
		return err
	}
	return latch.Serve(ctx, listener, func() { fmt.Println(trial.APIKey) })
}

// process is a replica in a process of its own.
type process struct {
	testing.TB
	address, data, database string
	key                     string
	command                 *exec.Cmd
	output                  io.Closer
}

func newProcess(t testing.TB, data, database string) *process {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := listener.Addr().String()
	must(t, listener.Close())
	p := &process{TB: t, address: address, data: data, database: database}
	t.Cleanup(func() { p.end(syscall.SIGKILL) })
	return p
}

func (p *process) url() string { return "http://" + p.address }

// start runs the replica and waits until it answers.
func (p *process) start() {
	p.Helper()
	self, err := os.Executable()
	must(p, err)
	p.command = exec.Command(self)
	p.command.Env = append(os.Environ(), envAddress+"="+p.address, envData+"="+p.data, envDatabase+"="+p.database)
	p.command.Stderr = os.Stderr
	output, err := p.command.StdoutPipe()
	must(p, err)
	must(p, p.command.Start())
	p.output = output
	key, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		p.Fatalf("the replica does not start: %v", err)
	}
	p.key = key[:len(key)-1]
	deadline := time.Now().Add(20 * time.Second)
	for !p.ready() {
		if time.Now().After(deadline) {
			p.Fatal("the replica never became ready")
		}
	}
}

func (p *process) ready() bool {
	response, err := http.Get(p.url() + "/readyz")
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// end sends the signal and returns how long the replica took to end.
func (p *process) end(how syscall.Signal) time.Duration {
	if p.command == nil {
		return 0
	}
	began := time.Now()
	_ = p.command.Process.Signal(how)
	_ = p.command.Process.Signal(syscall.SIGCONT) // one that was stopped would not
	err := p.command.Wait()
	if how == syscall.SIGTERM && err != nil {
		p.Errorf("a replica that was to drain ended with %v", err)
	}
	p.command = nil
	return time.Since(began)
}
