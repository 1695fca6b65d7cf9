// Package fronttest puts Debian's nginx and haproxy before a server, as an
// operator would who lets them end TLS. Both keep their connections to the
// server and share them among callers, which is what request smuggling needs.
//
//	caller ─▶ nginx or haproxy ─▶ the server of the test
package fronttest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// patience is how long a front may take to start.
const patience = 30 * time.Second

// The fronts' configurations: the folder, the front's address, the backend's.
// Both let through as much as they can: names with an underscore, and bodies as
// they come.
const (
	nginxConfiguration = `
daemon off;
user root;
worker_processes 1;
pid %[1]s/nginx.pid;
error_log stderr crit;
events { worker_connections 512; }
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	underscores_in_headers on;
	ignore_invalid_headers off;
	upstream behind { server %[3]s; keepalive 16; }
	server {
		listen %[2]s;
		location / {
			proxy_pass http://behind;
			proxy_http_version 1.1;
			proxy_request_buffering off;
			proxy_set_header Connection "";
		}
	}
}
`
	haproxyConfiguration = `
defaults
	mode http
	timeout connect 10s
	timeout client 20s
	timeout server 20s
frontend front
	bind %[2]s
	default_backend behind
backend behind
	http-reuse always
	server behind %[3]s
`
)

// Nginx starts nginx before the backend, which is a host and a port, and
// returns its own. It ends with the test.
func Nginx(t testing.TB, backend string) (address string) {
	t.Helper()
	return start(t, nginxConfiguration, backend, func(file string) []string {
		return []string{"nginx", "-c", file, "-e", "stderr"}
	})
}

// HAProxy is Nginx for haproxy.
func HAProxy(t testing.TB, backend string) (address string) {
	t.Helper()
	return start(t, haproxyConfiguration, backend, func(file string) []string {
		return []string{"haproxy", "-q", "-db", "-f", file}
	})
}

// output is what a front has said.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps it.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String returns it.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start writes the configuration, runs the command and waits until somebody
// listens.
func start(t testing.TB, configuration, backend string, command func(file string) []string) string {
	t.Helper()
	folder, address := t.TempDir(), free(t)
	file := filepath.Join(folder, "front.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, configuration, folder, address, backend), 0o600); err != nil {
		t.Fatal(err)
	}
	words := command(file)
	path, err := exec.LookPath(words[0])
	if err != nil {
		path = "/usr/sbin/" + words[0] // not in everybody's PATH
	}
	process := exec.Command(path, words[1:]...)
	said := &output{}
	process.Stdout, process.Stderr = said, said
	if err := process.Start(); err != nil {
		t.Fatalf("%s can't be started: %v; run `make deps`", words[0], err)
	}
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	t.Cleanup(func() {
		_ = process.Process.Signal(os.Interrupt)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = process.Process.Kill()
			<-ended
		}
	})
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for deadline := time.Now().Add(patience); ; <-ticks.C {
		if connection, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			_ = connection.Close()
			return address
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v\n%s", words[0], err, said)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen\n%s", words[0], said)
		}
	}
}

// free returns an address of loopback where nobody listens.
func free(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
