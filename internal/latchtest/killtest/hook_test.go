package killtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey/internal/latchtest/pgtest"
	"latchkey/internal/latchtest/scaletest"
	"latchkey/internal/latchtest/sinktest"
)

const (
	eventsEach = 3                      // of a connection
	resumeMost = 5 * time.Second        // from ready to the first webhook
	hookLife   = 700 * time.Millisecond // of a process, at most, beside the start
)

// Receivers fail while the server is killed again and again: nothing that
// happened is lost or comes out of order.
func TestNoWebhookIsLostWhenTheServerIsKilled(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { killUnderHooks(newServer(t, ""), "SQLite") })
	if scaletest.Large {
		t.Run("PostgreSQL", func(t *testing.T) { killUnderHooks(newServer(t, pgtest.New(t)), "PostgreSQL") })
	}
}

func killUnderHooks(s *server, engine string) {
	s.Helper()
	s.quick = true
	sink := sinktest.New(s.T)
	sink.Answer(sinktest.Failing(0.3))
	s.start()
	status, _, body, err := s.send(s.Context(), "POST", s.url+"/v2/webhook-endpoints", "application/json", fmt.Sprintf(
		`{"url":"%s/","rateLimit":1000,"events":["connection.created","connection.updated"]}`, sink.URL))
	if err != nil || status != http.StatusCreated {
		s.Fatalf("register the sink: %d %s %v", status, body, err)
	}
	kills, accounts := scaletest.Of(20, 300), scaletest.Of(800, 10_000)
	var number atomic.Int64
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	var working sync.WaitGroup
	for range 4 {
		working.Go(func() {
			for n := number.Add(1); n <= int64(accounts); n = number.Add(1) {
				for each := 0; each < eventsEach && ctx.Err() == nil; {
					if s.importOne(ctx, int(n)) == nil { // else it is down, and asked again
						each++
					}
				}
			}
		})
	}
	var slowest time.Duration
	for range kills {
		life := time.NewTimer(hookLife/2 + rand.N(hookLife/2))
		<-life.C
		s.kill()
		client.CloseIdleConnections()
		before := len(sink.Arrivals())
		s.start()
		slowest = max(slowest, s.resumed(sink, before))
	}
	working.Wait()
	log := s.eventLog()
	deadline := time.Now().Add(scaletest.Of(3*time.Minute, time.Hour))
	for sink.Taken("/") < len(log) {
		if time.Now().After(deadline) {
			s.Fatalf("%d of %d events came\n%s", sink.Taken("/"), len(log), s.log)
		}
		s.pause()
	}
	report := sink.Check("/", log)
	repeated := 100 * float64(report.Repeated) / float64(len(log))
	fmt.Printf("RESULT W-2.%s %d 0\n", engine, report.Lost+report.Reordered+report.Foreign)
	fmt.Printf("RESULT W-2.%s-n %d %d\n", engine, report.Delivered, len(log))
	fmt.Printf("RESULT W-2.%s-kills %d %d\n", engine, kills, kills)
	fmt.Printf("RESULT W-2.%s-resume-ms %d %d\n", engine, slowest.Milliseconds(), resumeMost.Milliseconds())
	fmt.Printf("RESULT W-2.%s-duplicates-percent %.2f 2\n", engine, repeated)
	s.Logf("%d events, %d requests", len(log), len(sink.Arrivals()))
	if len(log) < accounts*eventsEach || report.Lost+report.Reordered+report.Foreign > 0 || repeated > 2 || slowest > resumeMost {
		s.Errorf("of %d events, at least %d of them acknowledged: %+v; resumed after %v", len(log), accounts*eventsEach, report, slowest)
	}
}

// importOne links the n-th account, or links it anew.
func (s *server) importOne(ctx context.Context, n int) error {
	status, _, body, err := s.send(ctx, "POST", s.url+"/v2/account/connections/import", "application/json", fmt.Sprintf(
		`{"provider":"sandbox","clientReferenceId":"user_%[1]d",
		"credentials":{"username":"u%[1]d@creator.sandbox.com","password":"good-password"}}`, n))
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("import: %d %s", status, body)
	}
	if err != nil {
		s.pause()
	}
	return err
}

// pause waits a moment before something is asked again.
func (s *server) pause() {
	moment := time.NewTimer(20 * time.Millisecond)
	<-moment.C
}

// resumed returns how long after now a webhook comes.
func (s *server) resumed(sink *sinktest.Sink, before int) time.Duration {
	s.Helper()
	began := time.Now()
	for len(sink.Arrivals()) == before {
		if time.Since(began) > 4*resumeMost {
			s.Fatalf("no webhook comes any more:\n%s", s.log)
		}
		s.pause()
	}
	return time.Since(began)
}

// eventLog reads the event log, as far as it is about connections.
func (s *server) eventLog() (log []sinktest.Event) {
	s.Helper()
	for cursor := "0"; ; {
		var page struct {
			List []struct {
				ID   string `json:"id"`
				Data struct {
					Connection struct {
						ID string `json:"id"`
					} `json:"connection"`
				} `json:"data"`
			} `json:"list"`
			HasMore bool   `json:"hasMore"`
			Cursor  string `json:"cursor"`
		}
		status, _, body, err := s.send(s.Context(), "GET", s.url+"/v2/events?limit=100&after="+cursor, "", "")
		if err != nil || status != http.StatusOK {
			s.Fatalf("read the events: %d %s %v", status, body, err)
		}
		if err := json.Unmarshal(body, &page); err != nil {
			s.Fatal(err)
		}
		for _, event := range page.List {
			log = append(log, sinktest.Event{ID: event.ID, Subject: event.Data.Connection.ID})
		}
		if cursor = page.Cursor; !page.HasMore {
			return log
		}
	}
}
