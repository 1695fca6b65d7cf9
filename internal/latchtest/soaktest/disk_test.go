package soaktest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"latchkey/internal/latchtest/scaletest"
)

// smallDisk is a file system of its own with so many bytes.
type smallDisk struct{ folder, balloon string }

// newSmallDisk mounts one, which takes root.
func newSmallDisk(t testing.TB, size int64) smallDisk {
	t.Helper()
	folder := t.TempDir()
	output, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d,mode=0700", size), "tmpfs", folder).CombinedOutput()
	if err != nil {
		t.Fatalf("a small disk is a tmpfs that root mounts: %v: %s", err, output)
	}
	t.Cleanup(func() {
		if output, err := exec.Command("umount", "-l", folder).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, output)
		}
	})
	return smallDisk{folder: folder, balloon: filepath.Join(folder, "balloon")}
}

// free returns how many bytes there is room for.
func (d smallDisk) free(t testing.TB) int64 {
	t.Helper()
	var state syscall.Statfs_t
	if err := syscall.Statfs(d.folder, &state); err != nil {
		t.Fatal(err)
	}
	return int64(state.Bavail) * state.Bsize
}

// fill leaves so many bytes.
func (d smallDisk) fill(t testing.TB, leave int64) {
	t.Helper()
	file, err := os.OpenFile(d.balloon, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var held int64
	for size := d.free(t) - leave; size > 0; size = d.free(t) - leave {
		switch err := syscall.Fallocate(int(file.Fd()), 0, held, size); err {
		case nil:
			held += size
		case syscall.ENOSPC: // something else was quicker
		default:
			t.Fatal(err)
		}
	}
}

// clear gives the room back.
func (d smallDisk) clear(t testing.TB) {
	t.Helper()
	if err := os.Remove(d.balloon); err != nil {
		t.Fatal(err)
	}
}

// endsOnFullDisk is how many connections are ended each time the disk is full.
const endsOnFullDisk = 10

// recovery is how long the room may be back before everything is written.
const recovery = 5 * time.Second

func TestAFullDiskStopsWhatIsNewAndNothingElse(t *testing.T) {
	t.Parallel()
	rounds := scaletest.Of(6, 50)
	disk := newSmallDisk(t, 48<<20)
	s := newServer(t, filepath.Join(disk.folder, "data"))
	s.start()
	a := &app{replicas: []*server{s}, ledger: newLedger()}
	outcome := &fullness{app: a, server: s, disk: disk}
	for range rounds {
		users := a.begin(t, 4, 25*time.Millisecond)
		a.await(t, 10)
		eventually(t, "there were connections to end", func() bool { return len(a.ledger.alive()) >= endsOnFullDisk })
		outcome.round(t)
		a.await(t, 5)
		users.end()
		for _, what := range a.ledger.check(s, time.Now(), false) {
			outcome.lost++
			t.Error(what)
		}
	}
	s.signal(syscall.SIGTERM)
	if status, err := s.wait(patience); err != nil || status != 0 {
		t.Errorf("it ended with %d, %v:\n%s", status, err, s.log)
	}
	checkIntegrity(t, filepath.Join(disk.folder, "data", "latchkey.db"))
	s.start()
	for _, what := range a.ledger.check(s, time.Now(), true) {
		outcome.lost++
		t.Error(what)
	}
	outcome.report(t, rounds)
}

// fullness is what came of filling the disk.
type fullness struct {
	app                                   *app
	server                                *server
	disk                                  smallDisk
	lost, unread, unused, unrevoked, ends int
	slowest                               time.Duration
}

// round fills the disk, sees what is still done, and lets it have room again.
func (f *fullness) round(t *testing.T) {
	f.disk.fill(t, rand.Int64N(64<<10))
	refused := f.app.refused.Load()
	eventually(t, "a write was refused on the full disk", func() bool { return f.app.refused.Load() > refused })
	for _, connection := range f.app.ledger.alive()[:endsOnFullDisk] {
		if got, err := f.server.ask(t.Context(), "GET", "/v2/account/connections/"+connection, "", ""); err != nil || got.status != http.StatusOK {
			f.unread++
			t.Errorf("a read on the full disk: %d %s %v", got.status, got.body, err)
		}
		if err := f.app.use(t.Context(), connection); err != nil {
			f.unused++
			t.Errorf("a call on the full disk: %v", err)
		}
		if err := f.app.end(t.Context(), connection); err != nil {
			f.unrevoked++
			t.Errorf("a revocation on the full disk: %v", err)
		}
		f.ends++
	}
	if got, _ := f.app.ask(t.Context(), "POST", "/v2/link/init", "application/json", "{}"); got.status == http.StatusOK {
		t.Error("the disk was not full")
	}
	f.disk.clear(t)
	took := eventually(t, "it wrote again", func() bool { return f.init(t.Context()) })
	f.slowest = max(f.slowest, took)
}

// init reports whether a session can be begun.
func (f *fullness) init(ctx context.Context) bool {
	got, err := f.server.ask(ctx, "POST", "/v2/link/init", "application/json", "{}")
	return err == nil && got.status == http.StatusOK
}

func (f *fullness) report(t *testing.T, rounds int) {
	fmt.Printf("RESULT D-3.lost %d 0\n", f.lost)
	fmt.Printf("RESULT D-3.rounds %d %d\n", rounds, rounds)
	fmt.Printf("RESULT D-3.reads_refused %d 0\n", f.unread)
	fmt.Printf("RESULT D-3.calls_refused %d 0\n", f.unused)
	fmt.Printf("RESULT D-3.revocations_refused %d 0\n", f.unrevoked)
	fmt.Printf("RESULT D-3.refused_without_retry_after %d 0\n", f.app.rude.Load())
	fmt.Printf("RESULT D-3.other_errors %d 0\n", f.app.failed.Load()-f.app.rude.Load())
	fmt.Printf("RESULT D-3.recovery_ms %d %d\n", f.slowest.Milliseconds(), recovery.Milliseconds())
	fmt.Printf("soak: D-3: %d rounds, %d revocations on the full disk, %d writes refused\n", rounds, f.ends, f.app.refused.Load())
	if f.slowest > recovery || f.app.rude.Load() > 0 || f.app.failed.Load() > 0 {
		t.Errorf("recovery took %v; %d refusals without Retry-After, %d other errors",
			f.slowest, f.app.rude.Load(), f.app.failed.Load())
	}
}
