package recipe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"latchkey/internal/connector"
)

// maxRedirects is how many redirects of one request are followed, where the
// recipe says so.
const maxRedirects = 5

// request is one request of a recipe.
type request struct {
	Method   string            `yaml:"method"`
	Path     text              `yaml:"path"`
	FormFrom *selector         `yaml:"form_from"` // in place of method and path: a form of the page before
	Query    pairs             `yaml:"query"`
	Headers  map[string]text   `yaml:"headers"`
	Form     pairs             `yaml:"form"`
	JSON     *jsonBody         `yaml:"json"`
	Follow   bool              `yaml:"follow"`
	Save     map[string]source `yaml:"save"`
	line     int
}

// UnmarshalYAML reads a request and remembers its line.
func (r *request) UnmarshalYAML(node *yaml.Node) error {
	type plain request
	r.line = node.Line
	return node.Decode((*plain)(r))
}

// target returns where the request goes.
func (r *request) target(base *url.URL, v values) (*url.URL, error) {
	var path strings.Builder
	path.WriteString(base.EscapedPath())
	for _, p := range r.Path.parts {
		value, err := v.lookup(p)
		switch {
		case err != nil:
			return nil, err
		case p.origin == "":
			path.Write(value)
		case len(bytes.Trim(value, ".")) == 0: // nothing, or a way up
			return nil, fmt.Errorf("%s.%s can't stand in a path", p.origin, p.name)
		default:
			path.WriteString(url.PathEscape(string(value)))
		}
	}
	target := &url.URL{Scheme: base.Scheme, Host: base.Host, RawPath: path.String()}
	var err error
	if target.Path, err = url.PathUnescape(target.RawPath); err != nil {
		return nil, errors.New("the path is not well escaped")
	}
	query, err := r.Query.appendTo(nil, v)
	target.RawQuery = string(query)
	return target, err
}

// body returns the encoded body and its content type; nil when there is none.
// A form that was taken over is filled in.
// The caller clears the bytes.
func (r *request) body(taken *form, v values) (encoded []byte, contentType string, err error) {
	switch {
	case taken != nil:
		encoded, err = taken.encode(r.Form, v)
		contentType = "application/x-www-form-urlencoded"
	case r.JSON != nil:
		encoded, err = r.JSON.appendTo(nil, v)
		contentType = "application/json"
	case r.Form != nil:
		encoded, err = r.Form.appendTo([]byte{}, v)
		contentType = "application/x-www-form-urlencoded"
	}
	if err != nil {
		clear(encoded)
		return nil, "", err
	}
	return encoded, contentType, nil
}

// order is a request that is about to be sent.
type order struct {
	method   string
	target   *url.URL
	form     *form // taken over from a page; nil: the recipe's own body
	withBody bool
}

// prepare returns where a request goes and how.
func (v *visit) prepare(r *request) (order, error) {
	if r.FormFrom == nil {
		target, err := r.target(v.recipe.base, v.values(v.recipe.base))
		return order{method: r.Method, target: target, withBody: true}, err
	}
	f, err := v.form(r)
	if err != nil {
		return order{}, err
	}
	target, err := url.Parse(f.Action)
	if err != nil || !sameOrigin(target, v.recipe.base) {
		return order{}, fmt.Errorf("the form %q leads to another site", r.FormFrom.source)
	}
	o := order{method: f.Method, target: target, form: f, withBody: f.Method == http.MethodPost}
	if o.withBody {
		return o, nil
	}
	if slices.ContainsFunc(r.Form, func(p pair) bool { return p.text.uses(fromField) }) {
		return order{}, fmt.Errorf("the form %q is sent by GET: what was submitted would stand in a URL", r.FormFrom.source)
	}
	query, err := f.encode(r.Form, v.values(target))
	target.RawQuery = string(query)
	return o, err
}

// do sends a request and reads its answer, following redirects within the
// origin where the recipe says so. An error never shows the URL or anything
// that was sent.
func (v *visit) do(ctx context.Context, r *request) (*answer, error) {
	if v.transport == nil {
		return nil, errors.New("no way out: the client has no transport")
	}
	if v.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, v.timeout)
		defer cancel()
	}
	o, err := v.prepare(r)
	if err != nil {
		return nil, err
	}
	for hop := 0; ; hop++ {
		response, err := v.send(ctx, r, o)
		if err != nil {
			return nil, err
		}
		v.jar.store(o.target, response.Cookies(), v.now)
		next, ok := redirect(response, o.target)
		if !r.Follow || !ok {
			a, err := readAnswer(response)
			if err != nil {
				return nil, err
			}
			a.from, a.place = o.target, r.place()
			v.page = a
			return a, nil
		}
		response.Body.Close()
		if hop == maxRedirects {
			return nil, fmt.Errorf("more than %d redirects", maxRedirects)
		}
		if response.StatusCode < http.StatusTemporaryRedirect { // 301, 302, 303
			o.method, o.withBody = http.MethodGet, false
		}
		o.target = next
	}
}

// place names the request for the operator as the file does, with its
// placeholders.
func (r *request) place() string {
	if r.FormFrom != nil {
		return "form " + r.FormFrom.source
	}
	return r.Method + " " + r.Path.source
}

// redirect returns where an answer redirects to, if that is within the same
// origin.
func redirect(response *http.Response, from *url.URL) (*url.URL, bool) {
	switch response.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, false
	}
	location := response.Header.Get("Location")
	if location == "" {
		return nil, false
	}
	next, err := from.Parse(location)
	if err != nil || !sameOrigin(next, from) {
		return nil, false
	}
	next.Fragment, next.RawFragment = "", ""
	return next, true
}

// sameOrigin reports whether two URLs have the same scheme, host and port, and
// neither names a user.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Host, b.Host) && a.User == nil && b.User == nil
}

// send sends one request.
func (v *visit) send(ctx context.Context, r *request, o order) (*http.Response, error) {
	if v.left--; v.left < 0 {
		return nil, fmt.Errorf("more than %d requests in one call", maxRequests)
	}
	out, err := http.NewRequestWithContext(ctx, o.method, o.target.String(), nil)
	if err != nil {
		return nil, errors.New("the request can't be built")
	}
	if o.withBody {
		encoded, contentType, err := r.body(o.form, v.values(o.target))
		if err != nil {
			return nil, err
		}
		defer clear(encoded)
		setBody(out, encoded, contentType)
	}
	if o.form != nil {
		out.Header.Set("Referer", o.form.Page) // some sites want it of a form
	}
	for _, headers := range []map[string]text{v.recipe.Headers, r.Headers} {
		if err := setHeaders(out.Header, headers, v.values(o.target)); err != nil {
			return nil, err
		}
	}
	if v.userAgent != "" {
		out.Header.Set("User-Agent", v.userAgent)
	}
	v.jar.addTo(out, v.now)
	response, err := v.transport.RoundTrip(out)
	if err != nil {
		return nil, fmt.Errorf("send the request: %w", err)
	}
	return response, nil
}

// setBody gives the request copies of the encoded body, each of which is
// cleared when the transport is through with it.
func setBody(out *http.Request, encoded []byte, contentType string) {
	if encoded == nil {
		return
	}
	out.Header.Set("Content-Type", contentType)
	out.ContentLength = int64(len(encoded))
	out.GetBody = func() (io.ReadCloser, error) { return connector.NewSecretBody(encoded), nil }
	out.Body = connector.NewSecretBody(encoded)
}

// setHeaders expands headers. net/http refuses line breaks in them.
func setHeaders(header http.Header, texts map[string]text, v values) error {
	for name, text := range texts {
		value, err := text.expand(v)
		if err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
		header.Set(name, string(value))
		clear(value)
	}
	return nil
}

// addTo adds the cookies that are due to a request.
func (j *jar) addTo(out *http.Request, now time.Time) {
	for _, c := range j.due(out.URL, now) {
		out.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value, Quoted: c.Quoted})
	}
}
