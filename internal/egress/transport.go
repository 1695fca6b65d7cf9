package egress

import (
	"cmp"
	"crypto/tls"
	"net/http"
	"time"
)

// newTransport returns a transport that connects by dial alone.
// Proxy is nil on purpose: one from the environment would hide from the guard
// where a request really goes.
func newTransport(config Config, limits limits, dial dial) *http.Transport {
	return &http.Transport{
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: config.RootCAs, Time: config.Now},
		TLSHandshakeTimeout:    config.Timeouts.TLS,
		ResponseHeaderTimeout:  config.Timeouts.Header,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConns:           cmp.Or(limits.idle, 512),
		MaxIdleConnsPerHost:    limits.idlePerHost,
		IdleConnTimeout:        90 * time.Second,
		DisableCompression:     limits.asItCame,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}
}

// gate stands before the transport and judges what the dialer can't see.
type gate struct {
	next      http.RoundTripper
	limits    limits
	plain     bool // http is allowed
	userAgent string
}

// RoundTrip refuses every scheme but https, names the sender, and bounds the
// answer's body: reading on beyond the bound is an *http.MaxBytesError.
func (g *gate) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Scheme != "https" && (request.URL.Scheme != "http" || !g.plain) {
		if request.Body != nil {
			_ = request.Body.Close()
		}
		return nil, refusal("only https is allowed")
	}
	if _, named := request.Header["User-Agent"]; !named && !g.limits.asItCame {
		request = request.Clone(request.Context())
		request.Header.Set("User-Agent", g.userAgent)
	}
	response, err := g.next.RoundTrip(request)
	if err != nil {
		return nil, withoutQuotes(err)
	}
	if g.limits.body > 0 {
		response.Body = http.MaxBytesReader(nil, response.Body, g.limits.body)
	}
	return response, nil
}
