package proxy

import (
	"net/http"

	"latchkey"
	"latchkey/internal/web"
)

// limits holds the token bucket of each connection, with its default until the
// connection's own is known.
type limits struct{ buckets *web.Buckets }

// take takes a token and writes the headers of the bucket, or refuses.
func (l limits) take(header http.Header, name string) error {
	return l.buckets.Take(header, name, latchkey.RateLimit{}.OrDefault())
}

// adjust gives the bucket the connection's own limit.
func (l limits) adjust(header http.Header, name string, limit latchkey.RateLimit) {
	l.buckets.Adjust(header, name, limit.OrDefault())
}
