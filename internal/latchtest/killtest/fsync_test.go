package killtest

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// A kill can't tell what only the page cache has from what is on disk, so the
// fsyncs are counted.
func TestEveryAnswerHasItsFsyncAndManyShareOne(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("no strace in PATH: make deps")
	}
	const one, together = 40, 640
	trace := filepath.Join(t.TempDir(), "trace")
	s := newServer(t, "")
	s.wrapper = []string{"strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", trace}
	s.start()
	initOne := func() {
		status, _, body, err := s.send(t.Context(), "POST", s.url+"/v2/link/init", "application/json", "{}")
		if err != nil || status != http.StatusOK {
			t.Errorf("init: %d %s %v", status, body, err)
		}
	}
	initOne()
	before := fsyncs(t, trace)
	for range one {
		initOne()
	}
	alone := fsyncs(t, trace) - before
	fmt.Printf("RESULT D-2.fsyncs_per_sequential_init %.2f 1\n", float64(alone)/one)
	if alone < one {
		t.Errorf("%d fsyncs for %d answers that waited for each other", alone, one)
	}
	before = fsyncs(t, trace)
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			for range together / 64 {
				initOne()
			}
		})
	}
	group.Wait()
	shared := fsyncs(t, trace) - before
	fmt.Printf("RESULT D-2.fsyncs_per_concurrent_init %.2f 0.5\n", float64(shared)/together)
	if shared == 0 || shared > together/2 {
		t.Errorf("%d fsyncs for %d answers at once", shared, together)
	}
}

// fsyncs counts the finished or begun fsyncs of a trace.
func fsyncs(t *testing.T, trace string) int {
	t.Helper()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(text, []byte("sync("))
}
