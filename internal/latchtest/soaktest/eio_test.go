package soaktest

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"latchkey/internal/latchtest/scaletest"
)

// The kernel may mark pages as clean when their fsync fails: the next fsync,
// which succeeds here, would acknowledge what is not on disk. A failed write has
// no such consequence. It may be one of a checkpoint, whose log still holds
// what is acknowledged beside it until the process ends.
func TestNothingIsAcknowledgedAfterTheDiskHasFailed(t *testing.T) {
	t.Parallel()
	for _, kind := range []struct {
		name, calls string
		rounds      int
	}{
		{"fsync", "fsync,fdatasync", scaletest.Of(20, 500)},
		{"write", "pwrite64", scaletest.Of(3, 50)},
	} {
		t.Run(kind.name, func(t *testing.T) {
			s := newServer(t, filepath.Join(t.TempDir(), "data"))
			a := &app{replicas: []*server{s}, ledger: newLedger()}
			late, lost, survived := 0, 0, 0
			for range kind.rounds {
				s.start()
				users := a.begin(t, 4, 20*time.Millisecond)
				a.await(t, 3)
				disk := s.inject(t, kind.calls, "error=EIO:when=1")
				status, err := s.wait(patience)
				if err != nil || status != 1 {
					survived++
					t.Errorf("it ended with %d, %v, want 1:\n%s", status, err, s.log)
				}
				users.end()
				disk.end()
				failed, ok := disk.first(t)
				if !ok {
					t.Fatalf("no call failed:\n%s", s.log)
				}
				if kind.name == "fsync" && a.ledger.lastAsked.After(failed) {
					late++
					t.Errorf("a write that was asked for %v after the failure was acknowledged", a.ledger.lastAsked.Sub(failed))
				}
			}
			s.start()
			for _, what := range a.ledger.check(s, time.Now(), true) {
				lost++
				t.Error(what)
			}
			writes, _, _, _, _ := a.ledger.counts()
			if kind.name == "fsync" {
				fmt.Printf("RESULT D-4.acknowledged_after_failed_fsync %d 0\n", late)
			}
			fmt.Printf("RESULT D-4.%s.n %d %d\n", kind.name, kind.rounds, kind.rounds)
			fmt.Printf("RESULT D-4.went_on_after_failed_%s %d 0\n", kind.name, survived)
			fmt.Printf("RESULT D-4.lost_after_failed_%s %d 0\n", kind.name, lost)
			fmt.Printf("soak: D-4 %s: %d writes acknowledged\n", kind.name, writes)
			if writes < 3*kind.rounds {
				t.Errorf("only %d writes were at stake", writes)
			}
		})
	}
}
