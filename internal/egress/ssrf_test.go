package egress

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest/exittest"
)

func TestAddressesInside(t *testing.T) {
	canary := newCanary(t)
	names := resolver(t, toLoopback)
	ports := []int{443, int(canary.port)}
	closed := newFenced(t, Config{Resolver: names, AllowedPorts: ports})

	t.Run("the canary sings when there is no guard", func(t *testing.T) {
		open := newFenced(t, Config{Resolver: names, AllowLoopback: true})
		for _, host := range []string{"127.0.0.1", "[::1]", "somewhere.example"} {
			if response, err := open.Client(Provider).Get("https://" + host + ":" + portText(canary.port)); err == nil {
				_ = response.Body.Close()
			}
			<-canary.hit
		}
		canary.connections.Store(0)
	})
	t.Run("no spelling of an address inside is connected to", func(t *testing.T) {
		cases := 0
		for number, purpose := range []Purpose{Webhook, Provider, Proxy, Logo} {
			for i, host := range exittest.HostileHosts() {
				if (i/3+number)%2 == 0 { // each by two purposes
					continue
				}
				cases++
				response, err := closed.Client(purpose).Get("https://" + host + ":" + portText(canary.port) + "/")
				if err == nil {
					_ = response.Body.Close()
					t.Fatalf("%s: %s was answered", purpose, host)
				}
				literal := strings.HasPrefix(host, "[") && !strings.Contains(host, "%")
				if literal && !errors.Is(err, ErrRefused) {
					t.Errorf("%s: %s: %v, want ErrRefused", purpose, host, err)
				}
			}
		}
		fmt.Printf("RESULT E-1.syn %d 0\n", canary.connections.Load())
		fmt.Printf("RESULT E-1.syn.n %d 3000\n", cases)
		if canary.connections.Load() != 0 || cases < 3000 {
			t.Errorf("%d connections in %d cases, want 0 in at least 3000", canary.connections.Load(), cases)
		}
	})
	t.Run("none of them can be registered", func(t *testing.T) {
		for _, host := range exittest.HostileHosts() {
			if strings.HasSuffix(host, ".example") {
				continue // a name like any other until it is resolved
			}
			if closed.CheckURL("https://"+host+"/") == nil {
				t.Errorf("%s was accepted", host)
			}
		}
	})
}

func TestRebinding(t *testing.T) {
	server := newPlainServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	var inside atomic.Bool
	names := resolver(t, func(string) []netip.Addr {
		if inside.Load() {
			return []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1")}
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	})
	var log strings.Builder
	e := newFenced(t, Config{AllowLoopback: true, Resolver: names, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	address := "http://rebind.example:" + portText(portOfServer(t, server.URL))

	t.Run("a name that changes where it leads is judged at the next connection", func(t *testing.T) {
		response, err := e.Client(Webhook).Get(address)
		if err != nil {
			t.Fatalf("before: %v", err)
		}
		_ = response.Body.Close()
		e.Close() // so that the next request connects anew
		inside.Store(true)
		_, err = e.Client(Webhook).Get(address)
		if !errors.Is(err, ErrRefused) {
			t.Fatalf("after: %v, want ErrRefused", err)
		}
		if strings.Contains(err.Error(), "10.0.0.1") || strings.Contains(err.Error(), "fd00::1") {
			t.Errorf("the error tells what the name resolved to: %v", err)
		}
		if known, ok := errors.AsType[*latchkey.Error](err); !ok || known.Code != latchkey.NetworkFailed {
			t.Errorf("%v has code %s, want %s", err, latchkey.CodeOf(err), latchkey.NetworkFailed)
		}
		if !strings.Contains(log.String(), "rebind.example") || !strings.Contains(log.String(), "10.0.0.1") && !strings.Contains(log.String(), "fd00::1") {
			t.Error("the operator's log does not tell name and address")
		}
	})
	t.Run("a name that leads inside among others is never connected to there", func(t *testing.T) {
		canary := newCanary(t)
		mixed := newFenced(t, Config{AllowedPorts: []int{int(canary.port)}, Resolver: resolver(t, func(string) []netip.Addr {
			return append(toLoopback(""), netip.MustParseAddr("0.0.0.0"), netip.MustParseAddr("::ffff:127.0.0.1"))
		})})
		for range 200 {
			if _, err := mixed.Client(Proxy).Get("https://mixed.example:" + portText(canary.port)); !errors.Is(err, ErrRefused) {
				t.Fatalf("%v, want ErrRefused", err)
			}
		}
		if n := canary.connections.Load(); n != 0 {
			t.Errorf("%d connections, want none", n)
		}
	})
}

// portOfServer returns the port of a test server's URL.
func portOfServer(t *testing.T, address string) uint16 {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.ResolveTCPAddr("tcp", parsed.Host)
	if err != nil {
		t.Fatal(err)
	}
	return tcp.AddrPort().Port()
}
