package conformancetest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// The two binaries, built once as they are shipped.
var latchkey, conformance string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	folder, err := os.MkdirTemp("", "latchkey-conformance-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	latchkey, conformance = filepath.Join(folder, "latchkey"), filepath.Join(folder, "conformance")
	for binary, source := range map[string]string{latchkey: "../../../cmd/latchkey", conformance: "../../../conformance"} {
		build := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", binary, source)
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
		if output, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", source, err, output)
			return 1
		}
	}
	return m.Run()
}

// server is a running latchkey dev.
type server struct {
	APIURL string `json:"apiUrl"`
	APIKey string `json:"apiKey"`
}

// startup is how long a server may take to get ready, or to end.
const startup = 30 * time.Second

// start starts latchkey dev on a free port and ends it with the test.
func start(t *testing.T, args ...string) server {
	t.Helper()
	args = append([]string{"dev", "--json", "--listen", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "data")}, args...)
	command := exec.Command(latchkey, args...)
	var log bytes.Buffer
	command.Stderr = &log
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		giveUp := time.AfterFunc(startup, func() { _ = command.Process.Kill() })
		defer giveUp.Stop()
		_ = command.Process.Signal(syscall.SIGTERM)
		if err := command.Wait(); err != nil {
			t.Errorf("the server ended with %v: %s", err, tail(log.Bytes()))
		}
	})
	giveUp := time.AfterFunc(startup, func() { _ = command.Process.Kill() })
	defer giveUp.Stop()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var ready server
	if err == nil {
		err = json.Unmarshal(line, &ready)
	}
	if err != nil {
		t.Fatalf("the server did not get ready: %v", err)
	}
	return ready
}

// tail returns the end of a log.
func tail(log []byte) []byte { return bytes.TrimSpace(log[max(0, len(log)-2000):]) }

// row is a row of the suite's report.
type row struct {
	ID        string  `json:"id"`
	Statement string  `json:"statement"`
	Outcome   string  `json:"outcome"`
	Seen      string  `json:"seen"`
	Seconds   float64 `json:"seconds"`
}

// report is what the suite printed.
type report struct {
	Rows   []row `json:"rows"`
	Passed int   `json:"passed"`
	Failed int   `json:"failed"`
	status int   // of the process
}

// outcome returns how a row ended, "" when it was not there.
func (r report) outcome(id string) string {
	if at := slices.IndexFunc(r.Rows, func(row row) bool { return row.ID == id }); at >= 0 {
		return r.Rows[at].Outcome
	}
	return ""
}

// check runs the suite against a server.
func check(t *testing.T, url, key string, args ...string) report {
	t.Helper()
	command := exec.CommandContext(t.Context(), conformance, append([]string{"--json", "--url", url, "--key", key}, args...)...)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || failed.ExitCode() != 1) {
		t.Fatalf("the suite ended with %v: %s", err, complaints.Bytes())
	}
	told := report{status: command.ProcessState.ExitCode()}
	if err := json.Unmarshal(out, &told); err != nil {
		t.Fatalf("the suite printed no report: %v", err)
	}
	if wanted := min(told.Failed, 1); told.status != wanted {
		t.Errorf("with %d failed rows the suite ended with status %d, want %d", told.Failed, told.status, wanted)
	}
	return told
}
