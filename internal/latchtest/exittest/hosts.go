package exittest

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// spellings writes an address as hosts of URLs in every way that some resolver
// or gateway is known to understand.
func spellings(address netip.Addr) []string {
	if address.Is6() {
		return []string{"[" + address.String() + "]", "[" + address.StringExpanded() + "]", "[" + address.WithZone("lo").String() + "]"}
	}
	b := address.As4()
	number := binary.BigEndian.Uint32(b[:])
	high, low := number>>16, number&0xffff
	return []string{
		address.String(),
		address.String() + ".",
		fmt.Sprintf("%d", number),
		fmt.Sprintf("0x%08x", number),
		fmt.Sprintf("%#o", number),
		fmt.Sprintf("%#o.%#o.%#o.%#o", b[0], b[1], b[2], b[3]),
		fmt.Sprintf("0x%x.0x%x.0x%x.0x%x", b[0], b[1], b[2], b[3]),
		fmt.Sprintf("%d.%d", b[0], number&0xffffff),
		fmt.Sprintf("%d.%d.%d", b[0], b[1], low),
		fmt.Sprintf("%d.0x%x.%#o.%d", b[0], b[1], b[2], b[3]),
		fmt.Sprintf("%d。%d。%d。%d", b[0], b[1], b[2], b[3]),
		fmt.Sprintf("%d%%2e%d%%2e%d%%2e%d", b[0], b[1], b[2], b[3]),
		fmt.Sprintf("%d-%d-%d-%d.rebind.example", b[0], b[1], b[2], b[3]),
		fmt.Sprintf("[::ffff:%s]", address),
		fmt.Sprintf("[::ffff:%x:%x]", high, low),
		fmt.Sprintf("[::%x:%x]", high, low),
		fmt.Sprintf("[64:ff9b::%x:%x]", high, low),
		fmt.Sprintf("[64:ff9b:1::%x:%x]", high, low),
		fmt.Sprintf("[2002:%x:%x::1]", high, low),
		fmt.Sprintf("[2001:0:%x:%x::]", high, low),
		fmt.Sprintf("[2001::%x:%x]", ^high&0xffff, ^low&0xffff),
		fmt.Sprintf("[2a00:1450::5efe:%x:%x]", high, low),
		fmt.Sprintf("[fe80::5efe:%x:%x]", high, low),
	}
}

// HostileHosts returns hosts that all lead inside.
func HostileHosts() []string {
	hosts := []string{
		"169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "192.0.0.192", "168.63.129.16", "metadata.azure.internal", "metadata", "instance-data",
		"localhost", "LOCALHOST", "localhost.", "foo.localhost", "metadata.google.internal", "router.local", "intranet",
		"[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:7f00:1]", "127.1", "127.0.1", "0", "0x7f.1", "017700000001", "①②⑦.⓪.⓪.①", "169.254.169.254.nip.example",
	}
	random := &Dice{}
	for _, prefix := range Special {
		for _, address := range []netip.Addr{prefix.Masked().Addr(), Middle(prefix), Last(prefix), random.Within(prefix), random.Within(prefix)} {
			if !IsSpecial(address.Unmap()) {
				continue // a public IPv4 address in IPv6 clothes: to the dialer it is that public address
			}
			hosts = append(hosts, spellings(address)...)
		}
	}
	return hosts
}
