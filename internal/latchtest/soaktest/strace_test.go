package soaktest

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fault is a tracer that makes system calls of a running process fail.
type fault struct {
	trace  string
	tracer *exec.Cmd
}

// inject lets strace attach to the server and make calls fail, as in
// "fsync,fdatasync:error=EIO". It returns when every thread is traced.
func (s *server) inject(t testing.TB, calls, how string) *fault {
	t.Helper()
	f := &fault{trace: filepath.Join(t.TempDir(), "trace")}
	f.tracer = exec.Command("strace", "-f", "-ttt", "-o", f.trace, "-e", "signal=none",
		"-e", "trace="+calls, "-e", "inject="+calls+":"+how, "-p", strconv.Itoa(s.process.Process.Pid))
	told, err := f.tracer.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.tracer.Start(); err != nil {
		t.Fatalf("strace: %v: make deps", err)
	}
	attached := make(chan error, 1)
	go func() {
		lines := bufio.NewReader(told)
		line, err := lines.ReadString('\n')
		if err == nil && !strings.Contains(line, "attached") {
			err = os.NewSyscallError(line, syscall.EPERM)
		}
		attached <- err
		_, _ = lines.WriteTo(new(bytes.Buffer)) // until it ends
	}()
	t.Cleanup(f.end)
	select {
	case err := <-attached:
		if err != nil {
			t.Fatalf("strace did not attach: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("strace did not attach")
	}
	return f
}

// end lets go of the process, whose calls work again.
func (f *fault) end() {
	if f.tracer == nil {
		return
	}
	_ = f.tracer.Process.Signal(syscall.SIGINT)
	_ = f.tracer.Wait()
	f.tracer = nil
}

// first returns when the first call was made to fail.
func (f *fault) first(t testing.TB) (time.Time, bool) {
	t.Helper()
	text, err := os.ReadFile(f.trace)
	if err != nil {
		t.Fatal(err)
	}
	var first time.Time
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if !strings.Contains(line, "(INJECTED)") || len(fields) < 2 {
			continue
		}
		seconds, err := strconv.ParseFloat(fields[1], 64)
		if err != nil {
			t.Fatalf("trace: %q: %v", line, err)
		}
		if at := time.UnixMicro(int64(seconds * 1e6)); first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first, !first.IsZero()
}
