package replicatest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/scaletest"
)

// pastLease is longer than any lease of a delivery.
const pastLease = 10 * time.Minute

// backend takes webhooks. It holds the first of those it is told to hold until
// it is let go.
type backend struct {
	url     string
	ending  chan struct{}
	mu      sync.Mutex
	holding bool
	held    chan struct{} // closed when one is held
	release chan struct{}
	got     []delivered
}

// delivered is a webhook as it arrived.
type delivered struct {
	connection string
	event      latchkey.EventType
}

func newBackend(t testing.TB) *backend {
	b := &backend{ending: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(b.take))
	t.Cleanup(func() {
		close(b.ending)
		server.Close()
	})
	b.url = server.URL
	return b
}

// hold holds the next webhook, and returns how to learn of it and let it go.
func (b *backend) hold() (held <-chan struct{}, release func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.holding, b.held, b.release = true, make(chan struct{}), make(chan struct{})
	return b.held, sync.OnceFunc(func() { close(b.release) })
}

func (b *backend) take(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Type latchkey.EventType `json:"type"`
		Data struct {
			Connection struct {
				ID string `json:"id"`
			} `json:"connection"`
		} `json:"data"`
	}
	if err := json.UnmarshalRead(r.Body, &body); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	b.got = append(b.got, delivered{body.Data.Connection.ID, body.Type})
	release := b.release
	first := b.holding
	if first {
		b.holding = false
		close(b.held)
	}
	b.mu.Unlock()
	if first {
		select {
		case <-release:
		case <-b.ending:
		}
		w.WriteHeader(http.StatusInternalServerError) // what the fenced one would write down is a failure
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// A replica that is stopped while it has a lease comes back when another has
// done its work. It must change nothing any more.
func TestAPausedLeaseHolderIsFenced(t *testing.T) {
	database, data := latchtest.NewPostgres(t), filepath.Join(t.TempDir(), "data")
	paused := newProcess(t, data, database)
	paused.start()
	other := newBackend(t)
	witness := latchtest.Start(t, latchtest.Options{DatabaseURL: database, Data: data, Idle: true})
	type made struct {
		ID string `json:"id"`
	}
	endpoint := latchtest.Decode[made](witness, witness.Want(http.StatusCreated, "POST", "/v2/webhook-endpoints",
		map[string]any{"url": other.url, "events": []string{string(latchkey.EventConnectionCreated), string(latchkey.EventConnectionDisconnected)}})).ID
	l := newLoad(t, witness.Trial.APIKey, witness.URL)
	rounds := scaletest.Of(5, 200)
	old, disorder := 0, 0
	for range rounds {
		held, release := other.hold()
		must(t, l.link(t.Context()))
		select { // by the process, the only one that delivers
		case <-held:
		case <-time.After(time.Minute):
			t.Fatal("nothing was delivered")
		}
		must(t, paused.command.Process.Signal(syscall.SIGSTOP))
		witness.Want(http.StatusOK, "DELETE", "/v2/account/connections/"+l.connections[len(l.connections)-1], nil) // what comes after it
		takeOver(t, witness, database, data, endpoint)
		before := deliveriesOf(witness, endpoint)
		release()
		must(t, paused.command.Process.Signal(syscall.SIGCONT))
		must(t, l.link(t.Context())) // when the process has delivered that, it has done what it was at before
		allDelivered(t, witness, endpoint)
		after := deliveriesOf(witness, endpoint)
		for _, was := range before[:min(len(before), 50)] { // the newest; a list ends somewhere
			if !slices.Contains(after, was) {
				old++
				t.Errorf("%+v was changed under an old lease", was)
			}
		}
	}
	other.mu.Lock()
	ended := map[string]bool{}
	for _, got := range other.got {
		if got.event == latchkey.EventConnectionDisconnected {
			ended[got.connection] = true
		} else if ended[got.connection] {
			disorder++
		}
	}
	other.mu.Unlock()
	fmt.Printf("RESULT D-10.old %d 0\nRESULT D-10.disorder %d 0\nRESULT D-10.rounds %d %d\n", old, disorder, rounds, rounds)
	if disorder > 0 {
		t.Errorf("%d webhooks came out of order", disorder)
	}
}

// takeOver runs a replica for which the leases of the first are over, until
// everything is delivered.
func takeOver(t *testing.T, witness *latchtest.Server, database, data, endpoint string) {
	t.Helper()
	heir := latchtest.Start(t, latchtest.Options{DatabaseURL: database, Data: data, Idle: true})
	heir.Clock.Move(pastLease)
	heir.App.Start(t.Context())
	allDelivered(t, witness, endpoint)
	heir.Stop()
}

// allDelivered waits until nothing is left to deliver.
func allDelivered(t *testing.T, witness *latchtest.Server, endpoint string) {
	t.Helper()
	latchtest.Eventually(t, "everything is delivered", func() bool {
		return !slices.ContainsFunc(deliveriesOf(witness, endpoint), func(d delivery) bool { return d.State != "delivered" })
	})
}

// delivery is one as the API tells of it.
type delivery struct {
	EventID   string `json:"eventId"`
	State     string `json:"state"`
	Attempts  int    `json:"attempts"`
	UpdatedAt string `json:"updatedAt"`
}

func deliveriesOf(witness *latchtest.Server, endpoint string) []delivery {
	witness.Helper()
	type list struct {
		List []delivery `json:"list"`
	}
	return latchtest.Decode[list](witness, witness.Want(http.StatusOK, "GET",
		"/v2/webhook-endpoints/"+endpoint+"/deliveries?limit=100", nil)).List
}
