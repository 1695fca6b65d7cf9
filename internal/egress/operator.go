package egress

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// operatorAnswer bounds what a server of the operator's may answer, in bytes.
const operatorAnswer = 1 << 20

// Operator returns a client for one server that the operator names, as a key
// management service: it connects to that host and port and nowhere else, which
// may be on a private network. Plain http is for loopback addresses alone. Nil
// roots are the system's; every request ends within the timeout.
func Operator(server *url.URL, roots *x509.CertPool, timeout time.Duration) (*http.Client, error) {
	plain := server.Scheme == "http"
	if plain {
		address, err := netip.ParseAddr(server.Hostname())
		if err != nil || !isLoopback(address.Unmap()) {
			return nil, errors.New("it must be https, or http at a loopback address like 127.0.0.1")
		}
	} else if server.Scheme != "https" {
		return nil, errors.New("it must be https")
	}
	config := Config{RootCAs: roots, Timeouts: Timeouts{Dial: timeout, TLS: timeout, Header: timeout}}.withDefaults()
	wanted := hostAndPort(server)
	dialer := &net.Dialer{Timeout: timeout}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if address != wanted {
			return nil, refusal("the destination is not the configured one")
		}
		return dialer.DialContext(ctx, network, address)
	}
	limits := limits{body: operatorAnswer, idlePerHost: 4, idle: 4}
	return &http.Client{
		Transport:     &gate{next: newTransport(config, limits, dial), limits: limits, plain: plain, userAgent: config.UserAgent},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       timeout,
	}, nil
}

// hostAndPort is what a transport dials for a URL.
func hostAndPort(server *url.URL) string {
	port := server.Port()
	switch {
	case port != "":
	case server.Scheme == "http":
		port = "80"
	default:
		port = "443"
	}
	return net.JoinHostPort(server.Hostname(), port)
}
