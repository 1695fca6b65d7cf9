package proxy_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"html"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
)

// shape is an answer of random shape that repeats secrets wherever an answer
// can hold text.
type shape struct {
	random  *rand.Rand
	secrets []string // of the request, and those that the answer sets
	fresh   []string // those that it sets
}

// pick returns one of the values.
func pick[T any](s *shape, values ...T) T { return values[s.random.IntN(len(values))] }

// one returns a secret, in an encoding of its own.
func (s *shape) one() string {
	secret := pick(s, s.secrets...)
	quoted, _ := json.Marshal(secret)
	inJSON := strings.Trim(string(quoted), `"`)
	plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(inJSON)
	return pick(s, secret, url.QueryEscape(secret), url.PathEscape(secret), plain, strings.ReplaceAll(plain, "/", `\/`), html.EscapeString(secret))
}

// field returns a header line that repeats a secret.
func (s *shape) field() string {
	name := pick(s, "X-Echo", "Location", "Link", "Etag", "Content-Location", "Refresh", "Authorization", "X-Auth-Token", "Www-Authenticate",
		"Authentication-Info", "Proxy-Authenticate", "X-Debug-Request", "Server-Timing", "Content-Disposition", "Warning", "Vary", "Set-Cookie2",
		"Access-Control-Allow-Headers", "X-Request-Id", "Content-Security-Policy", "Report-To", "Age", "x-echo", "X-"+fmt.Sprint(s.random.IntN(1000)))
	format := pick(s, "%s", "Bearer %s", "sid=%s; Path=/", "https://other.example/?token=%s#x", "\"%s\"", "<https://a.example/%s>; rel=next", "0;url=/%s", "a, %s, b")
	return name + ":" + pick(s, " ", "", "\t") + fmt.Sprintf(format, s.one()) + "\r\n"
}

// cookies returns lines that set new cookies, or none.
func (s *shape) cookies(fresh func() string) string {
	text := ""
	if s.random.IntN(8) == 0 {
		text = "Set-Cookie:\r\n" // an empty one first
	}
	for _, name := range []string{"sid", "device"} {
		if s.random.IntN(4) == 0 {
			value := fresh()
			s.fresh, s.secrets = append(s.fresh, name+"="+value), append(s.secrets, value)
			text += pick(s, "Set-Cookie", "set-cookie", "SET-COOKIE") + ": " + name + "=" + value + pick(s, "", "; Path=/; HttpOnly", "; Max-Age=3600; Secure") + "\r\n"
		}
	}
	return text
}

// page returns a body that repeats secrets.
func (s *shape) page() (mediaType string, body []byte) {
	mediaType = pick(s, "text/html; charset=utf-8", "application/json", "text/plain", "application/xml", "text/event-stream", "application/octet-stream",
		"application/problem+json", "application/javascript", "image/svg+xml", "text/csv", "")
	filler := strings.Repeat(pick(s, "lorem ipsum ", "c4n4ry", "\r\n", "{\"a\":1},"), pick(s, 0, 1, 7, 300, 4000))
	if s.random.IntN(40) == 0 {
		filler = strings.Repeat("c4n4ry0123456789", 1<<10) // as long as what is masked at the most
	}
	var b strings.Builder
	for range s.random.IntN(5) {
		_, _ = fmt.Fprintf(&b, pick(s, "%s<p>Hello %s</p>", "%s{\"token\":\"%s\"}", "%sCookie: sid=%s; x=y\r\n", "%sdata: %s\n\n", "%s%s"), filler, s.one())
	}
	return mediaType, []byte(b.String())
}

// encoded packs the body, or claims to.
func (s *shape) encoded(body []byte) (header string, packed []byte) {
	var out bytes.Buffer
	switch s.random.IntN(10) {
	case 0, 1:
		w := gzip.NewWriter(&out)
		_, _ = w.Write(body)
		_ = w.Close()
		return "Content-Encoding: " + pick(s, "gzip", "GZIP", "x-gzip", "identity, gzip") + "\r\n", out.Bytes()
	case 2:
		w := zlib.NewWriter(&out)
		_, _ = w.Write(body)
		_ = w.Close()
		return "Content-Encoding: deflate\r\n", out.Bytes()
	case 3:
		return "Content-Encoding: " + pick(s, "br", "zstd", "gzip, gzip", "compress", "unknown", "gzip") + "\r\n", body
	case 4:
		return "Content-Encoding: identity\r\n", body
	}
	return "", body
}

// trailers returns the end of a body in chunks.
func (s *shape) trailers() (announced, end string) {
	if s.random.IntN(3) == 0 {
		announced = "Trailer: X-Sum, Set-Cookie, X-Echo\r\n"
	}
	for range s.random.IntN(3) {
		end += pick(s, "X-Sum: ", "Set-Cookie: sid=", "X-Echo: ") + s.one() + "\r\n"
	}
	return announced, "0\r\n" + end + "\r\n"
}

// chunks cuts a body anywhere, within secrets too.
func (s *shape) chunks(body []byte) string {
	var b strings.Builder
	for len(body) > 0 {
		n := min(len(body), 1+s.random.IntN(pick(s, 3, 40, 5000)))
		_, _ = fmt.Fprintf(&b, "%x%s\r\n%s\r\n", n, pick(s, "", ";x="+pick(s, s.secrets...)[:10]), body[:n])
		body = body[n:]
	}
	return b.String()
}

// answer writes the whole answer to the request. Fresh makes new secrets.
func (s *shape) answer(w *bufio.Writer, request *http.Request, fresh func() string) {
	for range s.random.IntN(3) {
		if s.random.IntN(3) == 0 {
			_, _ = fmt.Fprintf(w, "HTTP/1.1 %s\r\n%sSet-Cookie: sid=%s\r\n\r\n", pick(s, "103 Early Hints", "102 Processing", "100 Continue"), s.field(), s.one())
		}
	}
	status := pick(s, 200, 200, 200, 200, 201, 203, 204, 206, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 407, 409, 418, 426, 429, 451, 500, 501, 502, 503, 504, 599)
	cookies := s.cookies(fresh)
	var fields strings.Builder
	for range s.random.IntN(5) {
		fields.WriteString(s.field())
	}
	mediaType, body := s.page()
	encoding, packed := s.encoded(body)
	reason := pick(s, "OK", "", s.one(), "Moved "+s.one())
	_, _ = fmt.Fprintf(w, "HTTP/1.1 %d %s\r\n%s%s%s", status, reason, cookies, fields.String(), encoding)
	if mediaType != "" {
		_, _ = fmt.Fprintf(w, "Content-Type: %s\r\n", mediaType)
	}
	bare := request.Method == http.MethodHead || status == 204 || status == 304
	switch {
	case bare:
		_, _ = w.WriteString("\r\n")
	case s.random.IntN(3) == 0:
		announced, end := s.trailers()
		_, _ = fmt.Fprintf(w, "%sTransfer-Encoding: chunked\r\n\r\n%s%s", announced, s.chunks(packed), end)
	case s.random.IntN(5) == 0: // until the connection ends
		_, _ = fmt.Fprintf(w, "Connection: close, X-Echo\r\n\r\n%s", packed)
	default:
		_, _ = fmt.Fprintf(w, "Content-Length: %d\r\n\r\n%s", len(packed), packed)
	}
	_ = w.Flush()
}
