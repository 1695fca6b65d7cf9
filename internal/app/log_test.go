package app_test

import (
	"bytes"
	crypto "crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey/internal/app"
	"latchkey/internal/web"
)

// hostilePieces break lines, terminals, JSON and encodings.
var hostilePieces = []string{
	"\r\n", "\n", "\r", "\x1b[31m", "\x1b]0;title\x07", `"}`, `",""`, `\`, `\u000a`, "\x00", "\xff\xfe", "\xc0\xaf", "\u2028", "\u2029",
	"\u0085", "\u202e", "\ufeff", `{"level":"ERROR","msg":"ready","address":"x"}`, "%0d%0a", "\t", "\b", "\x7f", "</script>", "a", "é", "𝕏",
	strings.Repeat("long", 100),
}

// hostile puts some pieces together.
func hostile(random *rand.Rand) string {
	var text strings.Builder
	for range 1 + random.IntN(6) {
		text.WriteString(hostilePieces[random.IntN(len(hostilePieces))])
	}
	return text.String()
}

// Whatever a caller, a provider or a database says is one line of valid JSON, in
// the event of a request and in those of the background.
func TestEveryEventOfTheLogIsOneLineOfJSON(t *testing.T) {
	const events, values = 25_000, 4 * 25_000
	var written bytes.Buffer
	log, err := app.NewLog(app.Config{}, &written)
	must(t, err)
	random := rand.New(rand.NewPCG(1, 2))
	router := web.New(web.Config{Log: log, Now: time.Now, Random: crypto.Reader})
	router.Browser("GET /x", func(_ http.ResponseWriter, r *http.Request) error {
		web.Annotate(r.Context(), slog.String("session", hostile(random)), slog.String(hostile(random), "named by somebody"))
		return fmt.Errorf("load %s: %w", hostile(random), errors.New(hostile(random)))
	})
	for range events {
		router.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/x", nil))
	}
	lines, invalid := 0, 0
	for line := range bytes.Lines(written.Bytes()) {
		lines++
		var event map[string]any
		if err := json.Unmarshal(line, &event); err != nil || event["msg"] == nil || event["request"] == nil || event["level"] == nil ||
			bytes.ContainsAny(line[:len(line)-1], "\r\n\x1b\x00\u2028\u2029") {
			if invalid++; invalid < 4 {
				t.Errorf("%v: %q", err, line)
			}
		}
	}
	fmt.Printf("RESULT V-11.invalid %d of %d values 0\nRESULT V-11.lines %d %d\n", invalid, values, lines, events)
	if lines != events || invalid != 0 {
		t.Errorf("%d events are %d lines, of which %d are invalid", events, lines, invalid)
	}
}
