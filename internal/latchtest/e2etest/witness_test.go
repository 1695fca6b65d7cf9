package e2etest

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"

	"latchkey/internal/latchtest/glewlwydtest"
)

// witness stands between Latchkey and the login site and remembers every
// cookie that the site hands out: the credentials to look for.
type witness struct {
	URL     string
	site    string
	mu      sync.Mutex
	cookies []*http.Cookie
}

func newWitness(t *testing.T, site *glewlwydtest.Server) *witness {
	t.Helper()
	target, err := url.Parse(site.URL)
	if err != nil {
		t.Fatal(err)
	}
	w := &witness{site: site.URL}
	server := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) { request.SetURL(target) },
		ModifyResponse: func(answer *http.Response) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.cookies = append(w.cookies, answer.Cookies()...)
			return nil
		},
	})
	t.Cleanup(server.Close)
	w.URL = server.URL
	return w
}

// values are the values of all cookies so far.
func (w *witness) values() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var values []string
	for _, cookie := range w.cookies {
		if len(cookie.Value) >= 16 && !slices.Contains(values, cookie.Value) {
			values = append(values, cookie.Value)
		}
	}
	return values
}

// alive counts the sessions at the site that still know a user.
func (w *witness) alive(t testing.TB) int {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	alive := 0
	for _, cookie := range w.cookies {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.site+"/api/profile_list/", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value}) //nolint:gosec // of a test's request
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			alive++
		}
	}
	return alive
}
