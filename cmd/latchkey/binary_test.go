package main

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// What the binary may cost.
const (
	mostMegabytes = 30
	mostStart     = 300 * time.Millisecond
	starts        = 20 // at most, until one is quick enough
)

func TestTheBinary(t *testing.T) {
	t.Run("is static: it needs no interpreter and no library", func(t *testing.T) {
		file, err := elf.Open(built)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = file.Close() }()
		for _, program := range file.Progs {
			if program.Type == elf.PT_INTERP || program.Type == elf.PT_DYNAMIC {
				t.Errorf("it has a program header %s", program.Type)
			}
		}
	})
	t.Run("is small", func(t *testing.T) {
		info, err := os.Stat(built)
		if err != nil {
			t.Fatal(err)
		}
		megabytes := float64(info.Size()) / 1e6
		fmt.Printf("RESULT binary_mb %.1f %d\n", megabytes, mostMegabytes)
		if megabytes >= mostMegabytes {
			t.Errorf("it has %.1f MB, must have less than %d", megabytes, mostMegabytes)
		}
	})
	t.Run("is ready soon after its start", func(t *testing.T) {
		best := time.Hour // what else the machine does only adds
		for i := 0; i < starts && best >= mostStart; i++ {
			folder := filepath.Join(t.TempDir(), strconv.Itoa(i))
			began := time.Now()
			s := startDev(t, folder)
			best = min(best, time.Since(began))
			if err := s.stop(); err != nil {
				t.Fatal(err)
			}
		}
		fmt.Printf("RESULT start_ms %d %d\n", best.Milliseconds(), mostStart.Milliseconds())
		if best >= mostStart {
			t.Errorf("the best of %d starts took %v, must take less than %v", starts, best, mostStart)
		}
	})
}
