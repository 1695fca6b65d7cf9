package oauth2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"latchkey/internal/connector"
)

// Bounds of what one call may take.
const (
	callLimit = 10 * time.Second // all requests of one call together
	maxAnswer = 512 << 10        // bytes of an answer's body
)

// visit is one call of the connector: its way out and its time.
type visit struct {
	*Connector
	http *http.Client
	now  time.Time
}

// answer is what a server answered, read to its end.
type answer struct {
	endpoint string // which of the server's, for errors
	status   int
	body     []byte
	members  object // nil when the body is no JSON object
	unread   error  // why it is none
}

// close zeroes the answer.
func (a *answer) close() {
	clear(a.body)
	zero(a.members)
}

// ok reports whether the server has done what it was asked for.
func (a *answer) ok() bool { return a.status >= 200 && a.status <= 299 }

// object returns the body of a good answer.
func (a *answer) object() (object, error) {
	if !a.ok() {
		return nil, a.unexpected()
	}
	if a.members == nil {
		return nil, fmt.Errorf("%s: the answer is %w", a.endpoint, a.unread)
	}
	return a.members, nil
}

// blocked reports whether the server wants us to leave it alone for a while: it
// says so (429), or answers with a page that keeps machines out where JSON
// belongs.
func (a *answer) blocked() bool {
	return a.status == http.StatusTooManyRequests || (a.status == http.StatusForbidden && a.members == nil)
}

// unexpected is the error of an answer that is not understood. Its text is
// never the body's, which may hold a token.
func (a *answer) unexpected() error {
	if a.blocked() {
		return fmt.Errorf("%s: status %d: %w", a.endpoint, a.status, connector.ErrBlocked)
	}
	if code := a.errorCode(); code != "" {
		return fmt.Errorf("%s: status %d, error %s", a.endpoint, a.status, code)
	}
	return fmt.Errorf("%s: status %d", a.endpoint, a.status)
}

// errorCode returns the answer's error code (RFC 6749, section 5.2), "" when
// there is none of the usual form.
func (a *answer) errorCode() string {
	code, _ := textOf(a.members["error"])
	if !codePattern.MatchString(code) {
		return ""
	}
	return code
}

// request is a request to be sent.
type request struct {
	endpoint string // which of the server's, for errors
	method   string
	address  string
	header   http.Header
	body     []byte // the caller zeroes it
}

// fetch sends a request and reads the answer. It follows no redirect, takes no
// compressed body and reads no more than maxAnswer bytes of it.
func (v *visit) fetch(ctx context.Context, q request) (*answer, error) {
	target, err := url.Parse(q.address)
	if err == nil {
		err = safeURL(target, v.development)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", q.endpoint, innermost(err))
	}
	out, err := http.NewRequestWithContext(ctx, q.method, target.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%s: a request can't be built", q.endpoint)
	}
	for name, values := range q.header {
		out.Header[name] = slices.Clone(values)
	}
	out.Header.Set("Accept", "application/json")
	out.Header.Set("Accept-Encoding", "identity") // or a small body may be a large one
	if q.body != nil {
		out.Body, out.ContentLength = connector.NewSecretBody(q.body), int64(len(q.body))
		out.GetBody = func() (io.ReadCloser, error) { return connector.NewSecretBody(q.body), nil }
	}
	client := *v.http
	client.Jar = nil
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	in, err := client.Do(out)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", q.endpoint, innermost(err))
	}
	defer in.Body.Close()
	return read(q.endpoint, in)
}

// read reads an answer to its end.
func read(endpoint string, in *http.Response) (*answer, error) {
	if encoding := in.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, fmt.Errorf("%s: the answer is compressed, which was not asked for", endpoint)
	}
	if in.ContentLength > maxAnswer {
		return nil, fmt.Errorf("%s: the answer is larger than %d bytes", endpoint, maxAnswer)
	}
	if in.StatusCode >= 300 && in.StatusCode <= 399 {
		return nil, fmt.Errorf("%s: status %d: redirects are not followed", endpoint, in.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(in.Body, maxAnswer+1))
	if err != nil {
		clear(body)
		return nil, fmt.Errorf("%s: read the answer: %w", endpoint, innermost(err))
	}
	if len(body) > maxAnswer {
		clear(body)
		return nil, fmt.Errorf("%s: the answer is larger than %d bytes", endpoint, maxAnswer)
	}
	a := &answer{endpoint: endpoint, status: in.StatusCode, body: body}
	a.members, a.unread = parseObject(body)
	return a, nil
}

// innermost returns the error without the URL that net/http and net/url put
// before it: a token may stand in its query.
func innermost(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}
