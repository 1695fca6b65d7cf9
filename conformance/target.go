package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// target is the server under test, as one run of the suite knows it. The rows
// share it.
type target struct {
	options
	ctx     context.Context
	client  *http.Client
	run     string // this run's own word, in everything it makes
	counter atomic.Int64

	apps   appShelf
	hooks  *sink
	shared sharedMailbox
	events lastCursor
}

// newTarget prepares a run, if a server answers at all.
func newTarget(ctx context.Context, given options) (*target, error) {
	t := &target{
		options: given, ctx: ctx, run: strings.ToLower(rand.Text()[:8]),
		client: &http.Client{
			Timeout:       patience,
			Transport:     &http.Transport{MaxIdleConnsPerHost: 2 * given.parallel, DisableCompression: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.url+"/v2/account/whoami", nil)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", t.url, err)
	}
	response, err := t.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("nobody answers at %s: %w", t.url, err)
	}
	_ = response.Body.Close()
	if t.hooks, err = newSink(ctx); err != nil {
		return nil, err
	}
	return t, nil
}

// close removes what the rows shared.
func (t *target) close() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), patience)
	defer cancel()
	s := &suite{target: t, ctx: ctx}
	s.perform(func() { t.shared.close(s) })
	s.perform(func() { t.apps.close(s) })
	t.hooks.close()
	t.client.CloseIdleConnections()
}

// unique returns a word that nothing else has: letters and digits only.
func (t *target) unique() string { return fmt.Sprintf("%sn%d", t.run, t.counter.Add(1)) }

// reference returns a client reference of its own.
func (t *target) reference() string { return "conformance-" + t.unique() }

// address returns an address of a sandbox scenario that nobody has used:
// tries are counted for each.
func (t *target) address(scenario string) string {
	return "conformance." + t.unique() + "@" + scenario + ".sandbox.com"
}

// The password and the code of every sandbox scenario.
const (
	goodPassword = "good-password"
	goodCode     = "123456"
)

// now is the time of the run, cut to the precision of the API.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
