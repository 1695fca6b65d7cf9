package proxy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"latchkey"
)

// dropped are the caller's headers that never reach the provider: what
// authenticates to us, what would authenticate to the provider instead of the
// connection's credential, and what tells who the caller is, as X-Forwarded-*
// does too.
var dropped = []string{
	"Apikey", "X-Connection-Id", "Authorization", "Proxy-Authorization", "Cookie", "Cookie2", "Set-Cookie",
	"Forwarded", "Via", "True-Client-Ip", "X-Client-Ip", "X-Real-Ip", "X-Original-Url",
	"X-Original-Host", "X-Rewrite-Url", "X-Http-Method-Override", "X-Http-Method", "X-Method-Override",
	"Origin", "Referer",
}

// targetOf joins the provider's base and the caller's path and query. The path
// may not leave the base.
func targetOf(base *url.URL, r *http.Request) (*url.URL, error) {
	rest, plain := strings.CutPrefix(r.URL.EscapedPath(), "/v2/access/proxy/")
	decoded, err := url.PathUnescape(rest)
	if !plain || err != nil || strings.ContainsAny(decoded, "\\\x00\r\n") {
		return nil, latchkey.InvalidField("path", "is malformed")
	}
	for segment := range strings.SplitSeq(decoded, "/") {
		segment, _, _ = strings.Cut(segment, ";") // some servers read ..;x as ..
		if segment == ".." || segment == "." {
			return nil, latchkey.InvalidField("path", "may not contain . or .. segments")
		}
	}
	target := *base
	prefix := strings.TrimSuffix(base.EscapedPath(), "/")
	target.RawPath = prefix + "/" + rest
	if target.Path, err = url.PathUnescape(target.RawPath); err != nil {
		return nil, latchkey.InvalidField("path", "is malformed")
	}
	target.RawQuery, target.ForceQuery = r.URL.RawQuery, r.URL.ForceQuery
	return &target, nil
}

// rewrite makes the outgoing request: the provider's address, the caller's
// method, body and harmless headers, and no upgrade.
func rewrite(request *httputil.ProxyRequest, target *url.URL) {
	out := request.Out
	out.URL, out.Host = target, ""
	for _, name := range dropped {
		delete(out.Header, name) // they are written as the header's keys are
	}
	for name := range out.Header {
		// Proxies turn an underscore into a dash, and two headers into one.
		if strings.Contains(name, "_") || strings.HasPrefix(name, "X-Forwarded-") {
			delete(out.Header, name)
		}
	}
	for _, name := range []string{"Upgrade", "Connection", "Te", "Trailer"} {
		out.Header.Del(name)
	}
	out.Header.Set("Accept-Encoding", "identity") // an answer that can't be read can't be judged
	if _, given := out.Header["User-Agent"]; !given {
		out.Header.Set("User-Agent", "Latchkey/1")
	}
	out.Trailer = nil
}

// failure carries an error through the reverse proxy to its error handler.
type failure struct{}

// failRequest makes the transport fail with the error.
func failRequest(out *http.Request, err error) {
	*out = *out.WithContext(context.WithValue(out.Context(), failure{}, err))
}

// failing is a transport that fails a request marked by failRequest.
type failing struct{ next http.RoundTripper }

// RoundTrip passes the request on unless it is marked.
func (f failing) RoundTrip(request *http.Request) (*http.Response, error) {
	if err, marked := request.Context().Value(failure{}).(error); marked {
		return nil, err
	}
	return f.next.RoundTrip(request)
}

// describe tells the caller what kind of failure it was and nothing else.
func (d *door) describe(err error) error {
	if known, ok := errors.AsType[*latchkey.Error](err); ok {
		return known
	}
	var network net.Error
	if errors.Is(err, context.Canceled) || errors.As(err, &network) {
		return &latchkey.Error{Code: latchkey.NetworkFailed, Message: "the provider can't be reached", Err: err, RetryAfter: 5}
	}
	return &latchkey.Error{Code: latchkey.ProxyFailed, Message: "the provider's answer can't be used", Err: err}
}
