package soaktest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
)

// client keeps its connections open, as backends do, and follows no redirect.
var client = &http.Client{
	Timeout:       30 * time.Second,
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// app is a backend and its users. It asks one replica after the other, as long
// as none takes the request in.
type app struct {
	replicas []*server
	ledger   *ledger
	number   atomic.Int64 // of users
	refused  atomic.Int64 // answers that said later, with Retry-After
	rude     atomic.Int64 // those without
	failed   atomic.Int64 // other answers that were no yes
	cut      atomic.Int64 // requests whose answer never came
}

// answer is what came back.
type answer struct {
	status   int
	location string
	body     []byte
}

// errRefused is an answer that said later.
var errRefused = errors.New("refused for now")

// ask sends one request to the first replica that takes it.
func (a *app) ask(ctx context.Context, method, path, contentType, body string, headers ...string) (answer, error) {
	var failure error
	for _, replica := range a.replicas {
		got, err := replica.ask(ctx, method, path, contentType, body, headers...)
		if err == nil {
			return got, a.judge(got)
		}
		failure = err
		if operation := new(*url.Error); !errors.As(err, operation) || !strings.Contains(err.Error(), "connection refused") {
			break // it may have been taken in
		}
	}
	a.cut.Add(1)
	return answer{}, failure
}

// judge counts an answer that is no yes.
func (a *app) judge(got answer) error {
	switch {
	case got.status == http.StatusServiceUnavailable && got.location == retry:
		a.refused.Add(1)
		return errRefused
	case got.status == http.StatusServiceUnavailable:
		a.rude.Add(1)
	case got.status < http.StatusInternalServerError:
		return nil
	}
	a.failed.Add(1)
	return fmt.Errorf("status %d: %.200s", got.status, got.body)
}

// retry stands in the place of a Location in an answer with Retry-After.
const retry = "later"

// ask sends one request to this process, again and again while its key has
// asked too often, which only happens when all is checked at the end.
func (s *server) ask(ctx context.Context, method, path, contentType, body string, headers ...string) (answer, error) {
	for {
		got, err := s.askOnce(ctx, method, path, contentType, body, headers...)
		if err != nil || got.status != http.StatusTooManyRequests {
			return got, err
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return got, ctx.Err()
		}
	}
}

// askOnce sends one request.
func (s *server) askOnce(ctx context.Context, method, path, contentType, body string, headers ...string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("apikey", s.key)
	request.Header.Set("Content-Type", contentType)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	got := answer{status: response.StatusCode, location: response.Header.Get("Location")}
	if response.Header.Get("Retry-After") != "" {
		got.location = retry
	}
	got.body, err = io.ReadAll(response.Body)
	return got, err
}

// decode reads JSON of an answer with the status wanted.
func decode[T any](got answer, err error, wanted int) (T, error) {
	var into T
	if err != nil {
		return into, err
	}
	if got.status != wanted {
		return into, fmt.Errorf("status %d, want %d: %.200s", got.status, wanted, got.body)
	}
	return into, json.Unmarshal(got.body, &into)
}

// link does one whole link, uses the connection, and ends every fourth. It
// tells the ledger of every yes, and stops at the first no.
func (a *app) link(ctx context.Context) error {
	n := a.number.Add(1)
	asked := time.Now()
	got, err := a.ask(ctx, "POST", "/v2/link/init", "application/json", fmt.Sprintf(`{"clientReferenceId":"user_%d"}`, n))
	session, err := decode[struct {
		URL string `json:"url"`
		ID  string `json:"sessionId"`
	}](got, err, http.StatusOK)
	if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	a.ledger.session(session.ID, asked)
	page, err := url.Parse(session.URL)
	if err != nil {
		return err
	}
	location := ""
	for step, form := range []string{
		"version=1&action=continue", "version=2&action=approve",
		fmt.Sprintf("version=4&action=continue&username=u%d%%40creator.sandbox.com&password=good-password", n),
	} {
		asked = time.Now()
		got, err := a.ask(ctx, "POST", page.Path, "application/x-www-form-urlencoded", form)
		if err != nil || got.status != http.StatusSeeOther {
			return errors.Join(err, fmt.Errorf("step %d: status %d", step, got.status))
		}
		if step == 1 {
			a.ledger.consent(session.ID, asked)
		}
		location = got.location
	}
	target, err := url.Parse(location)
	if err != nil {
		return err
	}
	connection := target.Query().Get("connection_id")
	if connection == "" {
		return errors.New("the link ended at " + location)
	}
	a.ledger.connection(session.ID, connection, asked)
	if err := a.use(ctx, connection); err != nil {
		return err
	}
	if n%4 == 0 {
		return a.end(ctx, connection)
	}
	return nil
}

// use calls the provider through the proxy.
func (a *app) use(ctx context.Context, connection string) error {
	got, err := a.ask(ctx, "GET", "/v2/access/self", "", "", "x-connection-id", connection)
	if err == nil && got.status != http.StatusOK {
		err = fmt.Errorf("use of %s: status %d: %.200s", connection, got.status, got.body)
	}
	return err
}

// end disconnects.
func (a *app) end(ctx context.Context, connection string) error {
	asked := time.Now()
	a.ledger.ending(connection, asked)
	got, err := a.ask(ctx, "DELETE", "/v2/account/connections/"+connection, "", "")
	if err == nil && got.status != http.StatusOK {
		err = fmt.Errorf("disconnect %s: status %d: %.200s", connection, got.status, got.body)
	}
	if err == nil {
		a.ledger.ended(connection, asked)
	}
	return err
}
