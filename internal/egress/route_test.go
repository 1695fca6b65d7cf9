package egress

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest/exittest"
)

// onceBody is a body that can be read only once, and knows when it is closed.
type onceBody struct {
	io.Reader
	closed atomic.Int64
}

func (b *onceBody) Close() error {
	b.closed.Add(1)
	return nil
}

func TestAnotherExitGetsTheWholeBody(t *testing.T) {
	site := newPlainServer(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	dead := exittest.Start(t, exittest.Options{Scheme: "http"})
	alive := exittest.Start(t, exittest.Options{Scheme: "socks5", To: strings.TrimPrefix(site.URL, "http://")})
	dead.Die()
	exits := []Exit{{Name: "dead", Proxy: dead.URL, Country: "DE"}, {Name: "alive", Proxy: alive.URL, Country: "DE"}}
	way := Way{Key: "ls_1", Exit: "dead", Place: inGermany}
	post := func(e *Egress) (string, *onceBody, error) {
		body := &onceBody{Reader: strings.NewReader("the whole body")}
		request, err := http.NewRequest(http.MethodPost, "http://93.184.216.34/", body)
		if err != nil {
			t.Fatal(err)
		}
		response, err := e.TransportFor(Proxy, way).RoundTrip(request)
		if err != nil {
			return "", body, err
		}
		defer func() { _ = response.Body.Close() }()
		got, err := io.ReadAll(response.Body)
		return string(got), body, err
	}
	t.Run("when the first has failed, and the way stays there", func(t *testing.T) {
		e := newFenced(t, Config{AllowLoopback: true, Exits: exits})
		if got, body, err := post(e); got != "the whole body" || err != nil || body.closed.Load() != 1 {
			t.Errorf("%q, %v, closed %d times", got, err, body.closed.Load())
		}
		if name, err := e.Choose(way); name != "alive" || err != nil {
			t.Errorf("then it goes by %q, %v", name, err)
		}
	})
	t.Run("and without another the body is closed", func(t *testing.T) {
		_, body, err := post(newFenced(t, Config{AllowLoopback: true, Exits: exits[:1]}))
		if latchkey.CodeOf(err) != latchkey.NetworkFailed || errors.Is(err, ErrNoExit) || body.closed.Load() != 1 {
			t.Errorf("%v, closed %d times", err, body.closed.Load())
		}
	})
	t.Run("a purpose without exits panics", func(t *testing.T) {
		defer func() {
			if recover() == nil {
				t.Error("there was a client")
			}
		}()
		New(Config{Exits: exits}).ClientFor(Webhook, way)
	})
}
