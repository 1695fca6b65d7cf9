package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// clobberSetting has the runtime overwrite what the garbage collector frees
// (package runtime, GODEBUG). It is read only when a process starts.
const clobberSetting = "clobberfree=1"

// clobberFreed starts this program anew, as the same process, unless it was
// started with a setting of its own: what requests leave behind is then gone from
// memory as soon as it is freed, and not only when the place is used again.
func clobberFreed() error {
	environment, ready := clobbering(os.Environ())
	if ready {
		return nil
	}
	path, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program, to start it with GODEBUG=%s: %w", clobberSetting, err)
	}
	return fmt.Errorf("start this program with GODEBUG=%s: %w", clobberSetting, syscall.Exec(path, os.Args, environment))
}

// clobbering returns the environment with the setting, and whether one was in it.
func clobbering(environment []string) (with []string, ready bool) {
	setting := clobberSetting
	for _, variable := range environment {
		others, ours := strings.CutPrefix(variable, "GODEBUG=")
		switch {
		case !ours:
			with = append(with, variable)
		case strings.Contains(others, "clobberfree="):
			return environment, true
		case others != "":
			setting = others + "," + clobberSetting
		}
	}
	return append(with, "GODEBUG="+setting), false
}
