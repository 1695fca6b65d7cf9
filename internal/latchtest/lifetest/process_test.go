package lifetest

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey/internal/app"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
)

// What the test process tells the app's process, by the environment.
const (
	envData     = "LIFETEST_DATA"     // folder of the database; set: be the app and no test
	envProvider = "LIFETEST_PROVIDER" // URL of the Rotator
	envClock    = "LIFETEST_CLOCK"    // how far the clock is ahead
)

// alwaysStale is the life of tokens that are renewed at every use.
const alwaysStale = time.Second

func TestMain(m *testing.M) {
	if os.Getenv(envData) == "" {
		os.Exit(m.Run())
	}
	if err := serve(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// ready is the line that the app's process prints when it answers.
type ready struct {
	URL string `json:"url"`
	Key string `json:"key"`
}

// serve is the app as `latchkey dev` runs it, with one more provider and a
// clock that may be ahead.
func serve(ctx context.Context) error {
	ahead, err := time.ParseDuration(os.Getenv(envClock))
	if err != nil {
		return err
	}
	listener, err := app.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String()
	latch, err := app.New(ctx, app.Config{APIURL: url, Data: os.Getenv(envData), Development: true}, app.Parts{
		Now:        func() time.Time { return time.Now().Add(ahead) },
		Connectors: []connector.Connector{latchtest.Rotating{At: os.Getenv(envProvider), Life: alwaysStale}},
	})
	if err != nil {
		return err
	}
	trial, err := latch.Trial(ctx)
	if err != nil {
		return err
	}
	line, err := json.Marshal(ready{URL: url, Key: trial.APIKey})
	if err != nil {
		return err
	}
	return latch.Serve(ctx, listener, func() { fmt.Printf("%s\n", line) })
}

// process is the app in a process of its own.
type process struct {
	testing.TB
	ready
	data     string
	provider *latchtest.Rotator
	ahead    time.Duration
	command  *exec.Cmd
	client   *http.Client
}

func newProcess(t *testing.T) *process {
	p := &process{TB: t, data: t.TempDir(), provider: latchtest.NewRotator(t), client: &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	t.Cleanup(p.kill)
	return p
}

// start runs the app and waits until it answers.
func (p *process) start() {
	p.Helper()
	self, err := os.Executable()
	if err != nil {
		p.Fatal(err)
	}
	p.command = exec.CommandContext(p.Context(), self)
	p.command.Env = append(os.Environ(), envData+"="+p.data, envProvider+"="+p.provider.URL, envClock+"="+p.ahead.String())
	p.command.Stderr = os.Stderr
	output, err := p.command.StdoutPipe()
	if err != nil {
		p.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		p.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadBytes('\n')
	if err != nil {
		p.Fatalf("the app does not start: %v", err)
	}
	if err := json.Unmarshal(line, &p.ready); err != nil {
		p.Fatalf("the app says %s", line)
	}
}

// kill ends the app as a power switch would.
func (p *process) kill() {
	if p.command == nil {
		return
	}
	_ = p.command.Process.Signal(syscall.SIGKILL)
	_ = p.command.Wait()
	p.command = nil
}
