package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"latchkey/internal/latchtest/pgtest"
)

// How much there is of what the operations read.
const (
	proxied   = 400 // connections that take turns at the proxy, each within its own rate limit
	someLinks = 100 // links whose events are read
)

// target is a Latchkey that is measured, with what the operations need in it.
type target struct {
	engine      string
	child       *child
	backend     *backend
	secret      string   // of a session that waits at its first page
	connections []string // at the upstream provider
	textVersion string
	begun       initAnswer
	settings    latchkeySettings
	size        size
	close       func() error
}

// size is how large a target is.
type size struct {
	Rows   int           `json:"rows"`   // sessions, and as many connections
	Start  time.Duration `json:"-"`      // from its start to its first answer, with those
	Idle   int64         `json:"idle"`   // resident bytes after the start
	Loaded int64         `json:"loaded"` // the most after an operation was measured
}

// startTarget starts a Latchkey on a database of the engine, with as many rows as
// the options say.
func startTarget(ctx context.Context, engine, upstream string, o options) (*target, error) {
	data, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	settings := latchkeySettings{Data: filepath.Join(data, "data"), Upstream: upstream, Listen: "127.0.0.1:0"}
	stopDatabase := func() error { return nil }
	if engine == "postgres" {
		server, err := pgtest.Launch()
		if err != nil {
			return nil, err
		}
		settings.DatabaseURL, stopDatabase = server.URL("postgres"), server.Close
	}
	t := &target{engine: engine, settings: settings}
	t.close = func() error {
		var err error
		if t.child != nil {
			err = t.child.stop()
		}
		return errors.Join(err, stopDatabase(), os.RemoveAll(data))
	}
	if t.child, err = startChild(ctx, "Latchkey on "+engine, roleLatchkey, settings); err != nil {
		return nil, errors.Join(err, t.close())
	}
	if t.backend, err = newBackend(settings.Data, t.child.url); err == nil {
		err = t.fill(ctx)
	}
	if err == nil {
		err = t.grow(ctx, o)
	}
	if err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

// grow fills the database while nobody serves it, and starts the target anew.
func (t *target) grow(ctx context.Context, o options) error {
	err := t.child.stop()
	t.child = nil
	if err != nil {
		return err
	}
	err = t.filled(func(f *filler) (err error) {
		if o.rows > 0 {
			err = f.grow(ctx, o.rows)
		}
		if o.overdue > 0 {
			err = errors.Join(err, f.overdue(ctx, o.overdue))
		}
		return err
	})
	if err != nil {
		return err
	}
	began := time.Now()
	if t.child, err = startChild(ctx, "Latchkey on "+t.engine, roleLatchkey, t.settings); err != nil {
		return err
	}
	t.backend.url = t.child.url
	if err := t.backend.call(ctx, http.MethodGet, "/v2/account/whoami", nil, nil); err != nil {
		return err
	}
	t.size = size{Rows: o.rows, Start: time.Since(began)}
	used, err := t.child.used(ctx)
	t.size.Idle = used.Memory
	return err
}

// filled uses the database past the target.
func (t *target) filled(use func(f *filler) error) error {
	f, err := openFiller(t.settings)
	if err != nil {
		return err
	}
	return errors.Join(use(f), f.db.Close())
}

// look notes the most memory that the target has had.
func (t *target) look(ctx context.Context) error {
	used, err := t.child.used(ctx)
	t.size.Loaded = max(t.size.Loaded, used.Memory)
	return err
}

// fill makes what the operations need.
func (t *target) fill(ctx context.Context) (err error) {
	if t.textVersion, err = t.backend.consentText(ctx); err != nil {
		return err
	}
	if t.begun, t.secret, err = t.backend.page(ctx); err != nil {
		return err
	}
	for i := range someLinks {
		if _, err := t.backend.link(ctx, "sandbox", sandboxUser("some", i), sandboxPassword, t.textVersion); err != nil {
			return err
		}
	}
	t.connections = make([]string, proxied)
	failures := make([]error, proxied)
	var links sync.WaitGroup
	for worker := range 16 {
		links.Go(func() {
			for i := worker; i < proxied; i += 16 {
				t.connections[i], failures[i] = t.proxied(ctx, i)
			}
		})
	}
	links.Wait()
	return errors.Join(failures...)
}

// proxied links an account at the upstream and lifts its rate limit.
func (t *target) proxied(ctx context.Context, i int) (string, error) {
	id, err := t.backend.link(ctx, providerID, "user-"+strconv.Itoa(i), "password", t.textVersion)
	if err != nil {
		return "", err
	}
	const most = 6000
	return id, t.backend.call(ctx, http.MethodPatch, "/v2/account/connections/"+id+"/settings",
		map[string]any{"rateLimit": map[string]any{"perMinute": most, "burst": most}}, nil)
}

// sandboxUser is an address that the sandbox links by password alone.
func sandboxUser(kind string, i int) string {
	return kind + "-" + strconv.Itoa(i) + "@creator.sandbox.com"
}

const sandboxPassword = "good-password" //nolint:gosec // of the sandbox, public

// record asks what the bare server must answer in the place of this Latchkey.
func (t *target) record(ctx context.Context) (map[string]recorded, error) {
	pages := map[string]recorded{}
	for name, path := range map[string]string{
		"status": "/v2/link/" + t.secret, "page": "/" + t.secret, "events": eventsPath,
	} {
		got, err := t.backend.send(ctx, http.MethodGet, path, nil)
		if err != nil {
			return nil, err
		}
		if got.status != http.StatusOK {
			return nil, fmt.Errorf("GET %s is answered %d", name, got.status)
		}
		page := recorded{Header: map[string]string{}, Body: got.body}
		for key := range got.header {
			if key != "Date" && key != "Content-Length" {
				page.Header[key] = got.header.Get(key)
			}
		}
		pages[name] = page
	}
	return pages, nil
}

// eventsPath reads a page of events.
const eventsPath = "/v2/events?limit=50"

// settingsOf says what the bare server answers.
func settingsOf(t *target, pages map[string]recorded, upstream string) baselineSettings {
	return baselineSettings{Pages: pages, Init: t.begun, Upstream: upstream}
}

// deliverySize is the length of an event's body, for the bare loop.
func deliverySize(ctx context.Context, t *target) (int, error) {
	got, err := t.backend.send(ctx, http.MethodGet, "/v2/events?limit=1", nil)
	if err != nil {
		return 0, err
	}
	var page struct {
		List []jsontext.Value `json:"list"`
	}
	if err := json.Unmarshal(got.body, &page); err != nil || len(page.List) == 0 {
		return 0, errors.New("there are no events")
	}
	return len(page.List[0]), nil
}
