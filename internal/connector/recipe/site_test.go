package recipe_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"latchkey/internal/connector"
	"latchkey/internal/connector/recipe"
)

// site runs a provider and the recipe made of steps (and, after them, other
// top-level keys) for it. A profile of ada is served at /me.
func site(t *testing.T, mux *http.ServeMux, steps string) *recipe.Connector {
	t.Helper()
	if mux == nil {
		mux = http.NewServeMux()
	}
	return at(t, serve(t, mux), steps)
}

// serve runs a provider with a profile of ada at /me, and returns its URL.
func serve(t *testing.T, mux *http.ServeMux) string {
	t.Helper()
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, http.StatusOK, `{"id":12345678901234567890,"login":"ada"}`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// at returns the recipe for a base URL.
func at(t *testing.T, baseURL, steps string) *recipe.Connector {
	t.Helper()
	return parsed(t, baseURL, textOf(steps))
}

// textOf returns the least recipe with other steps, and the keys after them.
func textOf(steps string) string {
	head, rest, _ := strings.Cut(least, "steps:\n")
	_, tail, _ := strings.Cut(rest, "profile:")
	text := head + "steps:\n" + steps + "\n"
	for _, key := range []string{"profile:", "check:", "proxy:"} {
		if !strings.Contains(steps, "\n"+key) {
			_, line, _ := strings.Cut("profile:"+tail, key)
			line, _, _ = strings.Cut(line, "\n")
			text += key + line + "\n"
		}
	}
	return text
}

// parsed returns the recipe of a text for a base URL.
func parsed(t *testing.T, baseURL, text string) *recipe.Connector {
	t.Helper()
	r, err := recipe.Parse("site.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	c, err := recipe.New(r, recipe.Options{BaseURL: baseURL})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answerJSON answers.
func answerJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// answerHTML answers.
func answerHTML(w http.ResponseWriter, format string, args ...any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, format, args...)
}

// login asks for the first prompt and submits a user and a password.
func login(t *testing.T, c *recipe.Connector, password string) (connector.Step, error) {
	t.Helper()
	first := submit(t, c, nil, nil)
	return advance(t, c, first, inputOf(map[string]string{"username": "ada", "password": password}))
}

// mustLogin logs in and wants Done.
func mustLogin(t *testing.T, c *recipe.Connector) connector.Done {
	t.Helper()
	step, err := login(t, c, "good-password")
	if err != nil {
		t.Fatal(err)
	}
	done, ok := step.(connector.Done)
	if !ok {
		t.Fatalf("want Done, have %T %+v", step, step)
	}
	return done
}

// gzipOfZeros returns n zero bytes, compressed.
func gzipOfZeros(n int) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(make([]byte, n))
	_ = w.Close()
	return packed.Bytes()
}

// mustQuote returns a JSON string.
func mustQuote(s string) []byte {
	quoted, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		panic(err)
	}
	return quoted
}
