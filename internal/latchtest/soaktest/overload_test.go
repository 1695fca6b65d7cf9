package soaktest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// places is how many requests may be under way in the test of overload.
const places = 16

// crowd asks as fast as it is answered, and tells how that went.
type crowd struct {
	mu                sync.Mutex
	accepted, refused []time.Duration
	other             []string
}

// ask lets so many clients ask for links, for so long or so often. Those that
// are refused wait a little, and less than they are told to.
func (c *crowd) ask(s *server, clients int, length time.Duration) {
	ctx, cancel := context.WithTimeout(s.Context(), length)
	defer cancel()
	var asking sync.WaitGroup
	for range clients {
		asking.Go(func() {
			for ctx.Err() == nil {
				if c.one(s) {
					continue
				}
				select {
				case <-time.After(10 * time.Millisecond):
				case <-ctx.Done():
				}
			}
		})
	}
	asking.Wait()
}

// one asks once and reports whether it was accepted.
func (c *crowd) one(s *server) bool {
	began := time.Now()
	got, err := s.ask(context.WithoutCancel(s.Context()), "POST", "/v2/link/init", "application/json", "{}")
	took := time.Since(began)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil && got.status == http.StatusOK:
		c.accepted = append(c.accepted, took)
		return true
	case err == nil && got.status == http.StatusServiceUnavailable && got.location == retry:
		c.refused = append(c.refused, took)
	default:
		c.other = append(c.other, fmt.Sprint(got.status, err))
	}
	return false
}

// at returns the time that so many percent of them took at most.
func at(percent int, times []time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[min(len(times)-1, len(times)*percent/100)]
}

// spent returns how much of a processor the server has used.
func (s *server) spent() time.Duration {
	s.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Process.Pid))
	if err != nil {
		s.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), ") ")
	fields, ticks := strings.Fields(after), 0
	for _, field := range fields[11:13] { // utime and stime, of 10 ms each (proc(5))
		n, err := strconv.Atoi(field)
		if err != nil {
			s.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

func TestWhatIsTooMuchIsRefusedEarlyAndTheRestIsAnsweredInTime(t *testing.T) {
	s := newProduction(t, fmt.Sprintf("{requests_at_once: %d, requests_per_key: -1}", places))
	s.start()
	var full, crowded crowd
	full.ask(s, places, 1500*time.Millisecond)
	probes := watch(s)
	crowded.ask(s, 4*places, 3*time.Second)
	unanswered := probes()
	p99, limit := at(99, crowded.accepted), 8*at(99, full.accepted)+200*time.Millisecond
	fmt.Printf("RESULT overload.accepted_p99_us %d %d\n", p99.Microseconds(), limit.Microseconds())
	fmt.Printf("RESULT overload.refused_p50_us %d %d\n", at(50, crowded.refused).Microseconds(), p99.Microseconds())
	fmt.Printf("RESULT overload.health_or_revocation_unanswered %d 0\n", unanswered)
	perSecond, before := float64(len(crowded.accepted))/3, float64(len(full.accepted))/1.5
	fmt.Printf("RESULT overload.accepted_share_of_capacity %.2f 0.1\n", perSecond/before)
	fmt.Printf("soak: overload: %.0f/s with %d clients (p99 %v), %.0f/s accepted and %d refused with %d\n",
		before, places, at(99, full.accepted), perSecond, len(crowded.refused), 4*places)
	if len(crowded.refused) < 100 || len(full.accepted) < 100 {
		t.Errorf("%d were refused, and %d accepted before: that is no overload", len(crowded.refused), len(full.accepted))
	}
	if p99 > limit || at(50, crowded.refused) > p99 || perSecond < 0.1*before || unanswered > 0 {
		t.Error("the overload was felt")
	}
	for _, other := range slices.Concat(full.other, crowded.other) {
		t.Error("another answer: ", other)
	}
}

// watch asks the probes and ends sessions, again and again, until the returned
// function is called, which counts what was not answered.
func watch(s *server) (unanswered func() int) {
	missed, stop, done := 0, make(chan struct{}), make(chan struct{})
	secrets := s.secrets(40)
	go func() {
		defer close(done)
		for pace := time.NewTicker(50 * time.Millisecond); len(secrets) > 0; secrets = secrets[1:] {
			for _, each := range [][2]string{{"GET", "/healthz"}, {"GET", "/readyz"}, {"DELETE", "/v2/link/" + secrets[0]}} {
				if got, err := s.ask(context.WithoutCancel(s.Context()), each[0], each[1], "", ""); err != nil || got.status/100 != 2 {
					missed++
					s.Errorf("%s: %d %s %v", each[0], got.status, got.body, err)
				}
			}
			select {
			case <-pace.C:
			case <-stop:
				return
			}
		}
	}()
	return func() int {
		close(stop)
		<-done
		return missed
	}
}

// secrets begins so many sessions and returns their secrets.
func (s *server) secrets(n int) (secrets []string) {
	s.Helper()
	for range n {
		got, err := s.ask(s.Context(), "POST", "/v2/link/init", "application/json", "{}")
		var session struct {
			URL string `json:"url"`
		}
		if err := json.Unmarshal(got.body, &session); err != nil {
			s.Fatalf("init: %d %s %v", got.status, got.body, err)
		}
		if err != nil {
			s.Fatal(err)
		}
		secrets = append(secrets, session.URL[strings.LastIndex(session.URL, "/")+1:])
	}
	return secrets
}

func TestARefusalCostsLittle(t *testing.T) {
	const n = 1600
	s := newProduction(t, fmt.Sprintf("{requests_at_once: %d, requests_per_key: -1}", places))
	s.start()
	cost := func(status int) time.Duration {
		before := s.spent()
		var asking sync.WaitGroup
		for range places / 2 {
			asking.Go(func() {
				for range n / (places / 2) {
					if got, err := s.ask(t.Context(), "POST", "/v2/link/init", "application/json", "{}"); err != nil || got.status != status {
						t.Errorf("%d %v, want %d", got.status, err, status)
						return
					}
				}
			})
		}
		asking.Wait()
		return (s.spent() - before) / n
	}
	accepted := cost(http.StatusOK)
	for range places {
		s.stuck() // each has a place until its body is given up
	}
	refused := cost(http.StatusServiceUnavailable)
	fmt.Printf("RESULT overload.refused_cpu_us %d %d\n", refused.Microseconds(), accepted.Microseconds()/2)
	fmt.Printf("soak: overload: an accepted request costs %v, a refused one %v\n", accepted, refused)
	if refused > accepted/2 {
		t.Errorf("a refusal costs %v, an answer %v", refused, accepted)
	}
}
