package latchkey

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxAnswer bounds an answer of the API in bytes. Answers of providers, which
// come through the proxy, are the caller's to bound.
const maxAnswer = 8 << 20

var errTooLarge = errors.New("the answer is larger than 8 MiB")

// call is one call of the API.
type call struct {
	pattern    string // method and path, with at most one {wildcard}
	id         string // what stands for the wildcard
	connection string // of an access call
	query      url.Values
	body       any    // nil: none
	key        string // idempotency key; a call that has one is safe to send twice
	again      bool   // safe to send twice, though it is a POST
	once       bool   // not safe to send twice, though it is a PATCH
}

// isSafe reports whether the call may be sent twice: a reading, a deletion, or
// a change that sets what it names to given values.
func (c call) isSafe() bool {
	method, _, _ := strings.Cut(c.pattern, " ")
	return !c.once && (method != http.MethodPost || c.again || c.key != "")
}

// do makes a call and decodes its answer, unless the answer is nil. Errors
// name the call by its pattern: a path may hold a client secret.
func (c *Client) do(ctx context.Context, call call, answer any) (http.Header, error) {
	header, err := c.exchange(ctx, call, answer)
	if err != nil {
		return nil, fmt.Errorf("latchkey: %s: %w", call.pattern, withoutURL(err))
	}
	return header, nil
}

func (c *Client) exchange(ctx context.Context, call call, answer any) (http.Header, error) {
	method, path, err := call.target()
	if err != nil {
		return nil, err
	}
	var body []byte
	if call.body != nil {
		if body, err = json.Marshal(call.body); err != nil {
			return nil, err
		}
	}
	response, lost, err := c.repeat(ctx, call.isSafe(), func() (*http.Response, error) {
		request, err := c.request(ctx, method, path, call.query, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Accept", "application/json")
		if body != nil {
			request.Header.Set("Content-Type", "application/json")
		}
		if call.key != "" {
			request.Header.Set("Idempotency-Key", call.key)
		}
		if call.connection != "" {
			request.Header.Set(connectionHeader, call.connection)
		}
		return c.fetch(request)
	})
	if err != nil {
		return nil, err
	}
	if method == http.MethodDelete && response.StatusCode == http.StatusNotFound && lost {
		return response.Header, nil // the deletion whose answer was lost had happened
	}
	return response.Header, decode(response, answer)
}

// target returns the method and the escaped path of the call.
func (c call) target() (method, path string, err error) {
	method, path, _ = strings.Cut(c.pattern, " ")
	before, rest, found := strings.Cut(path, "{")
	if !found {
		return method, path, nil
	}
	name, after, _ := strings.Cut(rest, "}")
	if !isID(c.id) {
		return "", "", errors.New(name + " is empty or has characters that no id has")
	}
	return method, before + c.id + after, nil
}

// isID reports whether the text can stand in a path as it is and can't be
// mistaken for another path.
func isID(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		return !letter && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}

// request makes a request to a path of the API, which is escaped already.
func (c *Client) request(ctx context.Context, method, path string, query url.Values, body io.Reader) (*http.Request, error) {
	target := c.base.String() + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", c.userAgent)
	c.authorize(request.Header)
	return request, nil
}

// fetch sends the request and reads the whole answer, so that a connection
// that breaks half way counts as broken.
func (c *Client) fetch(request *http.Request) (*http.Response, error) {
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxAnswer {
		return nil, errTooLarge
	}
	response.Body = io.NopCloser(bytes.NewReader(content))
	return response, nil
}

// decode reads a good answer's JSON, or returns the *Error of any other.
func decode(response *http.Response, answer any) error {
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return ErrorOf(response)
	}
	if answer == nil || response.StatusCode == http.StatusNoContent {
		return nil
	}
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(content, answer); err != nil {
		return fmt.Errorf("the answer %d is not what was expected: %w", response.StatusCode, err)
	}
	return nil
}

// withoutURL takes the URL, which may hold a client secret, out of a
// transport's error.
func withoutURL(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err
	}
	return err
}
