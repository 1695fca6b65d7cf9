package backuptest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"sync"

	"github.com/go-json-experiment/json"
)

// linked is what a whole link makes.
type linked struct{ session, secret, connection string }

// init begins a link.
func (h *host) init(ctx context.Context, n int) (linked, string, error) {
	got, err := h.send(ctx, "POST", "/v2/link/init", "application/json", fmt.Sprintf(`{"clientReferenceId":"user_%d"}`, n))
	if err != nil || got.status != http.StatusOK {
		return linked{}, "", fmt.Errorf("%w: init: %d %w", errStep, got.status, err)
	}
	var begun struct {
		URL string `json:"url"`
		ID  string `json:"sessionId"`
	}
	if err := json.Unmarshal(got.body, &begun); err != nil {
		return linked{}, "", err
	}
	return linked{session: begun.ID, secret: path.Base(begun.URL)}, begun.URL, nil
}

// link walks a whole link.
func (h *host) link(ctx context.Context, n int) (linked, error) {
	made, page, err := h.init(ctx, n)
	if err != nil {
		return made, err
	}
	var got answer
	for _, form := range []string{
		"version=1&action=continue", "version=2&action=approve",
		fmt.Sprintf("version=4&action=continue&username=u%d%%40creator.sandbox.com&password=good-password", n),
	} {
		got, err = h.send(ctx, "POST", page, "application/x-www-form-urlencoded", form)
		if err != nil || got.status != http.StatusSeeOther {
			return made, fmt.Errorf("%w: %d %w", errStep, got.status, err)
		}
	}
	target, err := url.Parse(got.location)
	if err != nil {
		return made, err
	}
	made.connection = target.Query().Get("connection_id")
	if made.connection == "" {
		return made, fmt.Errorf("%w: it ended at %s", errStep, target.Path)
	}
	return made, nil
}

// mustLink is link for what can't fail.
func (h *host) mustLink(n int) linked {
	h.Helper()
	made, err := h.link(h.Context(), n)
	if err != nil {
		h.Fatalf("link %d: %v\n%s", n, err, h.log)
	}
	return made
}

// uses tells how a call through a connection is answered.
func (h *host) uses(connection string) int {
	h.Helper()
	return h.status("GET", "/v2/access/self", "x-connection-id", connection)
}

// load walks links until it is stopped, and remembers what was acknowledged.
type load struct {
	mu      sync.Mutex
	made    []linked
	stop    context.CancelFunc
	working sync.WaitGroup
	changed chan struct{}
}

// work starts a load of several workers.
func (h *host) work(workers, from int) *load {
	ctx, stop := context.WithCancel(h.Context())
	l := &load{stop: stop, changed: make(chan struct{}, 1)}
	next := make(chan int)
	go func() {
		for n := from; ; n++ {
			select {
			case next <- n:
			case <-ctx.Done():
				return
			}
		}
	}()
	for range workers {
		l.working.Go(func() {
			for {
				select {
				case n := <-next:
					if made, err := h.link(ctx, n); err == nil {
						l.add(made)
					}
				case <-ctx.Done():
					return
				}
			}
		})
	}
	return l
}

func (l *load) add(made linked) {
	l.mu.Lock()
	l.made = append(l.made, made)
	l.mu.Unlock()
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// count is how many links were acknowledged.
func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.made)
}

// await waits until so many more links were acknowledged.
func (l *load) await(h *host, more int) {
	h.Helper()
	want := l.count() + more
	for l.count() < want {
		select {
		case <-l.changed:
		case <-h.Context().Done():
			h.Fatal("nobody links any more")
		}
	}
}

// end stops the load and returns all that was acknowledged.
func (l *load) end() []linked {
	l.stop()
	l.working.Wait()
	return l.made
}
