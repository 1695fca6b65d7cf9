package latchtest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"latchkey/internal/latchtest"
)

// listener is a test that hears what it is told to fail for.
type listener struct {
	testing.TB
	heard []string
}

// Errorf is heard and fails nothing.
func (l *listener) Errorf(format string, args ...any) {
	l.heard = append(l.heard, fmt.Sprintf(format, args...))
}

// drift changes an answer of the app.
type drift func(r *http.Request, status int, body []byte) (int, []byte)

// replaced is the drift of a text in every answer.
func replaced(text, by string) drift {
	return func(_ *http.Request, status int, body []byte) (int, []byte) {
		return status, bytes.ReplaceAll(body, []byte(text), []byte(by))
	}
}

// moved is the drift of a status.
func moved(from, to int, path string) drift {
	return func(r *http.Request, status int, body []byte) (int, []byte) {
		if status == from && strings.HasPrefix(r.URL.Path, path) {
			status = to
		}
		return status, body
	}
}

var drifts = map[string]drift{
	"init without sessionId": func(_ *http.Request, status int, body []byte) (int, []byte) {
		if begin := bytes.Index(body, []byte(`,"sessionId"`)); begin >= 0 {
			body = append(body[:begin:begin], '}')
		}
		return status, body
	},
	"a connection without imported":   replaced(`"imported":false,`, ``),
	"a list without hasMore":          replaced(`,"hasMore":false`, ``),
	"a user without an avatar's null": replaced(`,"avatar":null`, ``),
	"whoami without permissions":      replaced(`,"permissions":["LINK","ACCOUNT","ACCESS","ADMIN"]`, ``),
	"an error without its code":       replaced(`"code":"RESOURCE_NOT_FOUND",`, ``),
	"a field that nobody described":   replaced(`{"id":`, `{"colour":"green","id":`),
	"a number in place of a text":     replaced(`"provider":"tester"`, `"provider":7`),
	"created in place of OK":          moved(http.StatusOK, http.StatusCreated, "/v2/link/init"),
	"conflict in place of not found":  moved(http.StatusNotFound, http.StatusConflict, "/v2/account/connections/"),
	"a route that nobody described": func(r *http.Request, status int, body []byte) (int, []byte) {
		if strings.HasSuffix(r.URL.Path, "/secret-door") {
			return http.StatusOK, []byte(`{}`)
		}
		return status, body
	},
}

// drifting puts a drift between the app and the network.
func drifting(change drift) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			kept := httptest.NewRecorder()
			next.ServeHTTP(kept, r)
			status, body := change(r, kept.Code, kept.Body.Bytes())
			for header, values := range kept.Header() {
				w.Header()[header] = values
			}
			w.Header().Del("Content-Length")
			w.WriteHeader(status)
			_, _ = w.Write(body)
		})
	}
}

// TestADriftFromTheDescriptionFailsATest changes what the running app answers,
// in one way at a time, and sees that a test with an ordinary walk then fails.
func TestADriftFromTheDescriptionFailsATest(t *testing.T) {
	unnoticed := 0
	for name, change := range drifts {
		if heard := walkAround(t, drifting(change)); len(heard) == 0 {
			unnoticed++
			t.Errorf("%s: no test failed", name)
		}
	}
	if heard := walkAround(t, nil); len(heard) != 0 {
		t.Errorf("without any change: %v", heard)
	}
	fmt.Printf("RESULT drift.unnoticed %d 0\n", unnoticed)
}

// walkAround links an account, looks around and returns what its test was
// told.
func walkAround(t *testing.T, around func(http.Handler) http.Handler) []string {
	t.Helper()
	heard := &listener{TB: t}
	s := latchtest.Start(heard, latchtest.Options{Idle: true, Around: around})
	link := s.Call("POST", "/v2/link/init", map[string]any{"provider": latchtest.ProviderID})
	_, rest, _ := strings.Cut(string(link.Body), `"url":"`)
	page, _, _ := strings.Cut(rest, `"`)
	s.Visit(page).Consent().Submit("continue", "username", "ada", "password", latchtest.Password)
	for _, path := range []string{
		"/v2/account/whoami", "/v2/account/connections", "/v2/account/connections/conn_unknown", "/v2/secret-door",
	} {
		s.Call("GET", path, nil)
	}
	s.Stop()
	return heard.heard
}
