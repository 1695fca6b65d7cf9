package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
)

// baselineSettings are what the bare server answers: the very bytes that
// Latchkey answered when it was asked the same.
type baselineSettings struct {
	Pages    map[string]recorded `json:"pages"` // by name; served at /<name>
	Init     initAnswer          `json:"init"`
	Upstream string              `json:"upstream"`
}

// recorded is an answer of Latchkey.
type recorded struct {
	Header map[string]string `json:"header"`
	Body   []byte            `json:"body"`
}

// initRequest and initAnswer are the JSON of POST /v2/link/init.
type initRequest struct {
	ClientAppID       string `json:"clientAppId"`
	RedirectURL       string `json:"redirectUrl"`
	ClientReferenceID string `json:"clientReferenceId"`
}

type initAnswer struct {
	Mode      string `json:"mode"`
	URL       string `json:"url"`
	ExpiresAt string `json:"expiresAt"`
	SessionID string `json:"sessionId"`
}

// serveBaseline is the bare server.
func serveBaseline(ctx context.Context, text string) error {
	var settings baselineSettings
	if err := json.Unmarshal([]byte(text), &settings); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	listener, err := listen(ctx)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v2/link/init", func(w http.ResponseWriter, r *http.Request) {
		var asked initRequest
		if err := json.UnmarshalRead(r.Body, &asked); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body, err := json.Marshal(settings.Init)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
	for name, page := range settings.Pages {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, _ *http.Request) {
			for key, value := range page.Header {
				w.Header().Set(key, value)
			}
			_, _ = w.Write(page.Body)
		})
	}
	upstream, err := url.Parse(settings.Upstream)
	if err != nil {
		return fmt.Errorf("upstream: %w", err)
	}
	mux.Handle("GET /v2/access/proxy/", bareProxy(upstream))
	mux.HandleFunc("POST /deliver", deliverBare)
	return serveUntilEOF(ctx, listener, &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second})
}

// bareProxy is the standard library's reverse proxy with a pool of buffers.
func bareProxy(upstream *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(upstream)
			request.Out.URL.Path = strings.TrimPrefix(request.In.URL.Path, "/v2/access/proxy")
			request.Out.Header.Set("Authorization", "Bearer token")
		},
		Transport:  &http.Transport{MaxIdleConnsPerHost: 512, DisableCompression: true},
		BufferPool: &buffers{},
	}
}

// buffers lends the buffers of the bare proxy.
type buffers struct{ pool sync.Pool }

// proxyBuffer is the size of one, as ReverseProxy makes them itself.
const proxyBuffer = 32 << 10

// Get returns a buffer that nobody uses.
func (b *buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[proxyBuffer]byte); ok {
		return buffer[:]
	}
	return make([]byte, proxyBuffer)
}

// Put takes a buffer back.
func (b *buffers) Put(buffer []byte) { b.pool.Put((*[proxyBuffer]byte)(buffer)) }

// bareSenders is how many signed posts are under way at once, as many as
// Latchkey makes.
const bareSenders = 64

// deliverBare sends ?count= signed posts of the request's body to ?to= and says
// how long that took, in nanoseconds.
func deliverBare(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	count, countErr := strconv.Atoi(r.URL.Query().Get("count"))
	if err != nil || countErr != nil {
		http.Error(w, "count and a body are needed", http.StatusBadRequest)
		return
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: bareSenders}}
	to := r.URL.Query().Get("to")
	var left, failed atomic.Int64
	left.Store(int64(count))
	started := time.Now()
	var senders sync.WaitGroup
	for range bareSenders {
		senders.Go(func() {
			for left.Add(-1) >= 0 {
				if err := postSigned(r.Context(), client, to, key, body); err != nil {
					failed.Add(1)
				}
			}
		})
	}
	senders.Wait()
	took := time.Since(started)
	if failed.Load() > 0 {
		http.Error(w, strconv.FormatInt(failed.Load(), 10)+" posts failed", http.StatusBadGateway)
		return
	}
	_, _ = fmt.Fprint(w, took.Nanoseconds())
}

// postSigned posts a body with one signature of Standard Webhooks.
func postSigned(ctx context.Context, client *http.Client, to string, key, body []byte) error {
	id, at := "evt_"+strconv.FormatInt(time.Now().UnixNano(), 36), strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, id+"."+at+".")
	_, _ = mac.Write(body)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(string(body)))
	if err != nil {
		return fmt.Errorf("post: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Webhook-Id", id)
	request.Header.Set("Webhook-Timestamp", at)
	request.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("post: %w", err)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return cmpErr(err, answer.Body.Close())
}
