//go:build !linux

package main

import (
	"fmt"
	"syscall"
)

// harden forbids core files.
func harden() error {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return fmt.Errorf("forbid core files: %w", err)
	}
	return nil
}
