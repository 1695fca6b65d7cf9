package glewlwydtest

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// Mailbox is an SMTP server (RFC 5321) on loopback that keeps what is sent to
// anybody.
type Mailbox struct {
	port int
	mu   sync.Mutex
	mail []letter
	came chan struct{} // closed and made anew when a letter comes
}

// letter is one mail to one address.
type letter struct{ to, text string }

// NewMailbox starts a mailbox and stops it when the test ends.
func NewMailbox(t testing.TB) *Mailbox {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := &Mailbox{port: listener.Addr().(*net.TCPAddr).Port, came: make(chan struct{})}
	var open sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		open.Wait()
	})
	open.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() { box.receive(connection) })
		}
	})
	return box
}

// receive talks with one client until it goes.
func (m *Mailbox) receive(connection net.Conn) {
	defer func() { _ = connection.Close() }()
	_ = connection.SetDeadline(time.Now().Add(starting))
	lines := textproto.NewReader(bufio.NewReader(connection))
	say := func(line string) { _, _ = io.WriteString(connection, line+"\r\n") }
	say("220 mailbox")
	var to []string
	for {
		line, err := lines.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "RCPT":
			to = append(to, strings.Trim(rest[strings.IndexByte(rest, ':')+1:], " <>"))
			say("250 good")
		case "DATA":
			say("354 go on")
			text, err := lines.ReadDotBytes()
			if err != nil {
				return
			}
			m.keep(to, text)
			to = nil
			say("250 kept")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 good")
		}
	}
}

// keep keeps a letter for each of its readers.
func (m *Mailbox) keep(to []string, text []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, address := range to {
		m.mail = append(m.mail, letter{to: address, text: string(bytes.Clone(text))})
	}
	close(m.came)
	m.came = make(chan struct{})
}

// codePattern is the code in the body of a letter.
var codePattern = regexp.MustCompile(`code: ([0-9]{6})`)

// Code waits for a letter to the address after the first n that it has had,
// and returns its code.
func (m *Mailbox) Code(t testing.TB, address string, n int) string {
	t.Helper()
	patience := time.After(starting)
	for {
		codes, came := m.codes(address)
		if len(codes) > n {
			return codes[len(codes)-1]
		}
		select {
		case <-came:
		case <-patience:
			t.Fatalf("%s has had %d codes, waiting for more than %d", address, len(codes), n)
		}
	}
}

// codes returns the codes that were sent to an address, and what is closed when
// there may be more.
func (m *Mailbox) codes(address string) ([]string, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var codes []string
	for _, l := range m.mail {
		if found := codePattern.FindStringSubmatch(l.text); l.to == address && found != nil {
			codes = append(codes, found[1])
		}
	}
	return codes, m.came
}

// RequireEmail makes the profile API want a code by e-mail from everybody,
// sent to the mailbox; or one of an app, where RequireOTP was called before.
func (s *Server) RequireEmail(t testing.TB, box *Mailbox) {
	t.Helper()
	err := s.call(t.Context(), http.MethodPost, "/api/mod/scheme/", values{
		"module": "email", "name": "email", "display_name": "Code by e-mail", "expiration": 600, "max_use": 0,
		"allow_user_register": true,
		"parameters": values{
			"code-length": 6, "code-duration": 300, "host": "127.0.0.1", "port": box.port, "use-tls": false,
			"check-certificate": false, "from": "site@example.org", "content-type": "text/plain; charset=utf-8",
			"user-lang-property": "lang",
			"templates": values{"en": values{
				"subject": "Your code", "body-pattern": "Your code: {CODE}", "body": "Your code: {CODE}", "defaultLang": true,
			}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.schemes = append(s.schemes, "email")
	s.requireSchemes(t)
}

// requireSchemes makes the profile API want one of the second factors.
func (s *Server) requireSchemes(t testing.TB) {
	t.Helper()
	var either []values
	for _, scheme := range s.schemes {
		either = append(either, values{"scheme_type": scheme, "scheme_name": scheme})
	}
	err := s.call(t.Context(), http.MethodPut, "/api/scope/g_profile", values{
		"display_name": "Profile", "description": "The profile API", "password_required": true, "password_max_age": 600,
		"scheme": values{"2": either}, "scheme_required": values{"2": 1},
	})
	if err != nil {
		t.Fatal(err)
	}
}
