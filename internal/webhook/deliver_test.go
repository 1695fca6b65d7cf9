package webhook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
)

const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// ledger is a Store that only remembers outcomes.
type ledger struct {
	mu       sync.Mutex
	outcomes []latchkey.DeliveryOutcome
}

func (l *ledger) DueEndpoints(context.Context, time.Time, string, int) ([]latchkey.DueEndpoint, error) {
	return nil, nil
}

func (l *ledger) ClaimDeliveries(context.Context, time.Time, time.Duration, []latchkey.DeliveryShare,
) ([]latchkey.Delivery, error) {
	return nil, nil
}

func (l *ledger) FinishDelivery(ctx context.Context, _ latchkey.Delivery, outcome latchkey.DeliveryOutcome) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outcomes = append(l.outcomes, outcome)
	return ctx.Err()
}

func (l *ledger) only(t *testing.T) latchkey.DeliveryOutcome {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.outcomes) != 1 {
		t.Fatalf("%d outcomes recorded, want 1", len(l.outcomes))
	}
	return l.outcomes[0]
}

func openTestSecret(context.Context, latchkey.WebhookEndpoint) ([]latchkey.Secret, error) {
	return []latchkey.Secret{latchkey.NewSecret([]byte(testSecret))}, nil
}

func deliveryTo(url string, attempt int) latchkey.Delivery {
	return latchkey.Delivery{
		Endpoint:  latchkey.WebhookEndpoint{ID: "we_1", URL: url},
		EventID:   "evt_1",
		EventType: latchkey.EventConnectionCreated,
		Subject:   "conn_1",
		Body:      []byte(`{"id":"evt_1","type":"connection.created"}`),
		Attempt:   attempt,
	}
}

// deliver makes one attempt at a real server on loopback and returns its
// outcome.
func deliver(t *testing.T, attempt int, handler http.HandlerFunc) latchkey.DeliveryOutcome {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{}, Timeout: 300 * time.Millisecond}
	defer client.CloseIdleConnections()
	store := &ledger{}
	New(Config{Store: store, Client: client, OpenSecret: openTestSecret}).Deliver(t.Context(), deliveryTo(server.URL, attempt))
	return store.only(t)
}

func answering(status int, header, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if name, value, found := strings.Cut(header, ": "); found {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// raw answers with these bytes and closes the connection.
func raw(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}
}

// hang takes the request and never answers.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func TestDeliver(t *testing.T) {
	cases := []struct {
		name    string
		handler http.HandlerFunc
		status  int
		excerpt string
		after   time.Duration // the least time until the retry; 0: no retry
		success bool
		disable bool
	}{
		{name: "200 is delivered", handler: answering(200, "", "ok"), status: 200, excerpt: "ok", success: true},
		{name: "204 is delivered", handler: answering(204, "", ""), status: 204, success: true},
		{name: "299 is delivered", handler: answering(299, "", ""), status: 299, success: true},
		{name: "301 is a failure and is not followed", handler: answering(301, "Location: /elsewhere", ""), status: 301, after: 4 * time.Second},
		{name: "307 is a failure and is not followed", handler: answering(307, "Location: /elsewhere", ""), status: 307, after: 4 * time.Second},
		{name: "400 is a failure", handler: answering(400, "", "what?"), status: 400, excerpt: "what?", after: 4 * time.Second},
		{name: "410 disables", handler: answering(410, "", "gone"), status: 410, excerpt: "gone", disable: true},
		{name: "410 disables even when it breaks off", handler: raw("HTTP/1.1 410 Gone\r\nContent-Length: 9\r\n\r\ngo"), status: 410, excerpt: "go", disable: true},
		{name: "429 with Retry-After is heeded", handler: answering(429, "Retry-After: 600", ""), status: 429, after: 10 * time.Minute},
		{name: "503 with Retry-After is heeded", handler: answering(503, "Retry-After: 600", ""), status: 503, after: 10 * time.Minute},
		{name: "503 may not ask for more than an hour", handler: answering(503, "Retry-After: 999999", ""), status: 503, after: time.Hour},
		{name: "Retry-After of another status is ignored", handler: answering(500, "Retry-After: 600", "oops"), status: 500, excerpt: "oops", after: 4 * time.Second},
		{name: "a reset before the answer", handler: raw(""), excerpt: "the connection broke off", after: 4 * time.Second},
		{name: "a reset in the middle of the header", handler: raw("HTTP/1.1 200 OK\r\nConte"), excerpt: "no usable answer", after: 4 * time.Second},
		{name: "a reset in the middle of a 200 is no answer", handler: raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), status: 200, excerpt: "the connection broke off", after: 4 * time.Second},
		{name: "a reset in the middle of a 500 keeps what came", handler: raw("HTTP/1.1 500 Oh\r\nContent-Length: 100\r\n\r\nhalf"), status: 500, excerpt: "half", after: 4 * time.Second},
		{name: "no HTTP at all", handler: raw("220 mail.example.com ESMTP\r\n"), excerpt: "no usable answer", after: 4 * time.Second},
		{name: "a hang past the timeout", handler: hang, excerpt: "timed out", after: 4 * time.Second},
		{name: "a switch of protocols", handler: switching, status: 101, after: 4 * time.Second},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			begin := time.Now()
			got := deliver(t, 1, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/" {
					t.Error("a redirect was followed")
				}
				c.handler(w, r)
			})
			if got.Delivered != c.success || got.Disable != c.disable || got.Status != c.status || got.Excerpt != c.excerpt {
				t.Errorf("outcome %+v", got)
			}
			if got.At.Before(begin) {
				t.Errorf("at %v, before it began", got.At)
			}
			if took := got.At.Sub(begin); took >= attemptTimeout {
				t.Errorf("it took %v: the client's own Timeout is not heeded", took)
			}
			switch wait := got.RetryAt.Sub(got.At); {
			case c.after == 0 && !got.RetryAt.IsZero():
				t.Errorf("a retry at %v", got.RetryAt)
			case c.after > 0 && (wait < c.after || wait > c.after*3/2):
				t.Errorf("a retry after %v, want about %v", wait, c.after)
			}
		})
	}
}

// switching answers with 101 and keeps the connection open until the test is
// over, or for ever.
func switching(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tea\r\n\r\n")
	_, _ = io.Copy(io.Discard, conn) // ends when the sender hangs up
}

func TestLastAttempt(t *testing.T) {
	t.Run("the last failure parks", func(t *testing.T) {
		got := deliver(t, Attempts, answering(500, "", ""))
		if got.Delivered || got.Disable || !got.RetryAt.IsZero() {
			t.Errorf("outcome %+v", got)
		}
	})

	t.Run("the last attempt may still succeed", func(t *testing.T) {
		if got := deliver(t, Attempts, answering(200, "", "")); !got.Delivered {
			t.Errorf("outcome %+v", got)
		}
	})
}

func TestRequest(t *testing.T) {
	t.Run("what is sent is what is signed, with a new time at every attempt", func(t *testing.T) {
		var mu sync.Mutex
		var requests []*http.Request
		var bodies [][]byte
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			body, _ := io.ReadAll(r.Body)
			requests, bodies = append(requests, r), append(bodies, body)
		}))
		defer server.Close()
		now := time.Now().Add(-2 * time.Second)
		clock := func() time.Time { return now }
		deliverer := New(Config{Store: &ledger{}, Client: server.Client(), OpenSecret: openTestSecret, Now: clock})
		secret := latchkey.NewSecret([]byte(testSecret))
		for attempt := 1; attempt <= 2; attempt++ {
			now = now.Add(time.Second)
			deliverer.Deliver(t.Context(), deliveryTo(server.URL, attempt))
		}
		for i, r := range requests {
			if r.Method != http.MethodPost || r.ContentLength != int64(len(bodies[i])) || r.TransferEncoding != nil {
				t.Errorf("%s, length %d, encoding %v", r.Method, r.ContentLength, r.TransferEncoding)
			}
			if r.Header.Get("Content-Type") != "application/json" || r.UserAgent() != "Latchkey-Webhooks/1" || r.Header.Get("Webhook-Id") != "evt_1" {
				t.Errorf("header %v", r.Header)
			}
			if diff := cmp.Diff(string(deliveryTo("", 1).Body), string(bodies[i])); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			if !accepts(t, secret, "Webhook-", r.Header, bodies[i]) || !accepts(t, secret, "Svix-", r.Header, bodies[i]) || !acceptsOFAuth(secret, r.Header, bodies[i]) {
				t.Error("a signature is refused")
			}
		}
		if len(requests) != 2 || requests[0].Header.Get("Webhook-Timestamp") == requests[1].Header.Get("Webhook-Timestamp") {
			t.Error("want two requests with different times")
		}
	})

	t.Run("no cookie is kept or sent, whatever the client", func(t *testing.T) {
		var cookies atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			cookies.Add(int32(len(r.Cookies())))
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		}))
		defer server.Close()
		client := server.Client()
		client.Jar = keepsAll{}
		deliverer := New(Config{Store: &ledger{}, Client: client, OpenSecret: openTestSecret})
		deliverer.Deliver(t.Context(), deliveryTo(server.URL, 1))
		if cookies.Load() > 0 {
			t.Error("a cookie was sent")
		}
	})

	t.Run("the secrets are zeroed once they have signed", func(t *testing.T) {
		secrets := []latchkey.Secret{latchkey.NewSecret([]byte(testSecret)), latchkey.NewSecret([]byte(testSecret))}
		open := func(context.Context, latchkey.WebhookEndpoint) ([]latchkey.Secret, error) { return secrets, nil }
		server := httptest.NewServer(answering(200, "", ""))
		defer server.Close()
		New(Config{Store: &ledger{}, Client: server.Client(), OpenSecret: open}).Deliver(t.Context(), deliveryTo(server.URL, 1))
		for _, secret := range secrets {
			if len(bytes.Trim(secret.Reveal(), "\x00")) > 0 {
				t.Error("a secret outlived its use")
			}
		}
	})
}

// keepsAll is a cookie jar that would send a cookie everywhere.
type keepsAll struct{ http.CookieJar }

func TestOurOwnFaults(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	defer server.Close()
	cases := []struct {
		name string
		url  string
		open func(context.Context, latchkey.WebhookEndpoint) ([]latchkey.Secret, error)
	}{
		{"a secret that can't be opened", server.URL, func(context.Context, latchkey.WebhookEndpoint) ([]latchkey.Secret, error) {
			return nil, errors.New("vault is away")
		}},
		{"an endpoint without a secret", server.URL, func(context.Context, latchkey.WebhookEndpoint) ([]latchkey.Secret, error) {
			return nil, nil
		}},
		{"a malformed secret", server.URL, func(context.Context, latchkey.WebhookEndpoint) ([]latchkey.Secret, error) {
			return []latchkey.Secret{latchkey.NewSecret([]byte("tell-nobody"))}, nil
		}},
		{"a malformed URL", "http://[::1/?token=tell-nobody", openTestSecret},
	}
	for _, c := range cases {
		t.Run(c.name+" sends nothing, is retried soon and never parks", func(t *testing.T) {
			var text bytes.Buffer
			store := &ledger{}
			log := slog.New(slog.NewTextHandler(&text, nil))
			New(Config{Store: store, Client: server.Client(), OpenSecret: c.open, Log: log}).Deliver(t.Context(), deliveryTo(c.url, Attempts))
			got := store.only(t)
			if wait := got.RetryAt.Sub(got.At); got.Delivered || got.Status != 0 || wait < time.Second || wait > 10*time.Minute {
				t.Errorf("outcome %+v", got)
			}
			if requests.Load() > 0 {
				t.Error("something was sent")
			}
			if all := text.String() + got.Excerpt; strings.Contains(all, "tell-nobody") || !strings.Contains(all, "we_1") {
				t.Errorf("log and excerpt: %s", all)
			}
		})
	}
}

func TestNothingSecretIsLogged(t *testing.T) {
	var text bytes.Buffer
	store, log := &ledger{}, slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
	deliverer := New(Config{Store: store, Client: &http.Client{Timeout: time.Second, Transport: &http.Transport{}}, OpenSecret: openTestSecret, Log: log})
	for _, handler := range []http.HandlerFunc{answering(200, "", ""), answering(500, "", ""), answering(410, "", ""), raw("")} {
		server := httptest.NewServer(handler)
		deliverer.Deliver(t.Context(), deliveryTo(server.URL+"/hook?token=tell-nobody", 1))
		server.Close()
		deliverer.Deliver(t.Context(), deliveryTo(server.URL+"/hook?token=tell-nobody", Attempts)) // refused
	}
	for _, outcome := range store.outcomes {
		text.WriteString(outcome.Excerpt)
	}
	for _, secret := range []string{"tell-nobody", testSecret[6:], "v1,", "127.0.0.1"} {
		if strings.Contains(text.String(), secret) {
			t.Errorf("log or excerpt hold %q:\n%s", secret, &text)
		}
	}
	for _, line := range []string{"webhook delivered", "webhook failed", "gets disabled", "gets parked", "connection refused"} {
		if !strings.Contains(text.String(), line) {
			t.Errorf("log and excerpts lack %q:\n%s", line, &text)
		}
	}
}
