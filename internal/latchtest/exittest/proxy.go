package exittest

import (
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// Options say what kind of proxy it is.
type Options struct {
	Scheme         string // http, https or socks5
	User, Password string // that it wants; empty: none
	To             string // host:port to which every tunnel leads; empty: to its target
	Certificate    tls.Certificate
	// Refuse is what every tunnel is refused with while it is not 0: a status
	// of HTTP, or a reply of SOCKS5 (RFC 1928, section 6).
	Refuse int
}

// Proxy is a running proxy.
type Proxy struct {
	URL     *url.URL // with the credentials
	options Options
	refuse  atomic.Int64
	mu      sync.Mutex
	targets []string
	open    map[net.Conn]bool
	door    net.Listener
	address string
	t       testing.TB
}

// Start starts a proxy and stops it with the test.
func Start(t testing.TB, options Options) *Proxy {
	t.Helper()
	p := &Proxy{options: options, open: map[net.Conn]bool{}, t: t}
	p.refuse.Store(int64(options.Refuse))
	p.openAnywhere()
	p.URL = &url.URL{Scheme: options.Scheme, Host: p.address}
	if options.User != "" {
		p.URL.User = url.UserPassword(options.User, options.Password)
	}
	t.Cleanup(p.Die)
	return p
}

// openAnywhere opens the door at a port that is free and that the system gives
// to no connection of its own (they begin at 32768), so that it can be opened
// again later.
func (p *Proxy) openAnywhere() {
	p.t.Helper()
	for range 100 {
		port, err := rand.Int(rand.Reader, big.NewInt(12_000))
		if err != nil {
			p.t.Fatal(err)
		}
		address := fmt.Sprint("127.0.0.1:", 20_000+port.Int64())
		if door, err := net.Listen("tcp", address); err == nil {
			p.address = address
			p.begin(door)
			return
		}
	}
	p.t.Fatal("no port is free")
}

// Die closes the door and cuts every tunnel.
func (p *Proxy) Die() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.door.Close()
	for conn := range p.open {
		_ = conn.Close()
	}
	clear(p.open)
}

// Resume opens the door again, at the address where it was.
func (p *Proxy) Resume() {
	p.t.Helper()
	door, err := net.Listen("tcp", p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	p.begin(door)
}

func (p *Proxy) begin(door net.Listener) {
	p.mu.Lock()
	p.door = door
	p.mu.Unlock()
	go p.serve(door)
}

// Refuse changes Options.Refuse.
func (p *Proxy) Refuse(with int) { p.refuse.Store(int64(with)) }

// Targets returns what it was asked for so far, in order.
func (p *Proxy) Targets() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.targets)
}

func (p *Proxy) serve(door net.Listener) {
	for {
		conn, err := door.Accept()
		if err != nil {
			return
		}
		if !p.keep(door, conn) {
			_ = conn.Close()
			continue
		}
		go func() {
			defer p.drop(conn)
			if p.options.Scheme == "https" {
				conn = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{p.options.Certificate}})
			}
			p.answer(conn)
		}()
	}
}

// keep remembers a connection, unless the proxy has died since.
func (p *Proxy) keep(door net.Listener, conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.door != door {
		return false
	}
	p.open[conn] = true
	return true
}

func (p *Proxy) drop(conn net.Conn) {
	_ = conn.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
}

func (p *Proxy) answer(conn net.Conn) {
	var from io.Reader
	var ok bool
	var target string
	if p.options.Scheme == "socks5" {
		from, target, ok = p.socks(conn)
	} else {
		from, target, ok = p.connect(conn)
	}
	if !ok {
		return
	}
	if p.options.To != "" {
		target = p.options.To
	}
	behind, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer func() { _ = behind.Close() }()
	go func() {
		_, _ = io.Copy(behind, from)
		_ = behind.Close()
	}()
	_, _ = io.Copy(conn, behind)
}

func (p *Proxy) note(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.targets = append(p.targets, target)
}
