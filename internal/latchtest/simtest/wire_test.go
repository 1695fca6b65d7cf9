package simtest

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// errNoAnswer is what comes of a request that is lost, or whose answer is.
var errNoAnswer = &unreachable{"simulated: nobody answers"}

// unreachable is an error of the network, as net.Error is.
type unreachable struct{ text string }

// Error tells what happened.
func (u *unreachable) Error() string { return u.text }

// Timeout reports that waiting longer may have helped.
func (u *unreachable) Timeout() bool { return true }

// Temporary is part of net.Error.
func (u *unreachable) Temporary() bool { return true }

// The times of the network.
const (
	leastWire = time.Millisecond
	mostWire  = 60 * time.Millisecond
	patience  = 15 * time.Second // after which a connection without an answer ends
)

// wire is the network as one replica sees it. What it loses is lost before or
// after the other side has acted on it.
type wire struct{ *replica }

// reply is what the other side answers.
type reply struct {
	status int // 0: nothing is ever answered
	body   string
	lost   func() // tells the other side that nobody got it; nil: it does not care
}

// RoundTrip carries a request to the bank or to a receiver.
func (n wire) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	body, err := readBody(request)
	if err != nil {
		return nil, err
	}
	about := request.Header.Get("webhook-id") + request.Header.Get(sessionHeader) + request.Header.Get(connectionHeader)
	dice := n.dice.roll(n.name, actorOf(ctx), request.URL.Host, request.URL.Path, about)
	if err := nap(ctx, between(dice, leastWire, mostWire)); err != nil {
		return nil, err
	}
	if err := n.standStill(dice); err != nil {
		return nil, err
	}
	if n.isCut() || dice.Int64N(1000) < n.loss.Load() {
		return nil, silence(ctx)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	answer := n.arrive(request, body, dice.IntN(mostSink))
	if answer.status == 0 {
		return nil, silence(ctx)
	}
	if err := n.bring(request, dice); err != nil {
		if answer.lost != nil {
			answer.lost()
		}
		return nil, err
	}
	return &http.Response{
		StatusCode: answer.status, Status: fmt.Sprint(answer.status, " ", http.StatusText(answer.status)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"text/plain"}},
		Body: io.NopCloser(bytes.NewReader([]byte(answer.body))), ContentLength: int64(len(answer.body)), Request: request,
	}, nil
}

// bring carries the answer back.
func (n wire) bring(request *http.Request, dice *rand.Rand) error {
	ctx := request.Context()
	if n.isCut() || dice.Int64N(1000) < n.loss.Load() {
		return silence(ctx)
	}
	if err := nap(ctx, between(dice, leastWire, mostWire)); err != nil {
		return err
	}
	if err := n.standStill(dice); err != nil {
		return err
	}
	return ctx.Err()
}

// arrive hands the request to whom it is for.
func (n wire) arrive(request *http.Request, body []byte, mood int) reply {
	if request.URL.Host == bankHost {
		return n.bank.serve(n.replica, request, body)
	}
	return n.sink.receive(request, mood)
}

func readBody(request *http.Request) ([]byte, error) {
	if request.Body == nil {
		return nil, nil
	}
	defer func() { _ = request.Body.Close() }()
	return io.ReadAll(request.Body)
}
