package egress

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"

	"latchkey/internal/latchtest/exittest"
)

// judge asks the guard as the dialer does.
func judge(g *guard, address netip.Addr, port uint16) error {
	network := "tcp4"
	if address.Is6() {
		network = "tcp6"
	}
	return g.control(network, netip.AddrPortFrom(address, port).String(), nil)
}

func TestClassification(t *testing.T) {
	production := newGuard(Config{}.withDefaults())
	development := newGuard(Config{AllowLoopback: true}.withDefaults())
	random := &exittest.Dice{}

	t.Run("every special block is refused from its first to its last address", func(t *testing.T) {
		for _, prefix := range exittest.Special {
			addresses := []netip.Addr{prefix.Masked().Addr(), exittest.Middle(prefix), exittest.Last(prefix)}
			for range 20 {
				addresses = append(addresses, random.Within(prefix))
			}
			for _, address := range addresses {
				if err := judge(production, address, 443); !errors.Is(err, ErrRefused) {
					t.Errorf("%s of %s: %v, want ErrRefused", address, prefix, err)
				}
				if err := judge(development, address, 443); isLoopback(address) != (err == nil) {
					t.Errorf("%s of %s in development: %v", address, prefix, err)
				}
			}
		}
	})
	t.Run("the neighbours of a special block are public", func(t *testing.T) {
		neighbours := 0
		for _, prefix := range exittest.Special {
			for _, address := range []netip.Addr{prefix.Masked().Addr().Prev(), exittest.Last(prefix).Next()} {
				if !address.IsValid() || exittest.IsSpecial(address) {
					continue
				}
				neighbours++
				if err := judge(production, address, 443); err != nil {
					t.Errorf("%s beside %s: %v", address, prefix, err)
				}
			}
		}
		fmt.Printf("RESULT E-1.neighbours %d 30\n", neighbours)
		if neighbours < 30 {
			t.Errorf("only %d neighbours were looked at", neighbours)
		}
	})
	t.Run("public addresses are not blocked", func(t *testing.T) {
		blocked := 0
		for _, space := range []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("2000::/3")} {
			for seen := 0; seen < 500; {
				address := random.Within(space)
				if exittest.IsSpecial(address) {
					continue
				}
				seen++
				if err := judge(production, address, 443); err != nil {
					blocked++
					t.Errorf("%s: %v", address, err)
				}
			}
		}
		fmt.Printf("RESULT E-1.falseblocks %d 0\nRESULT E-1.falseblocks.n 1000 1000\n", blocked)
	})
	t.Run("an IPv4 address in an IPv6 one is refused, wherever it leads", func(t *testing.T) {
		for _, text := range []string{
			"::ffff:127.0.0.1", "::ffff:93.184.216.34", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::5db8:d822", "64:ff9b:1::a00:1",
			"2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:7f00:1::", "2001::f5ff:fffe",
			"2a00:1450::5efe:7f00:1", "2a00:1450::200:5efe:a00:1", "fe80::5efe:a00:1", "fe80::1%eth0", "::1%lo", "2a00:1450::1%eth0",
		} {
			if err := judge(production, netip.MustParseAddr(text), 443); !errors.Is(err, ErrRefused) {
				t.Errorf("%s: %v, want ErrRefused", text, err)
			}
			if err := judge(development, netip.MustParseAddr(text), 443); !errors.Is(err, ErrRefused) {
				t.Errorf("%s in development: %v, want ErrRefused", text, err)
			}
		}
	})
	t.Run("the metadata services of the clouds are refused", func(t *testing.T) {
		for _, text := range []string{"169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "169.254.170.2"} {
			if err := judge(development, netip.MustParseAddr(text), 80); !errors.Is(err, ErrRefused) {
				t.Errorf("%s: %v, want ErrRefused", text, err)
			}
		}
	})
	t.Run("only TCP to a readable address goes out", func(t *testing.T) {
		for _, c := range [][2]string{{"udp4", "93.184.216.34:443"}, {"unix", "/run/x"}, {"tcp4", "host:443"}, {"tcp4", ""}, {"tcp", "93.184.216.34:443"}} {
			if err := production.control(c[0], c[1], nil); !errors.Is(err, ErrRefused) {
				t.Errorf("%s %q: %v, want ErrRefused", c[0], c[1], err)
			}
		}
	})
}

func TestPorts(t *testing.T) {
	public, loopback := netip.MustParseAddr("93.184.216.34"), netip.MustParseAddr("127.0.0.1")
	allowed := func(config Config, address netip.Addr) (ports []uint16) {
		g := newGuard(config.withDefaults())
		for port := range 1 << 16 {
			if judge(g, address, uint16(port)) == nil {
				ports = append(ports, uint16(port))
			}
		}
		return ports
	}
	for _, c := range []struct {
		name   string
		config Config
		want   string
	}{
		{"in production only 443 is open", Config{}, "[443]"},
		{"in development 80 as well", Config{AllowLoopback: true}, "[80 443]"},
		{"an operator's list is the whole list", Config{AllowedPorts: []int{8443, 9443}}, "[8443 9443]"},
		{"an empty list opens nothing", Config{AllowedPorts: []int{}}, "[]"},
		{"numbers that are no ports open nothing", Config{AllowedPorts: []int{0, -1, 65536 + 443}}, "[]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := fmt.Sprint(allowed(c.config, public))
			if c.name == "in production only 443 is open" {
				fmt.Printf("RESULT E-4 %s %s\n", got, c.want)
			}
			if got != c.want {
				t.Errorf("open ports %s, want %s", got, c.want)
			}
		})
	}
	t.Run("on loopback all are open in development and none in production", func(t *testing.T) {
		if n := len(allowed(Config{AllowLoopback: true}, loopback)); n != 65535 {
			t.Errorf("%d open in development, want all but port 0", n)
		}
		if n := len(allowed(Config{}, loopback)); n != 0 {
			t.Errorf("%d open in production, want none", n)
		}
	})
}

func TestSelf(t *testing.T) {
	listener := netip.MustParseAddrPort("93.184.216.34:443")
	t.Run("the server's own listener is refused and its neighbour is not", func(t *testing.T) {
		g := newGuard(Config{Self: []netip.AddrPort{listener}}.withDefaults())
		if err := judge(g, listener.Addr(), 443); !errors.Is(err, ErrRefused) {
			t.Errorf("own listener: %v, want ErrRefused", err)
		}
		if err := judge(g, listener.Addr().Next(), 443); err != nil {
			t.Errorf("another host: %v", err)
		}
	})
	t.Run("a listener on every address is refused on each of the machine's", func(t *testing.T) {
		g := newGuard(Config{Self: []netip.AddrPort{netip.MustParseAddrPort("[::]:443")}}.withDefaults())
		g.interfaces = func() ([]net.Addr, error) {
			return []net.Addr{&net.IPNet{IP: listener.Addr().AsSlice(), Mask: net.CIDRMask(24, 32)}}, nil
		}
		if err := judge(g, listener.Addr(), 443); !errors.Is(err, ErrRefused) {
			t.Errorf("own address: %v, want ErrRefused", err)
		}
		if err := judge(g, listener.Addr().Next(), 443); err != nil {
			t.Errorf("another host in the same net: %v", err)
		}
		g.interfaces = func() ([]net.Addr, error) { return nil, errors.New("not told") }
		if err := judge(g, listener.Addr().Next(), 443); !errors.Is(err, ErrRefused) {
			t.Errorf("a machine that doesn't know its addresses: %v, want ErrRefused", err)
		}
	})
	t.Run("in development the demo may call itself", func(t *testing.T) {
		self := netip.MustParseAddrPort("127.0.0.1:8080")
		g := newGuard(Config{AllowLoopback: true, Self: []netip.AddrPort{self}}.withDefaults())
		if err := judge(g, self.Addr(), 8080); err != nil {
			t.Errorf("own listener in development: %v", err)
		}
	})
}
