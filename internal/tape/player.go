package tape

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
)

// Load reads a recorded fixture.
func Load(folder string) (Fixture, error) {
	var told story
	text, err := read(filepath.Join(folder, storyFile))
	if err != nil {
		return Fixture{}, err
	}
	if err := json.Unmarshal(text, &told); err != nil {
		return Fixture{}, fmt.Errorf("%s is damaged: %w", storyFile, err)
	}
	fixture := Fixture{At: told.At, Answers: told.Answers, User: told.User}
	for i := range maxExchanges {
		name := filepath.Join(folder, fmt.Sprintf("%02d", i+1))
		request, err := read(name + ".request.http")
		if errors.Is(err, os.ErrNotExist) {
			return fixture, nil
		}
		if err != nil {
			return Fixture{}, err
		}
		response, err := read(name + ".response.http")
		if err != nil {
			return Fixture{}, err
		}
		seen, err := exchangeOf(request, response)
		if err != nil {
			return Fixture{}, fmt.Errorf("%s: %w", name, err)
		}
		fixture.Exchanges = append(fixture.Exchanges, seen)
	}
	return Fixture{}, fmt.Errorf("more than %d exchanges", maxExchanges)
}

// read reads one file of a fixture, of bounded size.
func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the recording: %w", err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	return text, err
}

// exchangeOf reads both sides of an exchange.
func exchangeOf(request, response []byte) (seen Exchange, err error) {
	var first string
	if first, seen.RequestHeader, seen.RequestBody, err = parse(request); err != nil {
		return seen, fmt.Errorf("request: %w", err)
	}
	method, address, ok := strings.Cut(first, " ")
	if !ok {
		return seen, errors.New("request: want a method and a URL")
	}
	seen.Method, seen.URL = method, address
	if first, seen.Header, seen.Body, err = parse(response); err != nil {
		return seen, fmt.Errorf("response: %w", err)
	}
	number, _, _ := strings.Cut(first, " ")
	if seen.Status, err = strconv.Atoi(number); err != nil || seen.Status < 100 || seen.Status > 599 {
		return seen, errors.New("response: want a status")
	}
	return seen, nil
}

// parse reads what message has written.
func parse(text []byte) (first string, header http.Header, body []byte, err error) {
	reader := bufio.NewReader(bytes.NewReader(text))
	lines := textproto.NewReader(reader)
	if first, err = lines.ReadLine(); err != nil {
		return "", nil, nil, errors.New("no first line")
	}
	fields, err := lines.ReadMIMEHeader()
	if err != nil {
		return "", nil, nil, fmt.Errorf("headers: %w", err)
	}
	body, err = io.ReadAll(reader)
	return first, http.Header(fields), body, err
}

// Player is a transport that answers as a recorded provider did. A request
// that was not recorded next is an error that tells how it differs.
type Player struct {
	mu   sync.Mutex
	left []Exchange
	turn int
}

// Play returns a transport for a fixture.
func Play(fixture Fixture) *Player { return &Player{left: fixture.Exchanges} }

// Left returns how many recorded exchanges were not asked for.
func (p *Player) Left() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.left)
}

// RoundTrip answers the next recorded request.
func (p *Player) RoundTrip(request *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var body []byte
	if request.Body != nil {
		read, err := io.ReadAll(io.LimitReader(request.Body, maxBody))
		if err = closeAfter(request.Body, err); err != nil {
			return nil, fmt.Errorf("read the request's body: %w", err)
		}
		body = read
	}
	p.turn++
	if len(p.left) == 0 {
		return nil, fmt.Errorf("request %d: %s %s: the recording ends before it", p.turn, request.Method, request.URL.Path)
	}
	next := p.left[0]
	if wrong := differs(next, request, body); wrong != "" {
		return nil, fmt.Errorf("request %d is not the recorded one: %s", p.turn, wrong)
	}
	p.left = p.left[1:]
	return &http.Response{
		Status: strconv.Itoa(next.Status) + " " + http.StatusText(next.Status), StatusCode: next.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: next.Header.Clone(),
		Body: io.NopCloser(bytes.NewReader(next.Body)), ContentLength: int64(len(next.Body)), Request: request,
	}, nil
}

// differs tells in what a request differs from the recorded one, "" for
// nothing. Where the site is reached does not count.
func differs(recorded Exchange, request *http.Request, body []byte) string {
	was, err := url.Parse(recorded.URL)
	switch {
	case err != nil:
		return "its URL is damaged"
	case recorded.Method != request.Method || was.EscapedPath() != request.URL.EscapedPath():
		return fmt.Sprintf("%s %s, recorded %s %s", request.Method, request.URL.EscapedPath(), recorded.Method, was.EscapedPath())
	case was.RawQuery != request.URL.RawQuery:
		return fmt.Sprintf("%s %s: query %q, recorded %q", request.Method, was.Path, request.URL.RawQuery, was.RawQuery)
	case !bytes.Equal(recorded.RequestBody, body):
		return fmt.Sprintf("%s %s: body %q, recorded %q", request.Method, was.Path, body, recorded.RequestBody)
	case recorded.RequestHeader.Get("Cookie") != request.Header.Get("Cookie"):
		return fmt.Sprintf("%s %s: cookies %q, recorded %q", request.Method, was.Path, request.Header.Get("Cookie"), recorded.RequestHeader.Get("Cookie"))
	}
	return ""
}
