package egress

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// newPlainServer serves http on loopback.
func newPlainServer(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// newDevelopment returns an egress that may reach loopback.
func newDevelopment(t *testing.T, timeouts Timeouts) *Egress {
	t.Helper()
	return newFenced(t, Config{AllowLoopback: true, Timeouts: timeouts})
}

var purposes = []Purpose{Webhook, Provider, Proxy}

func TestRedirects(t *testing.T) {
	var followed atomic.Int64
	target := newPlainServer(t, func(http.ResponseWriter, *http.Request) { followed.Add(1) })
	locations := []string{
		target.URL, target.URL + "/next", "/elsewhere", "//127.0.0.1/", "http://10.0.0.1/", "file:///etc/passwd",
		"gopher://127.0.0.1:6379/_x", "http://user:password@" + strings.TrimPrefix(target.URL, "http://"), "",
	}
	e := newDevelopment(t, Timeouts{})
	t.Run("no redirect is followed, its answer is the answer", func(t *testing.T) {
		answered := 0
		for _, purpose := range purposes {
			for _, status := range []int{301, 302, 303, 307, 308} {
				for _, location := range locations {
					hops := 0
					server := newPlainServer(t, func(w http.ResponseWriter, _ *http.Request) {
						hops++
						w.Header().Set("Location", location)
						w.WriteHeader(status)
					})
					response, err := e.Client(purpose).Post(server.URL, "text/plain", strings.NewReader("x"))
					if err != nil {
						t.Fatalf("%s, %d to %q: %v", purpose, status, location, err)
					}
					_ = response.Body.Close()
					answered++
					if response.StatusCode != status || hops != 1 {
						t.Errorf("%s, %d to %q: status %d after %d requests", purpose, status, location, response.StatusCode, hops)
					}
					server.Close()
				}
			}
		}
		fmt.Printf("RESULT E-3 %d 0\nRESULT E-3.n %d 100\n", followed.Load(), answered)
		if followed.Load() != 0 {
			t.Errorf("%d followed", followed.Load())
		}
	})
}

func TestChainsOfRedirects(t *testing.T) {
	var asked atomic.Int64
	chain := newPlainServer(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		left, _ := strconv.Atoi(r.URL.Query().Get("left"))
		if left == 0 {
			_, _ = io.WriteString(w, "the end")
			return
		}
		next := fmt.Sprintf("%s?left=%d", r.URL.Path, left-1)
		switch r.URL.Path {
		case "/refresh-header":
			w.Header().Set("Refresh", "0; url="+next)
		case "/refresh-page":
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, `<meta http-equiv="refresh" content="0; url=`+next+`">`)
		default:
			status, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
			w.Header().Set("Location", next)
			w.WriteHeader(status)
		}
	})
	e := newDevelopment(t, Timeouts{})
	begun := 0
	for _, purpose := range []Purpose{Webhook, Provider, Proxy, Logo} {
		for _, kind := range []string{"301", "302", "303", "307", "308", "refresh-header", "refresh-page"} {
			for length := 1; length <= 10; length++ {
				begun++
				response, err := e.Client(purpose).Get(fmt.Sprintf("%s/%s?left=%d", chain.URL, kind, length))
				if err != nil {
					t.Fatal(err)
				}
				_ = response.Body.Close()
			}
		}
	}
	fmt.Printf("RESULT E-3.chains %d 0\nRESULT E-3.chains.n %d 280\n", asked.Load()-int64(begun), begun)
	if asked.Load() != int64(begun) {
		t.Errorf("%d requests for %d chains", asked.Load(), begun)
	}
}

func TestClient(t *testing.T) {
	e := newDevelopment(t, Timeouts{})
	t.Run("cookies are not kept", func(t *testing.T) {
		server := newPlainServer(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Cookie") != "" {
				t.Error("a cookie came back")
			}
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		})
		for range 2 {
			response, err := e.Client(Provider).Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
		}
	})
	t.Run("a proxy in the environment is not used", func(t *testing.T) {
		var used atomic.Int64
		proxy := newPlainServer(t, func(http.ResponseWriter, *http.Request) { used.Add(1) })
		for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
			t.Setenv(name, proxy.URL)
		}
		closed := newFenced(t, Config{Resolver: resolver(t, toLoopback)})
		for _, purpose := range purposes {
			if _, err := closed.Client(purpose).Get("https://somewhere.example/"); !errors.Is(err, ErrRefused) {
				t.Errorf("%s: %v, want ErrRefused", purpose, err)
			}
		}
		if used.Load() != 0 {
			t.Errorf("the proxy was asked %d times", used.Load())
		}
	})
	t.Run("in production plain http and other schemes are refused before any lookup", func(t *testing.T) {
		closed := newFenced(t, Config{AllowedPorts: []int{80, 443}})
		for _, purpose := range purposes {
			for _, address := range []string{"http://93.184.216.34/", "file:///etc/passwd", "gopher://somewhere.example/"} {
				request, err := http.NewRequest(http.MethodPost, address, strings.NewReader("x"))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := closed.Client(purpose).Do(request); !errors.Is(err, ErrRefused) {
					t.Errorf("%s %s: %v, want ErrRefused", purpose, address, err)
				}
			}
		}
	})
	t.Run("the sender is named, except where bytes pass as they came", func(t *testing.T) {
		server := newPlainServer(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.UserAgent()+"|"+r.Header.Get("Accept-Encoding"))
		})
		for purpose, want := range map[Purpose]string{Webhook: "Latchkey/1|gzip", Provider: "Latchkey/1|gzip", Proxy: "|"} {
			request, err := http.NewRequest(http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			if purpose == Proxy {
				request.Header["User-Agent"] = nil // as httputil.ReverseProxy does
			}
			response, err := e.Transport(purpose).RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if string(body) != want {
				t.Errorf("%s: sent %q, want %q", purpose, body, want)
			}
			if purpose != Proxy && len(request.Header) != 0 {
				t.Errorf("%s: the caller's request was changed", purpose)
			}
		}
	})
	t.Run("a connection is used again", func(t *testing.T) {
		peers := make(map[string]bool)
		server := newPlainServer(t, func(_ http.ResponseWriter, r *http.Request) { peers[r.RemoteAddr] = true })
		for range 10 {
			response, err := e.Client(Proxy).Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
		}
		if len(peers) != 1 {
			t.Errorf("10 requests in a row took %d connections", len(peers))
		}
	})
	t.Run("what New makes is guarded", func(t *testing.T) {
		closed := New(Config{})
		for _, purpose := range purposes {
			for _, transport := range []http.RoundTripper{closed.Client(purpose).Transport, closed.Transport(purpose)} {
				request, err := http.NewRequest(http.MethodGet, "https://127.0.0.1/", nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := transport.RoundTrip(request); !errors.Is(err, ErrRefused) {
					t.Errorf("%s: %v, want ErrRefused", purpose, err)
				}
			}
		}
	})
	t.Run("an unknown purpose panics", func(t *testing.T) {
		defer func() {
			if recover() == nil {
				t.Error("there was a client")
			}
		}()
		e.Client("leisure")
	})
}

func TestThisMachineIsReachedByItsNameInDevelopment(t *testing.T) {
	server := newPlainServer(t, func(http.ResponseWriter, *http.Request) {})
	address := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	for _, purpose := range purposes {
		response, err := newDevelopment(t, Timeouts{}).Client(purpose).Get(address)
		if err != nil {
			t.Errorf("%s: %v", purpose, err)
			continue
		}
		_ = response.Body.Close()
	}
	if _, err := newFenced(t, Config{}).Client(Provider).Get(strings.Replace(address, "http:", "https:", 1)); !errors.Is(err, ErrRefused) {
		t.Errorf("in production: %v", err)
	}
}
