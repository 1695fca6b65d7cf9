// Package jsonapi is the engine of providers that speak JSON over HTTP. It
// makes one call at a time, bounded in size, time and depth. It follows no
// redirect, makes no string of a password, and shows nothing of an answer in
// an error.
//
//	Object ─▶ Request ─▶ Do ─▶ Answer ─▶ Decode
//	                      └──▶ error: the host and what went wrong
package jsonapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"latchkey/internal/connector"
)

// Bounds of one call.
const (
	defaultLimit   = 256 << 10
	defaultTimeout = 30 * time.Second
)

// Request is one call.
type Request struct {
	Method string // "": GET
	URL    *url.URL
	Accept string // "": application/json
	Bearer []byte // the token of the Authorization header; nil: none
	Body   []byte // JSON, which Do clears; nil: none
	Limit  int    // most bytes of the answer's body; 0: 256 KiB
}

// Do makes the call with the client's transport and within its timeout. The
// client itself is not used: it would follow redirects, and show in its errors
// what an answer redirects to.
func Do(ctx context.Context, client *http.Client, r Request) (*Answer, error) {
	defer clear(r.Body)
	if client == nil || client.Transport == nil {
		return nil, errors.New("no way out: the client has no transport")
	}
	timeout := client.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out, err := r.build(ctx)
	if err != nil {
		return nil, err
	}
	response, err := client.Transport.RoundTrip(out)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", r.URL.Host, err)
	}
	return readAnswer(response, r)
}

// build makes the request of net/http.
func (r Request) build(ctx context.Context) (*http.Request, error) {
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	var body io.Reader
	if r.Body != nil {
		body = connector.NewSecretBody(r.Body)
	}
	out, err := http.NewRequestWithContext(ctx, method, r.URL.String(), body)
	if err != nil {
		return nil, errors.New("the request can't be built")
	}
	out.Header.Set("Accept", "application/json")
	if r.Accept != "" {
		out.Header.Set("Accept", r.Accept)
	}
	if r.Body != nil {
		out.ContentLength = int64(len(r.Body))
		out.Header.Set("Content-Type", "application/json")
		whole := r.Body // cleared when Do returns, and so are its copies
		out.GetBody = func() (io.ReadCloser, error) { return connector.NewSecretBody(whole), nil }
	}
	if r.Bearer != nil {
		out.Header.Set("Authorization", "Bearer "+string(r.Bearer))
	}
	return out, nil
}
