package pgtest

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// janitorScript blocks until the test process is gone, stops what still runs
// from the folder ($0) and removes it. It waits five seconds at most, since a
// dead server may linger as a zombie where nobody reaps.
const janitorScript = `
cat >/dev/null
if pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null); then
	kill -QUIT "$pid" 2>/dev/null
	n=0
	while kill -0 "$pid" 2>/dev/null && [ $n -lt 100 ]; do sleep 0.05; n=$((n + 1)); done
fi
cd /
rm -rf "$0"
`

// watch starts the janitor of the server's folder.
func (s *Server) watch() error {
	janitor := s.command("sh", "-c", janitorScript, s.folder)
	janitor.Path = "/bin/sh"
	lifeline, err := janitor.StdinPipe()
	if err != nil {
		return fmt.Errorf("pipe to the janitor of PostgreSQL: %w", err)
	}
	if err := janitor.Start(); err != nil {
		return fmt.Errorf("start the janitor of PostgreSQL: %w", err)
	}
	s.janitor, s.lifeline = janitor, lifeline
	return nil
}

// children returns the direct children of a process, as Linux tells them in
// proc_pid_task(5).
func children(pid int) ([]int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil, fmt.Errorf("children of process %d: %w", pid, err)
	}
	var pids []int
	for field := range strings.FieldsSeq(string(text)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("children of process %d: %w", pid, err)
		}
		pids = append(pids, child)
	}
	return pids, nil
}

// killAll ends the processes by SIGKILL and returns when none of them runs.
// Backends that outlive their server would keep its shared memory, and with
// that the next start, busy.
func killAll(pids []int) error {
	deadline := time.After(patience)
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	for _, pid := range pids {
		for running(pid) {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("kill backend %d of PostgreSQL: %w", pid, err)
			}
			select {
			case <-retry.C:
			case <-deadline:
				return fmt.Errorf("backend %d of PostgreSQL survives", pid)
			}
		}
	}
	return nil
}

// running reports whether the process exists and is not a zombie, whose
// memory is already released. The state is the field after the name in
// parentheses, proc_pid_stat(5).
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}
