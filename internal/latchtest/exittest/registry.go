package exittest

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
)

// Special are the address blocks that must never be reached, written out from
// the IANA special-purpose registries (IPv4 and IPv6) and the notes beside each,
// independently of the library that the guard relies on.
var Special = parsePrefixes(
	// IANA IPv4 Special-Purpose Address Registry
	"0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/32", "192.0.0.171/32",
	"192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.88.99.2/32", "192.168.0.0/16",
	"192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "255.255.255.255/32",
	// IANA IPv6 Special-Purpose Address Registry
	"::1/128", "::/128", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64",
	"2001::/23", "2001::/32", "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:2::/48", "2001:3::/32",
	"2001:4:112::/48", "2001:10::/28", "2001:20::/28", "2001:30::/28", "2001:db8::/32", "2002::/16",
	"2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10",
	// multicast, deprecated site-local and IPv4-compatible, unassigned, metadata
	"224.0.0.0/4", "ff00::/8", "fec0::/10", "::/96", "4000::/2", "8000::/1", "::/3", "168.63.129.16/32",
)

func parsePrefixes(texts ...string) []netip.Prefix {
	prefixes := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		prefixes[i] = netip.MustParsePrefix(text)
	}
	return prefixes
}

// IsSpecial reports whether one of the blocks holds the address.
func IsSpecial(address netip.Addr) bool {
	for _, prefix := range Special {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// Middle returns the address half-way through a block.
func Middle(prefix netip.Prefix) netip.Addr {
	bytes := prefix.Masked().Addr().AsSlice()
	if bit := prefix.Bits(); bit < 8*len(bytes) {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	address, _ := netip.AddrFromSlice(bytes)
	return address
}

// Last returns the highest address of a block.
func Last(prefix netip.Prefix) netip.Addr {
	bytes := prefix.Masked().Addr().AsSlice()
	for bit := prefix.Bits(); bit < 8*len(bytes); bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	address, _ := netip.AddrFromSlice(bytes)
	return address
}

// Dice are numbers that look random and are the same in every run.
type Dice struct{ throws uint64 }

// Bytes returns the next of them.
func (d *Dice) Bytes() [32]byte {
	d.throws++
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte("egress"), d.throws))
}

// Within returns some address of a block.
func (d *Dice) Within(prefix netip.Prefix) netip.Addr {
	bytes, thrown := prefix.Masked().Addr().AsSlice(), d.Bytes()
	for bit := prefix.Bits(); bit < 8*len(bytes); bit++ {
		bytes[bit/8] |= thrown[bit/8] & (0x80 >> (bit % 8))
	}
	address, _ := netip.AddrFromSlice(bytes)
	return address
}
