package webhook

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"latchkey"
)

// run starts a loop over the queue and returns how to stop it.
func run(t *testing.T, q *queue, s *sink, concurrency int) (stop func(patience time.Duration) error) {
	t.Helper()
	if q.status == nil {
		q.status = map[string]latchkey.EndpointStatus{}
	}
	loop := New(Config{Store: q, Client: s.client, OpenSecret: openTestSecret}).Loop(concurrency)
	q.wake = loop.Wake
	loop.Start(t.Context())
	return func(patience time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		return loop.Stop(ctx)
	}
}

func event(endpoint, subject string, sequence int) latchkey.Delivery {
	id := fmt.Sprintf("evt_%sx%d", subject, sequence)
	return latchkey.Delivery{
		Endpoint: latchkey.WebhookEndpoint{ID: endpoint, URL: "http://" + endpoint + ".example/"},
		EventID:  id, Subject: subject, Sequence: int64(sequence),
		Body: fmt.Appendf(nil, `{"id":%q}`, id),
	}
}

// receipts is what a sink has acknowledged.
type receipts struct {
	mu         sync.Mutex
	ids        []string
	times      []time.Time
	duplicates int
	seen       map[string]bool
}

func (r *receipts) add(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	if r.seen[id] {
		r.duplicates++
		return
	}
	r.seen[id] = true
	r.ids = append(r.ids, id)
	r.times = append(r.times, time.Now())
}

func TestNothingIsLostOrReordered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const subjects, each = 300, 3
		secret := latchkey.NewSecret([]byte(testSecret))
		got := &receipts{}
		s := newSink(t, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			var dice [2]byte
			_, _ = rand.Read(dice[:])
			switch dice[0] % 10 {
			case 0:
				w.WriteHeader(http.StatusInternalServerError)
			case 1:
				const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
				raw(answer[:int(dice[1])%len(answer)])(w, r)
			case 2:
				hang(w, r)
			default:
				if !accepts(t, secret, "Webhook-", r.Header, body) {
					t.Error("a signature is refused")
				}
				got.add(r.Header.Get("Webhook-Id"))
			}
		})
		q := &queue{}
		for sequence := range each {
			for subject := range subjects {
				q.push(event("we1", fmt.Sprintf("conn%d", subject), sequence))
			}
		}
		stop := run(t, q, s, 16)
		for hours := 0; q.waiting() > 0 && hours < 90; hours++ {
			time.Sleep(time.Hour)
		}
		if err := stop(time.Minute); err != nil {
			t.Error(err)
		}
		if len(got.ids) != subjects*each || q.waiting() != 0 {
			t.Errorf("%d of %d delivered, %d waiting", len(got.ids), subjects*each, q.waiting())
		}
		if got.duplicates > 0 {
			t.Errorf("%d duplicates though every acknowledgement arrived", got.duplicates)
		}
		next := map[string]string{}
		for _, id := range got.ids {
			subject, sequence, _ := strings.Cut(id, "x")
			if want := next[subject]; want != "" && want != sequence || want == "" && sequence != "0" {
				t.Errorf("%s came out of order", id)
			}
			next[subject] = map[string]string{"0": "1", "1": "2", "2": "3"}[sequence]
		}
	})
}

func TestDeadEndpoint(t *testing.T) {
	t.Run("it gets its attempts over days and is parked with its queue", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var attempts []time.Time
			s := newSink(t, func(w http.ResponseWriter, _ *http.Request) {
				attempts = append(attempts, time.Now())
				w.WriteHeader(http.StatusBadGateway)
			})
			q := &queue{status: map[string]latchkey.EndpointStatus{}}
			for i := range 5 {
				q.push(event("dead", "conn1", i))
			}
			deliverer := New(Config{Store: q, Client: s.client, OpenSecret: openTestSecret})
			for q.status["dead"] == "" { // without the loop, whose polls would make days of virtual time long
				time.Sleep(time.Until(q.lanes[0].dueAt))
				claimed, _ := q.ClaimDeliveries(t.Context(), time.Now(), Lease, []latchkey.DeliveryShare{{EndpointID: "dead", Most: 10}})
				if len(claimed) != 1 || claimed[0].EventID != "evt_conn1x0" {
					t.Fatalf("claimed %d deliveries, want the first event only", len(claimed))
				}
				deliverer.Deliver(t.Context(), claimed[0])
			}
			if hours := attempts[len(attempts)-1].Sub(attempts[0]).Hours(); len(attempts) != Attempts || hours < 72 || hours > 120 {
				t.Errorf("%d attempts over %.1f h", len(attempts), hours)
			}
			if q.status["dead"] != latchkey.EndpointParked || q.waiting() != 5 {
				t.Errorf("status %q, %d events kept; want it parked with 5", q.status["dead"], q.waiting())
			}
		})
	})

	t.Run("it holds up nobody, and is first tried again after about 5 s", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var attempts []time.Time
			healthy := &receipts{}
			s := newSink(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Host == "healthy.example" {
					healthy.add(r.Header.Get("Webhook-Id"))
					return
				}
				mu.Lock()
				defer mu.Unlock()
				attempts = append(attempts, time.Now())
				w.WriteHeader(http.StatusBadGateway)
			})
			q := &queue{}
			for i := range 5 {
				q.push(event("dead", "conn1", i))
				q.push(event("healthy", "conn1", i))
			}
			begin := time.Now()
			stop := run(t, q, s, 2)
			time.Sleep(time.Minute)
			if err := stop(time.Minute); err != nil {
				t.Error(err)
			}
			if len(attempts) < 3 || len(attempts) > 5 {
				t.Fatalf("%d attempts in a minute", len(attempts))
			}
			if first := attempts[1].Sub(attempts[0]); first < 4*time.Second || first > 7*time.Second {
				t.Errorf("the first retry came after %v", first)
			}
			if len(healthy.ids) != 5 || healthy.times[4].Sub(begin) > time.Second {
				t.Errorf("the healthy endpoint got %d of 5 at %v", len(healthy.ids), healthy.times)
			}
		})
	})

	t.Run("a 410 ends it at once and keeps its queue", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			got := &receipts{}
			s := newSink(t, func(w http.ResponseWriter, r *http.Request) {
				got.add(r.Header.Get("Webhook-Timestamp"))
				w.WriteHeader(http.StatusGone)
			})
			q := &queue{}
			q.push(event("gone", "conn1", 0))
			q.push(event("gone", "conn1", 1))
			stop := run(t, q, s, 4)
			time.Sleep(time.Hour)
			if err := stop(time.Minute); err != nil {
				t.Error(err)
			}
			if len(got.ids) != 1 || q.status["gone"] != latchkey.EndpointDisabled || q.waiting() != 2 {
				t.Errorf("%d attempts, status %q, %d kept", len(got.ids), q.status["gone"], q.waiting())
			}
		})
	})
}

func TestShutdown(t *testing.T) {
	t.Run("an attempt that is answered in time is drained", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSink(t, func(http.ResponseWriter, *http.Request) { time.Sleep(3 * time.Second) })
			q := &queue{}
			q.push(event("we1", "conn1", 0))
			stop := run(t, q, s, 4)
			synctest.Wait()
			if err := stop(20 * time.Second); err != nil || q.waiting() != 0 {
				t.Errorf("stop: %v, %d waiting", err, q.waiting())
			}
		})
	})

	t.Run("an attempt that is cut short is recorded all the same, due at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSink(t, hang)
			q := &queue{}
			q.push(event("we1", "conn1", 0))
			stop := run(t, q, s, 4)
			synctest.Wait()
			if err := stop(time.Second); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("stop: %v", err)
			}
			if len(q.outcomes) != 1 {
				t.Fatalf("%d outcomes recorded, want 1", len(q.outcomes))
			}
			if got := q.outcomes[0]; got.Delivered || got.Disable || !got.RetryAt.Equal(time.Now()) {
				t.Errorf("outcome %+v, want it due now", got)
			}
		})
	})
}

func TestFinish(t *testing.T) {
	away := errors.New("database is away")
	cases := []struct {
		name     string
		fail     func(finish int) error
		finishes int // within the first half minute
		waiting  int
	}{
		{"a store that stumbles is asked again", func(n int) error {
			if n <= 3 {
				return away
			}
			return nil
		}, 4, 0},
		{"a store that is away is not asked for ever", func(int) error { return away }, 4, 1},
		{"a lost fence is final", func(int) error { return latchkey.Errorf(latchkey.Conflict, "claimed by another") }, 1, 1},
		{"a deleted endpoint is final", func(int) error { return latchkey.Errorf(latchkey.NotFound, "gone") }, 1, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSink(t, func(http.ResponseWriter, *http.Request) {})
				q := &queue{fail: c.fail}
				q.push(event("we1", "conn1", 0))
				stop := run(t, q, s, 1)
				time.Sleep(30 * time.Second)
				if err := stop(time.Minute); err != nil {
					t.Error(err)
				}
				if q.finishes != c.finishes || q.waiting() != c.waiting {
					t.Errorf("%d finishes, %d waiting; want %d and %d", q.finishes, q.waiting(), c.finishes, c.waiting)
				}
			})
		})
	}

	t.Run("what could not be recorded comes again when its lease is over", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			got := &receipts{}
			s := newSink(t, func(_ http.ResponseWriter, r *http.Request) { got.add(r.Header.Get("Webhook-Id")) })
			q := &queue{fail: func(n int) error {
				if n <= finishTries {
					return away
				}
				return nil
			}}
			q.push(event("we1", "conn1", 0))
			stop := run(t, q, s, 1)
			time.Sleep(Lease + 3*time.Second)
			if err := stop(time.Minute); err != nil {
				t.Error(err)
			}
			if q.waiting() != 0 || got.duplicates != 1 {
				t.Errorf("%d waiting, %d duplicates; want it delivered by a second attempt", q.waiting(), got.duplicates)
			}
		})
	})

	t.Run("a store that hangs holds an attempt for less than half its lease", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSink(t, hang)
			begin := time.Now()
			New(Config{Store: &hanging{}, Client: s.client, OpenSecret: openTestSecret}).Deliver(t.Context(), event("we1", "conn1", 0))
			if took := time.Since(begin); took > Lease/2 {
				t.Errorf("it took %v", took)
			}
		})
	})
}

// hanging is a Store that answers only when its caller gives up.
type hanging struct{ ledger }

func (*hanging) FinishDelivery(ctx context.Context, _ latchkey.Delivery, _ latchkey.DeliveryOutcome) error {
	<-ctx.Done()
	return ctx.Err()
}
