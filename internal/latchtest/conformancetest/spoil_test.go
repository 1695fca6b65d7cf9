package conformancetest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// exchange is an answer on its way back to the suite, to be spoiled.
type exchange struct {
	method, path string
	status       int
	header       http.Header
	body         string
}

// is reports whether the answer is to such a request.
func (e *exchange) is(method, prefix string) bool {
	return e.method == method && strings.HasPrefix(e.path, prefix)
}

// isPage reports whether the answer is a hosted page's.
func (e *exchange) isPage() bool { return strings.HasPrefix(e.path, "/cs_") }

// between starts a proxy before the server that spoils every answer, and
// returns its URL. What the server says of its own address is the proxy's.
func between(t *testing.T, s server, spoil func(*exchange)) string {
	t.Helper()
	real, err := url.Parse(s.APIURL)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewUnstartedServer(nil)
	own := "http://" + front.Listener.Addr().String()
	front.Config.Handler = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(real) },
		ModifyResponse: func(answer *http.Response) error {
			content, err := io.ReadAll(answer.Body)
			if err != nil {
				return err
			}
			e := &exchange{
				method: answer.Request.Method, path: answer.Request.URL.Path, status: answer.StatusCode, header: answer.Header,
				body: strings.ReplaceAll(string(content), s.APIURL, own),
			}
			spoil(e)
			answer.StatusCode, answer.Status = e.status, ""
			answer.Body = io.NopCloser(strings.NewReader(e.body))
			if e.method != http.MethodHead && e.status != http.StatusNoContent {
				answer.ContentLength = int64(len(e.body))
				answer.Header.Set("Content-Length", strconv.Itoa(len(e.body)))
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	front.Start()
	t.Cleanup(front.Close)
	return own
}

func TestRowsCanFail(t *testing.T) {
	s := start(t)
	t.Run("nothing is spoiled, and the rows pass", func(t *testing.T) {
		var rows []string
		for _, m := range mutations() {
			rows = append(rows, m.rows...)
		}
		slices.Sort(rows)
		rows = slices.Compact(rows)
		told := check(t, between(t, s, func(*exchange) {}), s.APIKey, "--only", strings.Join(rows, ","))
		for _, row := range rows {
			if told.outcome(row) != "passed" {
				t.Errorf("%s %s", row, told.outcome(row))
			}
		}
		refuse(t, told)
	})
	noticed := 0
	t.Run("spoiled", func(t *testing.T) {
		for _, m := range mutations() {
			t.Run(m.name+" is noticed", func(t *testing.T) {
				told := check(t, between(t, s, m.spoil), s.APIKey, "--only", strings.Join(m.rows, ","))
				for _, row := range m.rows {
					if told.outcome(row) != "failed" {
						t.Errorf("%s %s, want it to fail", row, told.outcome(row))
					}
				}
				if !t.Failed() {
					noticed++
				}
			})
		}
	})
	fmt.Printf("RESULT conformance.mutations-noticed %d %d\n", noticed, len(mutations()))
}

func TestTheSuiteShowsNoSecret(t *testing.T) {
	s := start(t)
	var asked atomic.Int64
	told := check(t, between(t, s, func(e *exchange) {
		if e.is("POST", "/v2/link/init") || e.is("GET", "/v2/account/whoami") {
			e.status = http.StatusTeapot
			e.body = `{"error":"` + s.APIKey + ` cs_abcdefghijklmnop whsec_abcdefghijklmnop="}`
			asked.Add(1)
		}
	}), s.APIKey, "--only", "1.auth,2.init,2.redirect")
	if asked.Load() == 0 || told.Failed == 0 {
		t.Fatal("nothing was spoiled")
	}
	for _, row := range told.Rows {
		for _, secret := range []string{s.APIKey, "abcdefghijklmnop"} {
			if strings.Contains(row.Seen, secret) {
				t.Errorf("%s shows a secret", row.ID)
			}
		}
	}
}
