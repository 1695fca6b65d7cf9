package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"latchkey"
	"latchkey/internal/web"
)

// gated is a kit whose API routes and pages have a gate for one each, and whose
// handlers wait until they are let go.
type gated struct {
	*kit
	inside chan struct{} // one is sent by each that is admitted
	letGo  chan struct{}
}

func newGated(handle func(http.ResponseWriter, *http.Request)) *gated {
	api, pages := web.NewGate(1), web.NewGate(1)
	g := &gated{inside: make(chan struct{}), letGo: make(chan struct{})}
	g.kit = newKit(func(c *web.Config) {
		c.Gate = func(route web.Route) *web.Gate {
			switch route.Kind {
			case web.KindAPI:
				return api
			case web.KindPublic:
				return nil
			}
			return pages
		}
	})
	handler := func(w http.ResponseWriter, r *http.Request) error {
		if handle != nil {
			handle(w, r)
		}
		g.inside <- struct{}{}
		<-g.letGo
		return nil
	}
	g.API("POST /api", "LINK", handler)
	g.Browser("GET /page", handler)
	g.Public("GET /probe", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	return g
}

func (g *gated) ask(method, path string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, nil)
	request.Header.Set("apikey", goodKey)
	answer := httptest.NewRecorder()
	g.ServeHTTP(answer, request)
	return answer
}

func TestAFullGateRefusesAtOnceAndSaysWhenToComeBack(t *testing.T) {
	for _, each := range []struct{ name, method, path, says string }{
		{"an API route", "POST", "/api", `"code":"NETWORK_ERROR"`},
		{"a page", "GET", "/page", "<!doctype html>"},
	} {
		t.Run(each.name, func(t *testing.T) {
			g := newGated(nil)
			var working sync.WaitGroup
			working.Go(func() {
				if answer := g.ask(each.method, each.path); answer.Code != http.StatusOK {
					t.Errorf("the one inside was answered %d", answer.Code)
				}
			})
			<-g.inside
			for range 3 {
				answer := g.ask(each.method, each.path)
				if answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") != "1" ||
					!strings.Contains(answer.Body.String(), each.says) {
					t.Errorf("got %d %v %s", answer.Code, answer.Header(), answer.Body)
				}
			}
			if answer := g.ask("GET", "/probe"); answer.Code != http.StatusOK {
				t.Errorf("the probe was answered %d", answer.Code)
			}
			if strings.Contains(g.log.String(), `"status":503`) {
				t.Errorf("refusals are written down one by one: %s", g.log.String())
			}
			close(g.letGo)
			working.Wait()
			working.Go(func() { <-g.inside })
			if answer := g.ask(each.method, each.path); answer.Code != http.StatusOK {
				t.Errorf("with the gate free again: %d", answer.Code)
			}
			working.Wait()
		})
	}
}

func TestAStreamThatLeavesItsGateKeepsNobodyOut(t *testing.T) {
	g := newGated(func(_ http.ResponseWriter, r *http.Request) {
		web.LeaveGate(r.Context())
		web.LeaveGate(r.Context()) // more than once is once
	})
	var working sync.WaitGroup
	for range 3 {
		working.Go(func() {
			if answer := g.ask("GET", "/page"); answer.Code != http.StatusOK {
				t.Errorf("got %d", answer.Code)
			}
		})
		<-g.inside
	}
	close(g.letGo)
	working.Wait()
}

// later is the answer for a part that can't be used now.
var later = latchkey.Error{Code: latchkey.NetworkFailed, Message: "later", RetryAfter: 7}

func TestARefusalOfAPartIsAnswered(t *testing.T) {
	k := newKit(func(c *web.Config) {
		c.Refusal = func(err error) error {
			if err == http.ErrHandlerTimeout {
				return &later
			}
			return nil
		}
	})
	k.API("POST /api", "LINK", func(http.ResponseWriter, *http.Request) error { return http.ErrHandlerTimeout })
	k.API("POST /other", "LINK", func(http.ResponseWriter, *http.Request) error { return http.ErrBodyNotAllowed })
	for path, want := range map[string]int{"/api": http.StatusServiceUnavailable, "/other": http.StatusInternalServerError} {
		request := httptest.NewRequest("POST", path, nil)
		request.Header.Set("apikey", goodKey)
		answer := httptest.NewRecorder()
		k.ServeHTTP(answer, request)
		if answer.Code != want || (answer.Header().Get("Retry-After") == "7") != (want == http.StatusServiceUnavailable) {
			t.Errorf("%s: %d %v", path, answer.Code, answer.Header())
		}
	}
}
