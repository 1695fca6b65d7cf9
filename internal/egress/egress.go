package egress

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"latchkey"
)

// ErrRefused is wrapped by the error of a request to a destination that is not
// allowed. The error doesn't tell what the name resolved to.
var ErrRefused = errors.New("egress refused")

// Config says what may be reached and for how long it is waited for. The zero
// value is the production setting.
type Config struct {
	// AllowLoopback is the development setting: plain http, and any port of
	// 127.0.0.0/8 and ::1. Every other special address stays refused.
	AllowLoopback bool

	// AllowedPorts are the ports that may be connected to; nil is 443, and with
	// AllowLoopback also 80. Numbers that are no ports match nothing.
	AllowedPorts []int

	// Self are the server's own listeners, refused unless AllowLoopback is set.
	// An unspecified address stands for every address of this machine.
	Self []netip.AddrPort

	// Exits are the proxies through which what is for a country goes out; none:
	// everything goes out directly. DirectWithoutExit lets out directly what is
	// for a country without any exit, in place of refusing it.
	Exits             []Exit
	DirectWithoutExit bool

	// Timeouts are the limits in time; zero fields have defaults.
	Timeouts Timeouts

	UserAgent string         // sent where a request has none, except for Proxy; empty: Latchkey/1
	RootCAs   *x509.CertPool // nil: those of the system
	Resolver  *net.Resolver  // nil: that of the system
	Now       func() time.Time
	Logger    *slog.Logger // told about refusals, with the address; nil: nobody
}

// Timeouts are the limits in time of what goes out.
type Timeouts struct {
	Dial     time.Duration // name and connection; default 5 s
	TLS      time.Duration // handshake; default 5 s
	Header   time.Duration // from the request sent to the whole header of the answer; default 30 s
	Webhook  time.Duration // a Webhook request from start to the last byte; default 10 s
	Provider time.Duration // a Provider request from start to the last byte; default 30 s
	Exit     time.Duration // a tunnel through an exit, the name resolved before; default 8 s
	Checks   time.Duration // from one look at an exit that works to the next; default 30 s
}

// Egress hands out clients. It is safe for concurrent use.
type Egress struct {
	guard      *guard
	clients    map[Purpose]*http.Client
	transports []*http.Transport
	exits      *exits
}

// New makes the clients. It does no I/O. It panics on exits that CompleteExits
// refuses.
func New(config Config) *Egress {
	config = config.withDefaults()
	guard := newGuard(config)
	return assemble(config, guard, guard.control)
}

// control judges an address that is about to be connected to, as the Control
// of a net.Dialer.
type control func(network, address string, _ syscall.RawConn) error

// assemble makes the clients of a complete Config, which connect to what the
// control lets through.
func assemble(config Config, guard *guard, control control) *Egress {
	e := &Egress{guard: guard, clients: make(map[Purpose]*http.Client)}
	for purpose, limits := range limitsOf(config.Timeouts) {
		e.clients[purpose] = &http.Client{
			Transport:     e.gate(config, limits, dialer(config, control)),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Timeout:       limits.total,
		}
	}
	e.exits = e.openExits(config)
	return e
}

// gate makes a transport that connects by dial, and the gate before it.
func (e *Egress) gate(config Config, limits limits, dial dial) *gate {
	transport := newTransport(config, limits, dial)
	e.transports = append(e.transports, transport)
	return &gate{next: transport, limits: limits, plain: config.AllowLoopback, userAgent: config.UserAgent}
}

// Client returns the client for a purpose. It follows no redirect, keeps no
// cookie, and knows no proxy. An unknown purpose is a mistake in the code and
// panics.
func (e *Egress) Client(purpose Purpose) *http.Client {
	client, known := e.clients[purpose]
	if !known {
		panic(fmt.Sprintf("egress: no client for %q", purpose))
	}
	return client
}

// Transport returns what Client works with, for a reverse proxy. It has no
// total timeout: the request's context ends it.
func (e *Egress) Transport(purpose Purpose) http.RoundTripper { return e.Client(purpose).Transport }

// Close drops idle connections. Requests in progress go on.
func (e *Egress) Close() {
	for _, transport := range e.transports {
		transport.CloseIdleConnections()
	}
}

// withDefaults fills in what was left zero.
func (c Config) withDefaults() Config {
	if c.AllowedPorts == nil {
		c.AllowedPorts = []int{443}
		if c.AllowLoopback {
			c.AllowedPorts = []int{443, 80}
		}
	}
	if c.UserAgent == "" {
		c.UserAgent = "Latchkey/1"
	}
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Timeouts = c.Timeouts.withDefaults()
	return c
}

func (t Timeouts) withDefaults() Timeouts {
	t.Dial = cmp.Or(t.Dial, 5*time.Second)
	t.TLS = cmp.Or(t.TLS, 5*time.Second)
	t.Header = cmp.Or(t.Header, 30*time.Second)
	t.Webhook = cmp.Or(t.Webhook, 10*time.Second)
	t.Provider = cmp.Or(t.Provider, 30*time.Second)
	t.Exit = cmp.Or(t.Exit, 8*time.Second)
	t.Checks = cmp.Or(t.Checks, 30*time.Second)
	return t
}

// refusal is ErrRefused for the outside.
func refusal(message string) error {
	return &latchkey.Error{Code: latchkey.NetworkFailed, Message: message, Err: ErrRefused}
}

// dial connects to host:port, as a net.Dialer does.
type dial func(ctx context.Context, network, address string) (net.Conn, error)

// dialer connects to what the control lets through.
func dialer(config Config, control control) dial {
	plain := &net.Dialer{Timeout: config.Timeouts.Dial, Resolver: config.Resolver, Control: control}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		connection, err := plain.DialContext(ctx, network, absoluteAddress(address))
		if errors.Is(err, ErrRefused) {
			config.Logger.WarnContext(ctx, "egress refused", "destination", address, "reason", err)
			return nil, refusal("the destination is not allowed")
		}
		return connection, err
	}
}
