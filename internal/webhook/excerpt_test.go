package webhook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"latchkey"
)

// counting counts the bytes read of every answer.
type counting struct {
	transport http.RoundTripper
	read      *atomic.Int64
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.transport.RoundTrip(r)
	if err == nil {
		response.Body = countingBody{response.Body, c.read}
	}
	return response, err
}

type countingBody struct {
	io.ReadCloser
	read *atomic.Int64
}

func (b countingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read.Add(int64(n))
	return n, err
}

func TestAnswers(t *testing.T) {
	t.Run("of an answer without end 64 KiB are read, and then it counts", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			chunk := bytes.Repeat([]byte("x"), 1<<20)
			for range 1 << 10 { // 1 GiB
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}))
		defer server.Close()
		var read atomic.Int64
		store := &ledger{}
		client := &http.Client{Transport: counting{server.Client().Transport, &read}}
		New(Config{Store: store, Client: client, OpenSecret: openTestSecret}).Deliver(t.Context(), deliveryTo(server.URL, 1))
		got := store.only(t)
		fmt.Printf("RESULT E-9.read %d %d\nRESULT E-9.kept %d %d\n", read.Load(), 64<<10, len(got.Excerpt), 1<<10)
		if read.Load() != maxAnswer || len(got.Excerpt) != maxExcerpt || !got.Delivered {
			t.Errorf("%d bytes read, %d kept, delivered: %v", read.Load(), len(got.Excerpt), got.Delivered)
		}
	})

	t.Run("an excerpt can't forge log lines or hide what it says", func(t *testing.T) {
		cases := []struct{ hostile, want string }{
			{"line\r\nX-Forged: 1\n", "line  X-Forged: 1 "},
			{"bell\x07 esc\x1b[31m nul\x00 del\x7f c1\u0085", "bell esc[31m nul del c1 "},
			{"right\u202eto\u2066left\u200b", "righttoleft"},
			{"line\u2028paragraph\u2029nbsp\u00a0", "line paragraph nbsp "},
			{"not \xff\xfe UTF-8 \xc3", "not  UTF-8 "},
			{"schön 日本 🎉", "schön 日本 🎉"},
		}
		for _, c := range cases {
			if got := deliver(t, 1, answering(500, "Content-Type: text/plain", c.hostile)); got.Excerpt != c.want {
				t.Errorf("%q becomes %q, want %q", c.hostile, got.Excerpt, c.want)
			}
		}
	})

	t.Run("an excerpt cut within a character stays UTF-8", func(t *testing.T) {
		got := deliver(t, 1, answering(500, "", "x"+strings.Repeat("é", 2000)))
		if len(got.Excerpt) != maxExcerpt-1 || !utf8.ValidString(got.Excerpt) {
			t.Errorf("%d bytes, valid: %v", len(got.Excerpt), utf8.ValidString(got.Excerpt))
		}
	})

	t.Run("a dead host is told by its kind only", func(t *testing.T) {
		if got := describe(&latchkey.Error{Code: latchkey.Forbidden, Message: "address not allowed", Err: errors.New("10.0.0.1")}); got != "address not allowed" {
			t.Errorf("described as %q", got)
		}
		if got := describe(fmt.Errorf("dial 10.0.0.1: %w", errors.New("odd"))); got != "no usable answer" {
			t.Errorf("described as %q", got)
		}
	})
}

func FuzzExcerpt(f *testing.F) {
	f.Add([]byte("ok\r\n\x00\xff\u202e"))
	f.Fuzz(func(t *testing.T, hostile []byte) {
		got, err := readExcerpt(bytes.NewReader(hostile))
		if err != nil || len(got) > maxExcerpt || !utf8.ValidString(got) || strings.ContainsAny(got, "\r\n\t\x00\x1b") {
			t.Errorf("%q, %v", got, err)
		}
	})
}
