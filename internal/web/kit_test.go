package web_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/web"
)

// canary is what must never come back out of an answer, an error or a log.
const canary = "canary-7f3a"

// goodKey is the only key that the tests' router knows. It may do LINK.
const goodKey = "sk_sandbox_good"

// kit is a router whose log can be read.
type kit struct {
	*web.Router
	log *safeBuffer
}

func newKit(change func(*web.Config)) *kit {
	k := &kit{log: &safeBuffer{}}
	config := web.Config{
		Authenticate: func(_ context.Context, key string) (latchkey.Caller, error) {
			if key != goodKey {
				return latchkey.Caller{}, latchkey.Errorf(latchkey.Unauthorized, "the API key is missing or not valid")
			}
			return latchkey.Caller{KeyID: "key_1", OrganisationID: "org_1", Scopes: []latchkey.Scope{latchkey.ScopeLink}}, nil
		},
		Now: time.Now, Random: rand.Reader, Log: slog.New(slog.NewJSONHandler(k.log, nil)),
	}
	if change != nil {
		change(&config)
	}
	k.Router = web.New(config)
	return k
}

// safeBuffer may be read while it is being written.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// get asks the router with the good key, and headers in pairs.
func (k *kit) get(path string, headers ...string) *httptest.ResponseRecorder {
	return k.send(httptest.NewRequest(http.MethodGet, path, nil), append([]string{"apikey", goodKey}, headers...)...)
}

// send lets the router answer a request with headers in pairs.
func (k *kit) send(r *http.Request, headers ...string) *httptest.ResponseRecorder {
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	k.ServeHTTP(w, r)
	return w
}

// events returns what was logged, one map a line.
func (k *kit) events(t *testing.T) []map[string]any {
	t.Helper()
	var events []map[string]any
	for line := range strings.Lines(k.log.String()) {
		var event map[string]any
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		events = append(events, event)
	}
	return events
}

// errorAnswer is the superset shape of an error.
type errorAnswer struct {
	Error          string `json:"error"`
	Message        string `json:"message"`
	Type           string `json:"type"`
	Code           string `json:"code"`
	RequestID      string `json:"requestId"`
	ActionRequired string `json:"actionRequired"`
	Details        *struct {
		Field string `json:"field"`
	} `json:"details"`
	Current any `json:"current"`
}

// wantError reads an error answer and checks what every one must have.
func wantError(t *testing.T, w *httptest.ResponseRecorder, status int, code latchkey.Code) errorAnswer {
	t.Helper()
	var answer errorAnswer
	if err := json.Unmarshal(w.Body.Bytes(), &answer, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("answer %d %q: %v", w.Code, w.Body, err)
	}
	if w.Code != status || answer.Type != string(code) || answer.Code != string(code) {
		t.Errorf("answer %d %s/%s, want %d %s: %s", w.Code, answer.Type, answer.Code, status, code, answer.Message)
	}
	if answer.Error == "" || answer.Error != answer.Message {
		t.Errorf("error %q and message %q, want the same text", answer.Error, answer.Message)
	}
	if !latchkey.ValidID(answer.RequestID, "req_") || answer.RequestID != w.Header().Get("x-request-id") {
		t.Errorf("request id %q in the body, %q in the header", answer.RequestID, w.Header().Get("x-request-id"))
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q, want application/json", got)
	}
	return answer
}
