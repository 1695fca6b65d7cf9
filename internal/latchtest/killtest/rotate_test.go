package killtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey/internal/latchtest/pgtest"
	"latchkey/internal/latchtest/scaletest"
)

// rotation is how much is at stake while keys are rotated.
type rotation struct {
	connections, kills, users int
	pause                     time.Duration // of a user between two uses: all together 200 a second in the long run
	samples                   int           // uses that are timed before, and at least as many while keys rotate
}

func (s *server) rotation() rotation {
	return scaletest.Of(rotation{12, 5, 2, 5 * time.Millisecond, 100}, rotation{10_000, 50, 16, 80 * time.Millisecond, 2000})
}

// rotationMost is how many times as long a use may take while keys rotate, on a
// busy machine and of few samples. By the plan it is twice.
const rotationMost = 20

// linksEach is between two links that are made while keys rotate: 20 a second.
const linksEach = 50 * time.Millisecond

func TestKeysRotateUnderLoadAndKills(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { rotateUnderKills([]*server{newServer(t, "")}, "SQLite") })
	t.Run("two replicas on PostgreSQL", func(t *testing.T) {
		first := newServer(t, pgtest.New(t))
		rotateUnderKills([]*server{first, first.replica()}, "PostgreSQL")
	})
}

// replica is a second server on the same database with the same key file.
func (s *server) replica() *server {
	s.Helper()
	text, err := os.ReadFile(s.config)
	if err != nil {
		s.Fatal(err)
	}
	other := &server{T: s.T, key: s.key, config: filepath.Join(filepath.Dir(s.config), "replica.yaml")}
	address := freeAddress(s.T)
	other.url = "http://" + address
	changed := regexp.MustCompile(`(?m)^listen: .*$`).ReplaceAllString(string(text), "listen: "+address)
	if err := os.WriteFile(other.config, []byte(changed), 0o600); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(other.kill)
	return other
}

// rotateUnderKills rotates the ring three times and the data keys with it, while
// connections are used and made, and kills what rotates and who serves.
func rotateUnderKills(replicas []*server, engine string) {
	t := replicas[0].T
	t.Helper()
	size := replicas[0].rotation()
	for _, replica := range replicas {
		replica.start()
	}
	o := newOracle()
	ids := linkMany(replicas, size, o)
	before := replicas[0].keyStatus()
	ctx, cancel := context.WithCancel(t.Context())
	var failed, used atomic.Int64
	var working sync.WaitGroup
	for worker := range size.users {
		working.Go(func() {
			for i := worker; ctx.Err() == nil; i++ {
				status := replicas[i%len(replicas)].use(ctx, ids[i%len(ids)])
				switch status {
				case http.StatusOK:
					used.Add(1)
				case 0: // the server is gone
				case http.StatusTooManyRequests: // no matter: nothing was to be opened
				default:
					failed.Add(1)
				}
				<-time.After(size.pause)
			}
		})
	}
	working.Go(func() {
		for n := size.connections + 1; ctx.Err() == nil; n++ {
			_ = replicas[n%len(replicas)].link(ctx, o, n) // the server may be gone
			<-time.After(linksEach)
		}
	})
	calm := replicas[0].times(ids, size.samples)
	turning := replicas[0].timesWhileRotated(ids, size.samples)
	for round := range size.kills {
		replica := replicas[round%len(replicas)]
		replica.rotateKilled(time.Duration(rand.IntN(200)) * time.Millisecond)
		if round%2 == 0 {
			replica.kill()
			replica.start()
		}
	}
	after := replicas[0].awaitSettled()
	enough := used.Load() + 5 // by keys that have settled
	deadline := time.Now().Add(time.Minute)
	for used.Load() < enough && time.Now().Before(deadline) {
		<-time.After(10 * time.Millisecond)
	}
	cancel()
	working.Wait()
	for _, id := range ids {
		for _, replica := range replicas {
			status := replica.use(t.Context(), id)
			for wait := 0; status == http.StatusTooManyRequests && wait < 200; wait++ { // until its bucket has one
				<-time.After(50 * time.Millisecond)
				status = replica.use(t.Context(), id)
			}
			if status != http.StatusOK {
				failed.Add(1)
			}
		}
	}
	rotations := len(after.RingKeys) - len(before.RingKeys)
	fmt.Printf("RESULT V-3.%s.failed_opens %d 0\nRESULT V-3.%s.left_on_old_keys %d 0\n", engine, failed.Load(), engine,
		after.Use.WrappedElse+after.Use.SealedByOld+after.Use.SealedByRing)
	ratio := float64(p99(turning)) / float64(p99(calm))
	fmt.Printf("RESULT V-3.%s.p99_ratio %.2f 2\n", engine, ratio)
	fmt.Printf("%s: a use took %v at the 99th of 100 while keys rotated, %v before\n", engine, p99(turning), p99(calm))
	fmt.Printf("%s: %d connections, %d rotations, %d kills, %d uses meanwhile\n", engine, len(ids), rotations, size.kills, used.Load())
	if ratio > rotationMost {
		t.Errorf("a use takes %.1f times as long while keys rotate", ratio)
	}
	if failed.Load() != 0 || rotations < 3 || used.Load() < int64(min(len(ids), 1000)) {
		t.Errorf("%d opens failed of %d in %d rotations", failed.Load(), used.Load(), rotations)
	}
}

// linkMany makes the connections and returns those that were not ended again.
func linkMany(replicas []*server, size rotation, o *oracle) []string {
	t := replicas[0].T
	t.Helper()
	var number atomic.Int64
	var linking sync.WaitGroup
	for worker := range size.users {
		linking.Go(func() {
			for n := number.Add(1); n <= int64(size.connections); n = number.Add(1) {
				if err := replicas[worker%len(replicas)].link(t.Context(), o, int(n)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	linking.Wait()
	var ids []string
	for id, there := range o.connections {
		if there {
			ids = append(ids, id)
		}
	}
	return ids
}

// times is how long so many uses take, one after the other.
func (s *server) times(ids []string, samples int) []time.Duration {
	s.Helper()
	var took []time.Duration
	for range samples {
		began := time.Now()
		if s.use(s.Context(), ids[rand.IntN(len(ids))]) == http.StatusOK {
			took = append(took, time.Since(began))
		}
	}
	return took
}

// timesWhileRotated is how long uses take from the beginning of a rotation to its
// end, when everything is sealed anew, and so many at least.
func (s *server) timesWhileRotated(ids []string, samples int) (took []time.Duration) {
	s.Helper()
	var rotated atomic.Bool
	var rotating sync.WaitGroup
	rotating.Go(func() {
		s.rotateKilled(time.Hour)
		rotated.Store(true)
	})
	defer rotating.Wait()
	for len(took) < samples || !rotated.Load() {
		took = append(took, s.times(ids, 10)...)
	}
	return took
}

// p99 is the 99th of 100.
func p99(took []time.Duration) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[len(took)*99/100].Round(time.Microsecond)
}

// use asks for the profile of a connection, which opens its credential, and
// returns the status; 0 when there is no answer.
func (s *server) use(ctx context.Context, id string) int {
	status, _, _, err := s.send(ctx, "GET", s.url+"/v2/access/self", "application/json", "", "x-connection-id", id)
	if err != nil {
		return 0
	}
	return status
}

// rotateKilled begins a rotation at the console and kills that after a while,
// if it has not ended by then.
func (s *server) rotateKilled(after time.Duration) {
	s.Helper()
	path, err := binary()
	if err != nil {
		s.Fatal(err)
	}
	command := exec.Command(path, "keys", "rotate", "--config", s.config, "--data-keys", "--finish")
	if err := command.Start(); err != nil {
		s.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = command.Process.Kill() })
	defer timer.Stop()
	_ = command.Wait() // killed, or done
}

// keyStatus is what latchkey keys status says.
func (s *server) keyStatus() (status keyStatus) {
	s.Helper()
	path, err := binary()
	if err != nil {
		s.Fatal(err)
	}
	printed, err := exec.CommandContext(s.Context(), path, "keys", "status", "--json", "--config", s.config).CombinedOutput()
	if err != nil {
		s.Fatalf("keys status: %v\n%s", err, printed)
	}
	if err := json.Unmarshal(printed, &status); err != nil {
		s.Fatalf("keys status: %v\n%s", err, printed)
	}
	return status
}

type keyStatus struct {
	RingKeys []struct{ ID, State string } `json:"ringKeys"`
	Use      struct {
		WrappedElse  int64 `json:"wrappedElse"`
		SealedByOld  int64 `json:"sealedByOld"`
		SealedByRing int64 `json:"sealedByRing"`
	} `json:"use"`
	Settled bool `json:"settled"`
}

// awaitSettled rotates until that was three times in all, and waits until a
// running server has done what follows.
func (s *server) awaitSettled() keyStatus {
	s.Helper()
	path, err := binary()
	if err != nil {
		s.Fatal(err)
	}
	for len(s.keyStatus().RingKeys) < 4 {
		if printed, err := exec.CommandContext(s.Context(), path, "keys", "rotate", "--config", s.config).CombinedOutput(); err != nil {
			if !strings.Contains(string(printed), "try again") {
				s.Fatalf("keys rotate: %v\n%s", err, printed)
			}
		}
	}
	deadline := time.Now().Add(5 * time.Minute)
	for {
		status := s.keyStatus()
		if status.Settled {
			return status
		}
		if time.Now().After(deadline) {
			s.Fatalf("it never settled: %+v\n%s", status, s.log)
		}
	}
}
