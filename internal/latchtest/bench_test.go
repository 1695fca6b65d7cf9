package latchtest_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json"

	"latchkey/internal/app"
)

// house is the whole app on SQLite, asked in process: what a benchmark counts
// is Latchkey's own work and nothing of the network.
type house struct {
	*testing.B
	handler http.Handler
	trial   app.Trial
}

func newHouse(b *testing.B) *house {
	b.Helper()
	latch, err := app.New(b.Context(), app.Config{
		Data: filepath.Join(b.TempDir(), "data"), Development: true,
		Limits: app.Limits{KeyPerMinute: -1, MissesPerAddress: -1, AttemptsPerAddress: -1, AttemptsPerAccount: -1},
	}, app.Parts{Log: slog.New(slog.NewJSONHandler(io.Discard, nil))})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := latch.Stop(b.Context()); err != nil && b.Context().Err() == nil {
			b.Error(err)
		}
	})
	trial, err := latch.Trial(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return &house{B: b, handler: latch.Handler(), trial: trial}
}

// ask sends one request and returns the answer, which must be of the status's class.
func (h *house) ask(status int, method, path, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.Header.Set("apikey", h.trial.APIKey)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	answer := httptest.NewRecorder()
	h.handler.ServeHTTP(answer, request)
	if answer.Code/100 != status/100 {
		h.Fatalf("%s %s is answered %d: %s", method, path, answer.Code, answer.Body)
	}
	return answer
}

// opened is what the answers to init and to a step tell.
type opened struct {
	URL          string `json:"url"`
	ClientSecret string `json:"clientSecret"`
	Status       string `json:"status"`
	Data         struct {
		Step struct {
			Version     int64  `json:"version"`
			TextVersion string `json:"textVersion"`
		} `json:"step"`
	} `json:"data"`
}

func (h *house) open(method, path, body string) (told opened) {
	if err := json.Unmarshal(h.ask(http.StatusOK, method, path, body).Body.Bytes(), &told); err != nil {
		h.Fatal(err)
	}
	return told
}

// page opens a session at its first page and returns the page's path.
func (h *house) page() string {
	told := h.open("POST", "/v2/link/init", `{"clientAppId":"`+h.trial.ClientApps["redirect"]+
		`","redirectUrl":"http://127.0.0.1/callback","expiresIn":3600,"clientReferenceId":"user-1","provider":"sandbox"}`)
	return told.URL[strings.LastIndex(told.URL, "/"):]
}

// sink is the least that an answer can be written to.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }

// repeat sends the same GET again and again.
func (h *house) repeat(handler http.Handler, path string) {
	request := httptest.NewRequest("GET", path, nil)
	answer := &sink{header: http.Header{}}
	h.ReportAllocs()
	for h.Loop() {
		clear(answer.header)
		handler.ServeHTTP(answer, request)
	}
	if answer.status != 0 && answer.status != http.StatusOK {
		h.Fatalf("GET %s is answered %d", path, answer.status)
	}
}

func BenchmarkPage(b *testing.B) {
	h := newHouse(b)
	h.repeat(h.handler, h.page())
}

// BenchmarkBarePage is the same bytes from a bare multiplexer, to compare
// with.
func BenchmarkBarePage(b *testing.B) {
	h := newHouse(b)
	path := h.page()
	whole := h.ask(http.StatusOK, "GET", path, "")
	header, body := whole.Header().Clone(), bytes.Clone(whole.Body.Bytes())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{secret}", func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range header {
			w.Header().Set(name, values[0])
		}
		_, _ = w.Write(body)
	})
	h.repeat(mux, path)
}

func BenchmarkAsset(b *testing.B) {
	h := newHouse(b)
	_, after, _ := strings.Cut(h.ask(http.StatusOK, "GET", h.page(), "").Body.String(), `<link rel="stylesheet" href="`)
	path, _, _ := strings.Cut(after, `"`)
	h.repeat(h.handler, path)
}

// BenchmarkLink makes whole links by whitelabel: begin, consent, log in, done.
// One caller alone waits for the disk each time, so many go at once.
func BenchmarkLink(b *testing.B) {
	h := newHouse(b)
	start := `{"clientAppId":"` + h.trial.ClientApps["whitelabel"] + `","provider":"sandbox","clientReferenceId":"`
	first := h.open("POST", "/v2/link/init", start+`none"}`)
	textVersion := h.open("GET", "/v2/link/"+first.ClientSecret, "").Data.Step.TextVersion
	var number atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(64)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			user := "link-" + strconv.FormatInt(number.Add(1), 10) + "@creator.sandbox.com"
			submit := "/v2/link/" + h.open("POST", "/v2/link/init", start+user+`"}`).ClientSecret + "/submit"
			step := h.open("POST", submit, `{"version":1,"fields":{"textVersion":"`+textVersion+`"}}`).Data.Step
			end := h.open("POST", submit, `{"version":`+strconv.FormatInt(step.Version, 10)+`,"fields":{"username":"`+user+
				`","password":"good-password"}}`)
			if end.Status != "completed" {
				b.Errorf("the link of %s ends as %q", user, end.Status)
				return
			}
		}
	})
}
