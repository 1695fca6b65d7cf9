package egress

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/proxy"
)

// maxConnectAnswer bounds a proxy's answer to CONNECT, in bytes.
const maxConnectAnswer = 16 << 10

// exitError is a failure of an exit itself, not of what lies behind it: nothing
// of the request has left.
type exitError struct {
	exit  string
	cause error
}

// Error names the exit.
func (e *exitError) Error() string { return "exit " + e.exit + ": " + e.cause.Error() }

// Unwrap returns the cause.
func (e *exitError) Unwrap() error { return e.cause }

// tunnels opens connections through one exit.
type tunnels struct {
	exit      Exit
	direct    *net.Dialer // to the proxy, whose address is the operator's affair
	tls       *tls.Config // for an https proxy
	resolving *resolving
	timeout   time.Duration // of one tunnel
	health    *health
}

// dial connects to host:port through the exit. What happens to the exit is
// noted in its health.
func (t *tunnels) dial(ctx context.Context, _, address string) (net.Conn, error) {
	destinations, err := t.resolving.destinations(ctx, address)
	if err != nil {
		return nil, err
	}
	for _, destination := range destinations {
		var conn net.Conn
		conn, err = t.open(ctx, destination)
		if err == nil {
			t.health.succeeded()
			return conn, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err() // nobody waits any more: the exit is not to blame
		}
		if failure, ok := errors.AsType[*exitError](err); ok {
			t.health.failed(failure.cause)
			return nil, err
		}
	}
	return nil, err
}

// open opens a tunnel to an address.
func (t *tunnels) open(ctx context.Context, destination netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	if t.exit.Proxy.Scheme == "socks5" {
		return t.openSOCKS(ctx, destination)
	}
	conn, err := t.reach(ctx)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	err = t.connect(conn, destination)
	if !stop() && err == nil {
		err = &exitError{t.exit.Name, context.Cause(ctx)}
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// reach connects to the proxy, with TLS where that is its scheme.
func (t *tunnels) reach(ctx context.Context) (net.Conn, error) {
	conn, err := t.direct.DialContext(ctx, "tcp", t.exit.Proxy.Host)
	if err != nil {
		return nil, &exitError{t.exit.Name, err}
	}
	if t.exit.Proxy.Scheme != "https" {
		return conn, nil
	}
	config := t.tls.Clone()
	config.ServerName = t.exit.Proxy.Hostname()
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, &exitError{t.exit.Name, err}
	}
	return secured, nil
}

// connect asks an HTTP proxy for a tunnel (RFC 9110, section 9.3.6).
func (t *tunnels) connect(conn net.Conn, destination netip.AddrPort) error {
	var request strings.Builder
	fmt.Fprintf(&request, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", destination, destination)
	if user := t.exit.Proxy.User; user != nil {
		password, _ := user.Password()
		request.WriteString("Proxy-Authorization: Basic " +
			base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)) + "\r\n")
	}
	request.WriteString("\r\n")
	if _, err := io.WriteString(conn, request.String()); err != nil {
		return &exitError{t.exit.Name, err}
	}
	reader := bufio.NewReader(io.LimitReader(conn, maxConnectAnswer))
	answer, err := http.ReadResponse(reader, &http.Request{Method: http.MethodConnect})
	if err != nil {
		return &exitError{t.exit.Name, withoutQuotes(err)}
	}
	_ = answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusBadGateway, answer.StatusCode == http.StatusGatewayTimeout:
		return unreachable(fmt.Errorf("exit %s: status %d", t.exit.Name, answer.StatusCode))
	case answer.StatusCode < 200 || answer.StatusCode > 299:
		return &exitError{t.exit.Name, fmt.Errorf("it answers CONNECT with status %d", answer.StatusCode)}
	case reader.Buffered() != 0:
		return &exitError{t.exit.Name, errors.New("it speaks before the destination can")}
	}
	return nil
}

// openSOCKS asks a SOCKS5 proxy for a tunnel (RFC 1928).
func (t *tunnels) openSOCKS(ctx context.Context, destination netip.AddrPort) (net.Conn, error) {
	var auth *proxy.Auth
	if user := t.exit.Proxy.User; user != nil {
		password, _ := user.Password()
		auth = &proxy.Auth{User: user.Username(), Password: password}
	}
	dialer, err := proxy.SOCKS5("tcp", t.exit.Proxy.Host, auth, t.direct)
	if err != nil {
		return nil, &exitError{t.exit.Name, err}
	}
	conn, err := dialer.(proxy.ContextDialer).DialContext(ctx, "tcp", destination.String())
	if err != nil && isBehindSOCKS(err) {
		return nil, unreachable(err)
	}
	if err != nil {
		return nil, &exitError{t.exit.Name, err}
	}
	return conn, nil
}

// isBehindSOCKS reports whether a SOCKS5 proxy did its duty and says that the
// destination can't be reached: the replies 3 to 6 of RFC 1928, section 6. The
// library has no other sign of them than their text.
func isBehindSOCKS(err error) bool {
	operation, ok := errors.AsType[*net.OpError](err)
	return ok && slices.Contains([]string{
		"unknown error network unreachable", "unknown error host unreachable",
		"unknown error connection refused", "unknown error TTL expired",
	}, fmt.Sprint(operation.Err))
}
