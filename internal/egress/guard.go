package egress

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"code.dny.dev/ssrf"
)

// alsoDenied are addresses outside the special registries that answer, inside
// a cloud, with what is nobody else's business.
var alsoDenied = []netip.Prefix{
	netip.MustParsePrefix("168.63.129.16/32"), // Azure: agent, DNS and metadata of the host
}

// guard knows where one may go. Behind the public addresses of ssrf (the IANA
// special-purpose registries, and for IPv6 nothing outside 2000::/3) come the
// port, ISATAP, the server itself, and loopback where development allows it.
type guard struct {
	allowLoopback bool
	ports         []uint16
	self          []netip.AddrPort
	interfaces    func() ([]net.Addr, error) // the addresses of this machine
	public        *ssrf.Guardian
}

func newGuard(config Config) *guard {
	g := &guard{
		allowLoopback: config.AllowLoopback,
		self:          config.Self,
		interfaces:    net.InterfaceAddrs,
		// The guard checks ports itself: to ssrf, a list without ports is any port.
		public: ssrf.New(ssrf.WithAnyPort(), ssrf.WithDeniedV4Prefixes(slices.Clone(alsoDenied)...)),
	}
	for _, port := range config.AllowedPorts {
		if port > 0 && port < 1<<16 {
			g.ports = append(g.ports, uint16(port))
		}
	}
	return g
}

// control is the net.Dialer's Control: it sees the resolved address just
// before the connection. Its errors wrap ErrRefused and name the address, so
// they are for the log only.
func (g *guard) control(network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("%w: network %s", ErrRefused, network)
	}
	destination, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: unreadable address", ErrRefused)
	}
	return g.check(destination)
}

// check judges an address and port.
func (g *guard) check(destination netip.AddrPort) error {
	if g.isDevelopment(destination) {
		return nil
	}
	if !g.allowsPort(destination.Port()) {
		return fmt.Errorf("%w: port %d", ErrRefused, destination.Port())
	}
	return g.checkPlace(destination)
}

// checkPlace judges an address whatever its port, but for the server itself.
func (g *guard) checkPlace(destination netip.AddrPort) error {
	address := destination.Addr()
	if err := g.public.SafeAddr(address); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if isISATAP(address) {
		return fmt.Errorf("%w: %s is an ISATAP address", ErrRefused, address)
	}
	if g.isSelf(destination) {
		return fmt.Errorf("%w: %s is this server", ErrRefused, destination)
	}
	return nil
}

// isDevelopment reports whether the destination is one that only development
// may reach, and it may.
func (g *guard) isDevelopment(destination netip.AddrPort) bool {
	return g.allowLoopback && isLoopback(destination.Addr()) && destination.Port() != 0
}

func (g *guard) allowsPort(port uint16) bool { return slices.Contains(g.ports, port) }

// isLoopback reports whether the address is in 127.0.0.0/8 or ::1 as such, not
// one of those in another address's clothes.
func isLoopback(address netip.Addr) bool {
	return address.Is4() && address.IsLoopback() || address == netip.IPv6Loopback()
}

// isISATAP reports whether the address carries an IPv4 address as its
// interface identifier (RFC 5214, section 6.1): 0000:5efe or 0200:5efe.
func isISATAP(address netip.Addr) bool {
	if !address.Is6() {
		return false
	}
	b := address.As16()
	return b[8]&^0x02 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}

// isSelf reports whether the server itself listens there. When the machine
// doesn't tell its addresses, it is taken for one of them.
func (g *guard) isSelf(destination netip.AddrPort) bool {
	if g.allowLoopback {
		return false
	}
	for _, own := range g.self {
		if own == destination {
			return true
		}
		if own.Port() == destination.Port() && own.Addr().IsUnspecified() && g.isOwnAddress(destination.Addr()) {
			return true
		}
	}
	return false
}

func (g *guard) isOwnAddress(address netip.Addr) bool {
	own, err := g.interfaces()
	return err != nil || slices.ContainsFunc(own, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr().Unmap() == address
	})
}
