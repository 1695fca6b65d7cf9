package egress

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"

	"latchkey/internal/latchtest/exittest"
)

// newFenced returns an egress as New makes it, with a fence behind its guard:
// what the guard lets through is connected to only on loopback, so that no
// packet leaves this machine even when the guard fails. What stops at the fence
// fails the test.
func newFenced(t *testing.T, config Config) *Egress {
	t.Helper()
	config = config.withDefaults()
	guard := newGuard(config)
	e := assemble(config, guard, func(network, address string, connection syscall.RawConn) error {
		if err := guard.control(network, address, connection); err != nil {
			return err
		}
		if destination, err := netip.ParseAddrPort(address); err != nil || !isLoopback(destination.Addr()) {
			t.Errorf("the guard let %s through", address)
			return errors.New("stopped at the fence")
		}
		return nil
	})
	t.Cleanup(e.Close)
	return e
}

// canary listens on every address of this machine and counts who comes.
type canary struct {
	port        uint16
	connections atomic.Int64
	hit         chan struct{} // holds something once somebody came
}

func newCanary(t *testing.T) *canary {
	t.Helper()
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	c := &canary{port: listener.Addr().(*net.TCPAddr).AddrPort().Port(), hit: make(chan struct{}, 1)}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			c.connections.Add(1)
			_ = connection.Close()
			select {
			case c.hit <- struct{}{}:
			default:
			}
		}
	}()
	return c
}

// resolver returns a resolver that asks a name server inside this process. The
// answer function gets the name without its last dot.
func resolver(t *testing.T, answer func(name string) []netip.Addr) *net.Resolver {
	t.Helper()
	return exittest.NewNames(t, func(name string, _ int) exittest.Answer {
		return exittest.Answer{Addresses: answer(name)}
	}).Resolver()
}

// toLoopback answers every question with this machine: the most hostile name
// server there is, and harmless when the guard fails.
func toLoopback(string) []netip.Addr {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}
}

func portText(port uint16) string { return strconv.Itoa(int(port)) }
