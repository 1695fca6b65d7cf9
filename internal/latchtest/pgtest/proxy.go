package pgtest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Proxy is the way to a server. A test slows it down, lets it swallow
// everything, and cuts it at the worst moment.
type Proxy struct {
	folder   string
	target   string // a socket
	listener net.Listener
	delay    atomic.Int64 // of every answer, in nanoseconds
	cuts     atomic.Int64

	mu    sync.Mutex
	cut   func(request []byte) Cut // nil: never
	open  chan struct{}            // closed while something gets through
	links map[net.Conn]bool
	ended bool
}

// Cut is what is lost when a way is cut.
type Cut int

// The cuts.
const (
	No      Cut = iota
	Request     // it never arrives
	Answer      // the request has arrived, and the server may be at it still
	Done        // the server has done what was asked, and its answer is lost
)

// StartProxy starts a way to the server, or through the pooler when that is
// where the URL leads. It ends at the test's cleanup. Failure is fatal.
func StartProxy(t testing.TB, address string) *Proxy {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal("the address of the server is not a URL")
	}
	port := parsed.Query().Get("port")
	if port == "" {
		port = "5432"
	}
	folder, err := os.MkdirTemp("/tmp", "pgproxy")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{
		folder: folder, target: filepath.Join(parsed.Query().Get("host"), ".s.PGSQL."+port),
		open: make(chan struct{}), links: map[net.Conn]bool{},
	}
	close(p.open)
	if p.listener, err = net.Listen("unix", filepath.Join(folder, ".s.PGSQL.5432")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	go p.accept()
	return p
}

// URL returns where the database of that name is, by this way.
func (p *Proxy) URL(database string) string {
	query := url.Values{"host": {p.folder}, "user": {"postgres"}, "sslmode": {"disable"}}
	return (&url.URL{Scheme: "postgres", Path: "/" + database, RawQuery: query.Encode()}).String()
}

// Slow delays every answer; 0 none.
func (p *Proxy) Slow(delay time.Duration) { p.delay.Store(int64(delay)) }

// CutWhen asks about every request, the statements with their parameters as
// they are on the wire, what is to be lost. nil cuts nothing.
func (p *Proxy) CutWhen(cut func(request []byte) Cut) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
}

// Cuts returns how often the way was cut.
func (p *Proxy) Cuts() int { return int(p.cuts.Load()) }

// Swallow lets nothing through any more, or again, and tells nobody.
func (p *Proxy) Swallow(everything bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
		if everything {
			p.open = make(chan struct{})
		}
	default:
		if !everything {
			close(p.open)
		}
	}
}

func (p *Proxy) gate() {
	p.mu.Lock()
	open := p.open
	p.mu.Unlock()
	<-open
}

func (p *Proxy) close() {
	p.Swallow(false)
	_ = p.listener.Close()
	p.mu.Lock()
	p.ended = true
	for link := range p.links {
		_ = link.Close()
	}
	p.mu.Unlock()
	_ = os.RemoveAll(p.folder)
}

// keep remembers a connection until it is closed.
func (p *Proxy) keep(link net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.links[link] = true
	if p.ended {
		_ = link.Close()
	}
}

func (p *Proxy) forget(links ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, link := range links {
		_ = link.Close()
		delete(p.links, link)
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.keep(client)
		go p.carry(client)
	}
}

// carry connects a client and carries both ways until one of them ends.
func (p *Proxy) carry(client net.Conn) {
	defer p.forget(client)
	p.gate()
	server, err := net.Dial("unix", p.target)
	if err != nil {
		return
	}
	p.keep(server)
	defer p.forget(server)
	way := &way{proxy: p, client: client, server: server, answered: make(chan struct{}, 1)}
	go way.answers()
	way.requests()
}

// way is one connection through the proxy.
type way struct {
	proxy          *Proxy
	client, server net.Conn
	lost           atomic.Bool   // answers are
	answered       chan struct{} // holds one: an answer came while they are lost
}

// answers carries what the server says.
func (w *way) answers() {
	defer w.proxy.forget(w.client, w.server)
	buffer := make([]byte, 64<<10)
	for {
		n, err := w.server.Read(buffer)
		if err != nil {
			return
		}
		if w.lost.Load() {
			select {
			case w.answered <- struct{}{}:
			default:
			}
			continue
		}
		w.proxy.gate()
		if delay := time.Duration(w.proxy.delay.Load()); delay > 0 {
			time.Sleep(delay)
		}
		if _, err := w.client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// requests carries what the client says, a request at a time: PostgreSQL
// manual, section 55.7.
func (w *way) requests() {
	start, err := readMessage(w.client, 0)
	if err != nil {
		return
	}
	if _, err := w.server.Write(start); err != nil {
		return
	}
	var request []byte
	for {
		message, err := readMessage(w.client, 1)
		if err != nil {
			return
		}
		w.proxy.gate()
		request = append(request, message...)
		if kind := message[0]; kind != 'Q' && kind != 'S' {
			continue
		}
		if !w.send(request) {
			return
		}
		request = request[:0]
	}
}

// send carries one request, and reports whether the way still stands.
func (w *way) send(request []byte) bool {
	w.proxy.mu.Lock()
	decide := w.proxy.cut
	w.proxy.mu.Unlock()
	loss := No
	if decide != nil {
		loss = decide(request)
	}
	if loss != No {
		w.proxy.cuts.Add(1)
		w.lost.Store(true)
	}
	if loss == Request {
		return false
	}
	if _, err := w.server.Write(request); err != nil {
		return false
	}
	if loss == Done {
		select {
		case <-w.answered:
		case <-time.After(patience):
		}
	}
	return loss == No
}

// maxMessage bounds what is carried at once.
const maxMessage = 64 << 20

// readMessage reads a message whose length follows its kind of so many bytes.
func readMessage(from io.Reader, kind int) ([]byte, error) {
	head := make([]byte, kind+4)
	if _, err := io.ReadFull(from, head); err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint32(head[kind:]))
	if length < 4 || length > maxMessage {
		return nil, errors.New("a message of an impossible length")
	}
	message := append(head, make([]byte, length-4)...)
	if _, err := io.ReadFull(from, message[len(head):]); err != nil {
		return nil, fmt.Errorf("the rest of a message: %w", err)
	}
	return message, nil
}
