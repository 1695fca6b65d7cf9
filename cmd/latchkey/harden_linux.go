package main

import (
	"fmt"
	"syscall"
)

// prSetDumpable is PR_SET_DUMPABLE of prctl(2).
const prSetDumpable = 4

// harden keeps the process's memory to itself: it leaves no core file, and
// neither a debugger nor another process of the same user reads its memory
// (prctl(2), PR_SET_DUMPABLE; core(5)). Root still can.
func harden() error {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return fmt.Errorf("forbid core files: %w", err)
	}
	if _, _, code := syscall.Syscall6(syscall.SYS_PRCTL, prSetDumpable, 0, 0, 0, 0, 0); code != 0 {
		return fmt.Errorf("keep the memory from other processes: %w", code)
	}
	return nil
}
