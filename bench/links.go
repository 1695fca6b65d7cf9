package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
)

// wrk can't keep a session over several requests, so whole links are driven by
// a generator of our own that is as lean as can be: a connection a worker,
// bytes written as they are, answers read by the standard library.

// wire is one connection that a worker keeps, until the server closes it.
type wire struct {
	address string
	socket  net.Conn // nil: to be opened
	reader  *bufio.Reader
	key     string
}

// open connects, unless the wire is.
func (w *wire) open() (err error) {
	if w.socket != nil {
		return nil
	}
	if w.socket, err = net.Dial("tcp", w.address); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	w.reader = bufio.NewReader(w.socket)
	return nil
}

// close ends the connection, if there is one.
func (w *wire) close() {
	if w.socket != nil {
		_ = w.socket.Close()
		w.socket = nil
	}
}

// post sends JSON and reads the JSON of an answer of status 2xx.
func (w *wire) post(path, body string, into any) error {
	if err := w.open(); err != nil {
		return err
	}
	request := "POST " + path + " HTTP/1.1\r\nHost: bench\r\napikey: " + w.key +
		"\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	if _, err := io.WriteString(w.socket, request); err != nil {
		return fmt.Errorf("post %s: %w", path, err)
	}
	answer, err := http.ReadResponse(w.reader, nil)
	if err != nil {
		return fmt.Errorf("post %s: %w", path, err)
	}
	text, err := io.ReadAll(answer.Body)
	if err = cmpErr(err, answer.Body.Close()); err != nil {
		return fmt.Errorf("post %s: %w", path, err)
	}
	if answer.Close { // the answer was about a session that has ended
		w.close()
	}
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("post %s is answered %d: %s", path, answer.StatusCode, bytes.TrimSpace(text))
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("post %s: %w", path, err)
	}
	return nil
}

// runLinks makes whole links for the time: begin, consent, log in, done. The
// numbers continue at from, so that each account is a new one.
func runLinks(ctx context.Context, t *target, from *atomic.Int64, connections int, length time.Duration) (measured, error) {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	took := make([][]time.Duration, connections)
	failures := make([]error, connections)
	started := time.Now()
	var workers sync.WaitGroup
	for i := range connections {
		workers.Go(func() { took[i], failures[i] = linkUntil(ctx, t, from) })
	}
	workers.Wait()
	elapsed := time.Since(started)
	all := slices.Concat(took...)
	if err := errors.Join(failures...); err != nil {
		return measured{}, err
	}
	if len(all) == 0 {
		return measured{}, errors.New("not one link was made in the time")
	}
	slices.Sort(all)
	return measured{
		PerSecond: float64(len(all)) / elapsed.Seconds(), Count: len(all),
		P50: all[len(all)/2], P99: all[len(all)*99/100],
	}, nil
}

// linkUntil makes links, one after the other, until ctx ends.
func linkUntil(ctx context.Context, t *target, from *atomic.Int64) ([]time.Duration, error) {
	w := &wire{address: strings.TrimPrefix(t.child.url, "http://"), key: t.backend.key}
	defer w.close()
	var took []time.Duration
	for ctx.Err() == nil {
		begun := time.Now()
		if err := w.link(t, sandboxUser("link", int(from.Add(1)))); err != nil {
			return took, err
		}
		took = append(took, time.Since(begun))
	}
	return took, nil
}

// link makes one link.
func (w *wire) link(t *target, username string) error {
	var begun struct {
		ClientSecret string `json:"clientSecret"`
	}
	body := `{"clientAppId":"` + t.backend.apps["whitelabel"] + `","provider":"sandbox","clientReferenceId":"` + username + `"}`
	if err := w.post("/v2/link/init", body, &begun); err != nil {
		return err
	}
	submit := "/v2/link/" + begun.ClientSecret + "/submit"
	var state linkState
	if err := w.post(submit, `{"version":1,"fields":{"textVersion":"`+t.textVersion+`"}}`, &state); err != nil {
		return err
	}
	body = `{"version":` + strconv.FormatInt(state.Data.Step.Version, 10) + `,"fields":{"username":"` + username +
		`","password":"` + sandboxPassword + `"}}`
	if err := w.post(submit, body, &state); err != nil {
		return err
	}
	if state.Status != "completed" {
		return fmt.Errorf("the link of %s ends as %s", username, state.Status)
	}
	return nil
}
