package backuptest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"latchkey/internal/latchtest/pgtest"
)

func TestADatabaseIsMovedWhileItIsReadAndKilled(t *testing.T) {
	h := newHost(t, "")
	h.start()
	told := newReceiver(t)
	h.call(http.StatusCreated, "POST", "/v2/webhook-endpoints", fmt.Sprintf(`{"url":%q,"events":["*"]}`, told.url))
	var made []linked
	for n := range 12 {
		made = append(made, h.mustLink(n))
	}
	for _, link := range made[:4] { // what comes after waits behind what the receiver refuses
		h.call(http.StatusOK, "DELETE", "/v2/account/connections/"+link.connection, "")
	}
	h.call(http.StatusOK, "PATCH", "/v2/account/connections/"+made[5].connection+"/settings", `{"rateLimit":{"perMinute":6000,"burst":6000}}`)
	before := h.eventsAfter("")
	old, target := h.data("latchkey.db"), pgtest.New(t)

	h.interruptMove(old, target)
	reading := h.read(made[4:])
	refused, err := h.send(t.Context(), "POST", "/v2/link/init", "application/json", `{}`)
	if err != nil || refused.status != http.StatusServiceUnavailable || refused.retry == "" {
		t.Errorf("a change during the move: %d, Retry-After %q, %v", refused.status, refused.retry, err)
	}
	h.interruptMove(old, target)
	reading.await(t, 10)
	reads, failed := reading.end()
	if failed > 0 {
		t.Errorf("%d of %d reads and uses failed during the move", failed, reads)
	}
	if output := h.mustRun("move", "--from", old, "--to", target); !strings.Contains(output, "the same in both databases") {
		t.Errorf("the move says %s", output)
	}
	h.kill()

	h.database = target
	told.accept()
	h.start()
	for _, link := range made[4:] {
		if status := h.uses(link.connection); status != http.StatusOK {
			t.Errorf("%s after the move: %d", link.connection, status)
		}
	}
	fresh := h.mustLink(100)
	after := h.eventsAfter(before.cursor)
	if len(after.ids) == 0 || !slices.Contains(after.subjects, fresh.connection) || slices.Contains(after.ids, before.ids[0]) {
		t.Errorf("after the old cursor come %d events", len(after.ids))
	}
	log := h.eventsAfter("")
	if disorder := told.await(t, log); disorder != "" {
		t.Error(disorder)
	}
	fmt.Printf("RESULT move.reads-failed %d 0\n", failed)
	fmt.Printf("RESULT move.reads %d %d\n", reads, reads)

	back := h.another("")
	h.kill()
	back.mustRun("move", "--from", target, "--to", back.data("latchkey.db"))
	back.start()
	if status := back.uses(back.mustLink(101).connection); status != http.StatusOK {
		t.Errorf("back on SQLite: %d", status)
	}
}

// interruptMove begins a move and kills it when it has written a table.
func (h *host) interruptMove(from, to string) {
	h.Helper()
	move := h.command("move", "--from", from, "--to", to)
	says, err := move.StderrPipe()
	if err != nil {
		h.Fatal(err)
	}
	if err := move.Start(); err != nil {
		h.Fatal(err)
	}
	line, err := bufio.NewReader(says).ReadString('\n')
	_ = move.Process.Kill()
	if err != nil || !strings.HasPrefix(line, "copying ") {
		h.Fatalf("the move says %q, %v", line, err)
	}
	if err := move.Wait(); err == nil {
		h.Fatal("the move was done before it was killed")
	}
}

// reading asks again and again for what must go on during a move.
type reading struct {
	stop          context.CancelFunc
	working       sync.WaitGroup
	reads, failed atomic.Int64
}

func (h *host) read(made []linked) *reading {
	ctx, stop := context.WithCancel(h.Context())
	r := &reading{stop: stop}
	for _, ask := range [][]string{
		{"GET", "/v2/account/connections/" + made[0].connection}, {"GET", "/v2/link/sessions/" + made[0].session},
		{"GET", "/v2/events"}, {"GET", "/v2/access/self", "x-connection-id", made[1].connection},
	} {
		r.working.Go(func() {
			pace := time.NewTicker(20 * time.Millisecond)
			defer pace.Stop()
			for ctx.Err() == nil {
				<-pace.C
				got, err := h.send(ctx, ask[0], ask[1], "", "", ask[2:]...)
				if ctx.Err() != nil {
					return
				}
				r.reads.Add(1)
				if err != nil || got.status != http.StatusOK {
					r.failed.Add(1)
					h.Logf("%s %s: %d %v %s", ask[0], ask[1], got.status, err, got.body)
				}
			}
		})
	}
	return r
}

// await waits for so many reads.
func (r *reading) await(t *testing.T, more int64) {
	t.Helper()
	ticks := time.NewTicker(5 * time.Millisecond)
	defer ticks.Stop()
	for want := r.reads.Load() + more; r.reads.Load() < want; {
		select {
		case <-ticks.C:
		case <-t.Context().Done():
			t.Fatal("nothing can be read")
		}
	}
}

func (r *reading) end() (reads, failed int64) {
	r.stop()
	r.working.Wait()
	return r.reads.Load(), r.failed.Load()
}

// eventLog is a stretch of the event log, oldest first.
type eventLog struct {
	ids, subjects []string
	cursor        string
}

func (l *eventLog) add(body []byte) {
	var event struct {
		ID   string `json:"id"`
		Data struct {
			Connection struct {
				ID string `json:"id"`
			} `json:"connection"`
			Session struct {
				ID string `json:"id"`
			} `json:"session"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &event) == nil {
		l.ids = append(l.ids, event.ID)
		l.subjects = append(l.subjects, event.Data.Connection.ID+event.Data.Session.ID)
	}
}

// eventsAfter reads the log to its end.
func (h *host) eventsAfter(cursor string) eventLog {
	h.Helper()
	log := eventLog{cursor: cursor}
	for {
		page := decode[struct {
			List    []jsontext.Value `json:"list"`
			HasMore bool             `json:"hasMore"`
			Cursor  string           `json:"cursor"`
		}](h, h.call(http.StatusOK, "GET", "/v2/events?limit=100&after="+log.cursor, ""))
		for _, body := range page.List {
			log.add(body)
		}
		log.cursor = page.Cursor
		if !page.HasMore {
			return log
		}
	}
}

// receiver is a backend that refuses webhooks until it accepts them.
type receiver struct {
	url     string
	mu      sync.Mutex
	accepts bool
	log     eventLog
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// ServeHTTP takes a webhook.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || !r.accepts {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.log.add(body)
	w.WriteHeader(http.StatusNoContent)
}

func (r *receiver) accept() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.accepts = true
}

// await waits until every event of the log has come, and tells of a subject
// whose events came in another order.
func (r *receiver) await(t *testing.T, log eventLog) string {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for {
		r.mu.Lock()
		came := r.log
		r.mu.Unlock()
		missing := slices.IndexFunc(log.ids, func(id string) bool { return !slices.Contains(came.ids, id) })
		if missing < 0 {
			return disorder(log, came)
		}
		if time.Now().After(deadline) {
			t.Fatalf("event %s never came", log.ids[missing])
		}
		<-ticks.C
	}
}

func disorder(log, came eventLog) string {
	last := map[string]int{}
	for i, id := range came.ids {
		at := slices.Index(log.ids, id)
		if before, seen := last[came.subjects[i]]; seen && at < before {
			return "the webhooks of " + came.subjects[i] + " came in another order"
		}
		last[came.subjects[i]] = at
	}
	return ""
}
