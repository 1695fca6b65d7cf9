package reference

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"latchkey/internal/web"

	"github.com/PuerkitoBio/goquery"
)

// realDescription is the published one.
func realDescription(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// newRouter serves a description.
func newRouter(t testing.TB, description []byte) *web.Router {
	t.Helper()
	router := web.New(web.Config{Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	Register(router, Config{Description: description, APIURL: "https://api.example"})
	return router
}

// get asks a router, with headers in pairs of name and value.
func get(router http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, http.NoBody)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	router.ServeHTTP(answer, request)
	return answer
}

// pageOf draws a description and reads the page.
func pageOf(t testing.TB, description []byte) *goquery.Document {
	t.Helper()
	answer := get(newRouter(t, description), "GET", "/docs/api")
	if answer.Code != http.StatusOK {
		t.Fatalf("status %d: %s", answer.Code, answer.Body)
	}
	read, err := goquery.NewDocumentFromReader(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// words returns the text of a selection, white space made one.
func words(selection *goquery.Selection) string {
	return strings.Join(strings.Fields(selection.Text()), " ")
}
