package replicatest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/store"
)

// initPath is where a link is asked for.
const initPath = "/v2/link/init"

// load is people who link accounts, through all replicas, and remembers what
// was acknowledged.
type load struct {
	testing.TB
	replicas []string // URLs
	key      string
	client   *http.Client
	number   atomic.Int64

	mu          sync.Mutex
	sessions    []string
	connections []string
	answers     []answer
	reset       []string // references of inits whose connection was reset, and which another replica was asked for
}

// answer is how one request ended; 0 is no answer.
type answer struct {
	at     time.Time
	status int
	err    error // why there was none
}

func newLoad(t testing.TB, key string, replicas ...string) *load {
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &load{TB: t, key: key, replicas: replicas, client: &http.Client{
		Transport: transport, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// run lets so many people link one account after the other until the returned
// function is called.
func (l *load) run(people int) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var working sync.WaitGroup
	for range people {
		working.Go(func() {
			for ctx.Err() == nil {
				if l.link(ctx) != nil { // a person who is told to come again does not at once
					select {
					case <-ctx.Done():
					case <-time.After(20 * time.Millisecond):
					}
				}
			}
		})
	}
	return func() {
		cancel()
		working.Wait()
	}
}

// await waits until so many more links were acknowledged.
func (l *load) await(more int) {
	l.Helper()
	before := l.linked()
	deadline := time.Now().Add(2 * time.Minute)
	ticks := time.NewTicker(2 * time.Millisecond)
	defer ticks.Stop()
	for l.linked() < before+more {
		if time.Now().After(deadline) {
			l.Fatal("nobody can link any more")
		}
		<-ticks.C
	}
}

func (l *load) linked() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.connections)
}

// send sends one request. Somebody to whom the connection is refused, or
// closed before the request was taken, goes to the next replica, as a load
// balancer does.
func (l *load) send(ctx context.Context, first int, path, contentType, body string) (*http.Response, []byte, error) {
	for try := 0; ; try++ {
		address := l.replicas[(first+try)%len(l.replicas)] + path
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
		if err != nil {
			return nil, nil, err
		}
		request.Header.Set("Content-Type", contentType)
		request.Header.Set("apikey", l.key)
		response, err := l.client.Do(request)
		if err != nil && isRefused(err) && try < 3*len(l.replicas) && ctx.Err() == nil {
			l.noteReset(err, path, body)
			continue
		}
		var content []byte
		if err == nil {
			content, err = io.ReadAll(response.Body)
			_ = response.Body.Close()
		}
		if ctx.Err() == nil {
			l.note(response, err)
		}
		return response, content, err
	}
}

// noteReset remembers an init whose connection was reset.
func (l *load) noteReset(err error, path, body string) {
	var request struct {
		Reference string `json:"clientReferenceId"`
	}
	if !isReset(err) || path != initPath || json.Unmarshal([]byte(body), &request) != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reset = append(l.reset, request.Reference)
}

func (l *load) note(response *http.Response, err error) {
	status := 0
	if err == nil {
		status = response.StatusCode
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers = append(l.answers, answer{time.Now(), status, err})
}

// link links one account.
func (l *load) link(ctx context.Context) error {
	n := int(l.number.Add(1))
	response, body, err := l.send(ctx, n, initPath, "application/json", fmt.Sprintf(`{"clientReferenceId":"user_%d","provider":"sandbox"}`, n))
	if err != nil || response.StatusCode != http.StatusOK {
		return errors.Join(err, errors.New("init failed"))
	}
	var session struct {
		URL string `json:"url"`
		ID  string `json:"sessionId"`
	}
	if err := json.Unmarshal(body, &session); err != nil {
		return err
	}
	l.mu.Lock()
	l.sessions = append(l.sessions, session.ID)
	l.mu.Unlock()
	page := session.URL[strings.LastIndex(session.URL, "/"):]
	for step, form := range []string{
		"version=1&action=continue", "version=2&action=approve",
		fmt.Sprintf("version=4&action=continue&username=u%d%%40creator.sandbox.com&password=good-password", n),
	} {
		response, _, err = l.send(ctx, n+step, page, "application/x-www-form-urlencoded", form)
		if err != nil || response.StatusCode != http.StatusSeeOther {
			return errors.Join(err, fmt.Errorf("step %d failed", step))
		}
	}
	target, err := url.Parse(response.Header.Get("Location"))
	if err != nil {
		return err
	}
	connection := target.Query().Get("connection_id")
	if connection == "" {
		return errors.New("the link ended without a connection")
	}
	l.mu.Lock()
	l.connections = append(l.connections, connection)
	l.mu.Unlock()
	return nil
}

// lost returns what was acknowledged and is not there.
func (l *load) lost(kept *store.Store, organisationID string) (missing []string) {
	l.Helper()
	for _, id := range l.sessions {
		if _, err := kept.LinkSession(l.Context(), organisationID, latchkey.Sandbox, id); err != nil {
			missing = append(missing, fmt.Sprintf("%s: %v", id, err))
		}
	}
	for _, id := range l.connections {
		if _, _, err := kept.Credential(l.Context(), organisationID, latchkey.Sandbox, id); err != nil {
			missing = append(missing, fmt.Sprintf("%s: %v", id, err))
		}
	}
	return missing
}

// takenTwice returns the references of inits that were taken though their
// connection was reset: another replica was asked for them again.
func (l *load) takenTwice(kept *store.Store, organisationID string) (twice []string) {
	l.Helper()
	for _, reference := range l.reset {
		sessions, _, err := kept.LinkSessions(l.Context(), latchkey.SessionFilter{
			OrganisationID: organisationID, Environment: latchkey.Sandbox, ClientReferenceID: reference, Limit: 2,
		})
		must(l, err)
		if len(sessions) > 1 {
			twice = append(twice, reference)
		}
	}
	return twice
}

// isRefused reports whether an error of a request tells that it was never
// taken: nobody listened, an idle connection was closed before it was written,
// or the kernel reset a connection that was not accepted when the door was shut.
func isRefused(err error) bool {
	text := err.Error()
	return strings.Contains(text, "connection refused") || strings.Contains(text, "server closed idle connection") || isReset(err)
}

func isReset(err error) bool { return errors.Is(err, syscall.ECONNRESET) }
