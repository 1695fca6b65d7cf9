package web

import (
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestTheAddressOfARequest(t *testing.T) {
	local := []string{"127.0.0.0/8", "10.0.0.0/8", "fd00::/8"}
	for _, test := range []struct {
		name, peer string
		trusted    []string
		forwarded  []string
		want       string
	}{
		{"a peer", "192.0.2.1:1234", nil, nil, "192.0.2.1"},
		{"a peer that says it is another", "192.0.2.1:1234", nil, []string{"198.51.100.1"}, "192.0.2.1"},
		{"a peer that is no proxy, while others are", "192.0.2.1:1234", local, []string{"198.51.100.1"}, "192.0.2.1"},
		{"a proxy without a word", "10.0.0.1:1", local, nil, "10.0.0.1"},
		{"a proxy with an empty word", "10.0.0.1:1", local, []string{""}, "10.0.0.1"},
		{"a proxy", "10.0.0.1:1", local, []string{"198.51.100.1"}, "198.51.100.1"},
		{"a proxy that nobody trusts any more", "10.0.0.1:1", nil, []string{"198.51.100.1"}, "10.0.0.1"},
		{"a proxy behind a proxy", "10.0.0.1:1", local, []string{"198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"the last that is not a proxy", "10.0.0.1:1", local, []string{"203.0.113.9, 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"a proxy's address that the person wrote", "10.0.0.1:1", local, []string{"10.9.9.9, 198.51.100.1"}, "198.51.100.1"},
		{"two headers count as one", "10.0.0.1:1", local, []string{"203.0.113.9", "198.51.100.1"}, "198.51.100.1"},
		{"proxies alone", "10.0.0.1:1", local, []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"what is no address ends the way", "10.0.0.1:1", local, []string{"203.0.113.9, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"a name", "10.0.0.1:1", local, []string{"evil.example"}, "10.0.0.1"},
		{"white space", "10.0.0.1:1", local, []string{"  198.51.100.1\t"}, "198.51.100.1"},
		{"with a port", "10.0.0.1:1", local, []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"IPv6, which is its network", "[2001:db8:1:2:3:4:5:6]:1", nil, nil, "2001:db8:1:2::/64"},
		{"the same network", "[2001:db8:1:2:ffff::1]:1", nil, nil, "2001:db8:1:2::/64"},
		{"another network", "[2001:db8:1:3::1]:1", nil, nil, "2001:db8:1:3::/64"},
		{"IPv6 behind a proxy", "10.0.0.1:1", local, []string{"2001:db8:1:2::9"}, "2001:db8:1:2::/64"},
		{"IPv6 with a port", "10.0.0.1:1", local, []string{"[2001:db8:1:2::9]:80"}, "2001:db8:1:2::/64"},
		{"an IPv6 proxy", "[fd00::1]:1", local, []string{"198.51.100.1"}, "198.51.100.1"},
		{"IPv4 in IPv6 is IPv4", "[::ffff:192.0.2.1]:1", nil, nil, "192.0.2.1"},
		{"a proxy in IPv6", "[::ffff:10.0.0.1]:1", local, []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"a zone does not make another address", "[fe80::1%eth0]:1", nil, nil, "fe80::/64"},
		{"a socket without address", "@", local, []string{"198.51.100.1"}, ""},
		{"nothing", "", nil, nil, ""},
	} {
		request := httptest.NewRequest("GET", "/", nil)
		request.RemoteAddr = test.peer
		for _, forwarded := range test.forwarded {
			request.Header.Add("X-Forwarded-For", forwarded)
		}
		for _, other := range []string{"Forwarded", "X-Real-Ip", "X-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "X-Cluster-Client-Ip"} {
			request.Header.Set(other, "for=203.0.113.77")
		}
		var trusted []netip.Prefix
		for _, network := range test.trusted {
			trusted = append(trusted, netip.MustParsePrefix(network))
		}
		if got := addressOf(request.RemoteAddr, request.Header["X-Forwarded-For"], trusted); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
