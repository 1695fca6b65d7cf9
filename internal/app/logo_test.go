package app

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func picture(t *testing.T, side int) []byte {
	t.Helper()
	var drawn bytes.Buffer
	if err := png.Encode(&drawn, image.NewGray(image.Rect(0, 0, side, 1))); err != nil {
		t.Fatal(err)
	}
	return drawn.Bytes()
}

func TestWhatIsAPicture(t *testing.T) {
	for what, c := range map[string]struct{ data, want string }{
		"an SVG":                       {`<svg xmlns="http://www.w3.org/2000/svg"/>`, "image/svg+xml"},
		"an SVG with a declaration":    {"\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- x --><svg/>", "image/svg+xml"},
		"a PNG":                        {string(picture(t, 48)), "image/png"},
		"a PNG that is too wide":       {string(picture(t, 5000)), ""},
		"a WebP":                       {"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"},
		"a page":                       {"<!doctype html><svg></svg>", ""},
		"a page in XML":                {"<?xml version=\"1.0\"?><html><body/></html>", ""},
		"a script":                     {"alert(1)", ""},
		"nothing":                      {"", ""},
		"the beginning of a PNG":       {"\x89PNG\r\n\x1a\n", ""},
		"an SVG far behind other text": {strings.Repeat(" ", 2000) + "<svg/>", ""},
	} {
		if got := pictureType([]byte(c.data)); got != c.want {
			t.Errorf("%s is %q, want %q", what, got, c.want)
		}
	}
}

func TestLogosAreFetchedOnceAndKept(t *testing.T) {
	var asked atomic.Int64
	release := make(chan struct{})
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/slow.svg":
			<-release
			_, _ = w.Write([]byte("<svg/>"))
		case "/logo.svg":
			_, _ = w.Write([]byte("<svg/>"))
		case "/large.svg":
			_, _ = w.Write(append([]byte("<svg>"), make([]byte, maxLogo)...))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer site.Close()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := newLogos(site.Client(), func() time.Time { return now })
	find := func(path string) bool {
		_, ok := l.find(t.Context(), site.URL+path)
		return ok
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if !find("/logo.svg") {
				t.Error("there is no logo")
			}
		})
	}
	all.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("it is fetched %d times", n)
	}
	for _, path := range []string{"/none.svg", "/large.svg", "/none.svg"} {
		if find(path) {
			t.Errorf("%s is shown", path)
		}
	}
	if n := asked.Load(); n != 3 {
		t.Errorf("what is not there is asked for again: %d", n)
	}
	now = now.Add(logoRetry + time.Second)
	if find("/none.svg"); asked.Load() != 4 {
		t.Errorf("after a while it is not asked for again: %d", asked.Load())
	}
	if _, ok := l.find(t.Context(), "::"); ok {
		t.Error("what is no URL has a logo")
	}
	hurried, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok := l.find(hurried, site.URL+"/slow.svg"); ok {
		t.Error("who can't wait has a logo")
	}
	close(release)
	if !find("/slow.svg") { // fetched meanwhile
		t.Error("it never comes")
	}
	for i := range maxLogos + 10 {
		find("/none.svg?" + strings.Repeat("x", i+1))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.kept); n > maxLogos {
		t.Errorf("%d are kept", n)
	}
}
