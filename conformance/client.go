package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 4 << 20

// answer is what came back.
type answer struct {
	s        *suite
	exchange string // what was asked, for a failure
	status   int
	header   http.Header
	body     []byte
}

// call asks the API with the key of the run. A string body goes as it is, any
// other as JSON. Headers are pairs of name and value; the name is sent in the
// case given, and an empty value sends none.
func (s *suite) call(method, path string, body any, headers ...string) answer {
	return s.send(method, s.url+path, body, append([]string{"apikey", s.key}, headers...)...)
}

// longestWait is what the suite waits at most where it is told to.
const longestWait = 30 * time.Second

// send sends a request and reads its answer. Where the budget of the key or of
// the address is used up, by this run or another, it waits as it is told to and
// asks again. The budgets of connections are left to the rows.
func (s *suite) send(method, address string, body any, headers ...string) answer {
	for try := 1; ; try++ {
		got := s.ask(method, address, body, headers...)
		seconds, err := strconv.Atoi(got.header.Get("Retry-After"))
		wait := time.Duration(seconds) * time.Second
		if got.status != http.StatusTooManyRequests || err != nil || wait > longestWait || try == 8 ||
			strings.HasPrefix(address, s.url+"/v2/access/") {
			return got
		}
		s.pause(wait)
	}
}

// ask sends one request and reads its answer.
func (s *suite) ask(method, address string, body any, headers ...string) answer {
	request, err := http.NewRequestWithContext(s.ctx, method, address, s.reader(body))
	if err != nil {
		s.failf("%s %s can't be asked: %v", method, address, err)
	}
	if body != nil {
		request.Header["Content-Type"] = []string{"application/json"}
	}
	for i := 0; i+1 < len(headers); i += 2 {
		setHeader(request.Header, headers[i], headers[i+1])
	}
	response, err := s.client.Do(request)
	if err != nil {
		s.failf("%s %s was not answered: %v", method, request.URL.Path, err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		s.failf("%s %s: the answer broke off: %v", method, request.URL.Path, err)
	}
	got := answer{s: s, status: response.StatusCode, header: response.Header, body: content}
	got.exchange = method + " " + request.URL.RequestURI()
	s.remember(blank(fmt.Sprintf("%s → %d %s", got.exchange, got.status, excerpt(got))))
	return got
}

// reader returns the body as it is sent.
func (s *suite) reader(body any) io.Reader {
	switch body := body.(type) {
	case nil:
		return nil
	case string:
		return strings.NewReader(body)
	}
	return bytes.NewReader(s.encode(body))
}

// encode returns the JSON of something of the suite's own.
func (s *suite) encode(body any) []byte {
	encoded, err := json.Marshal(body, json.Deterministic(true))
	if err != nil {
		s.failf("a request of the suite's own can't be encoded: %v", err)
	}
	return encoded
}

// setHeader sets a header in the case it is given, in place of any other case.
func setHeader(header http.Header, name, value string) {
	for given := range header {
		if strings.EqualFold(given, name) {
			delete(header, given)
		}
	}
	if value != "" {
		header[name] = []string{value}
	}
}

// want fails the row unless the answer has the status.
func (a answer) want(status int) answer {
	if a.status != status {
		a.s.failf("%s was answered %d, want %d", a.exchange, a.status, status)
	}
	return a
}

// json reads the answer as JSON.
func (a answer) json() value {
	if mediaType, _, _ := strings.Cut(a.header.Get("Content-Type"), ";"); mediaType != "application/json" {
		a.s.failf("%s was answered as %q, want application/json", a.exchange, mediaType)
	}
	var data any
	if err := json.Unmarshal(a.body, &data); err != nil {
		a.s.failf("%s was answered with what is no JSON: %v", a.exchange, err)
	}
	return value{s: a.s, data: data, present: true}
}

// ok is want 200 and json.
func (a answer) ok() value { return a.want(http.StatusOK).json() }

// head fails the row unless the header has one of the values.
func (a answer) head(name string, values ...string) {
	for _, value := range values {
		if a.header.Get(name) == value {
			return
		}
	}
	a.s.failf("%s was answered with %s: %q, want %q", a.exchange, name, a.header.Get(name), values)
}
