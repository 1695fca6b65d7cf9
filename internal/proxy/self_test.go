package proxy_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/latchtest"
)

func TestSelfIsTheLinkedPersonWithWhatTheProviderSaid(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	connection := linked(s, "", "ada")
	answer := s.Want(http.StatusOK, "GET", "/v2/access/self", nil, "x-connection-id", connection)
	got := latchtest.Decode[map[string]any](s, answer)
	want := map[string]any{
		"id": "id-of-ada", "name": "Name of ada", "username": "ada", "avatar": nil, "raw": map[string]any{"login": "ada"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("self (-want +got):\n%s", diff)
	}
	if answer.Header.Get("X-Ratelimit-Remaining") != "89" {
		t.Errorf("X-RateLimit-Remaining is %q", answer.Header.Get("X-Ratelimit-Remaining"))
	}
}

func TestADeadUpstreamSessionExpiresTheConnectionWithOneEvent(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	sink := latchtest.NewSink(t)
	s.Listen(sink, "connection.expired")
	connection := linked(s, "", "ada")
	s.Provider.Kill()
	var callers sync.WaitGroup
	for range 16 { // some may see it alive in the store and all see it dead upstream
		callers.Go(func() {
			if got := s.Call("GET", "/v2/access/self", nil, "x-connection-id", connection).Status; got != http.StatusUnauthorized {
				t.Errorf("status %d", got)
			}
		})
	}
	callers.Wait()
	for range 3 {
		got := wantProblem(s, s.Call("GET", "/v2/access/self", nil, "x-connection-id", connection),
			http.StatusUnauthorized, latchkey.SessionExpired)
		if got.ActionRequired != "refresh_session" {
			t.Errorf("actionRequired is %q", got.ActionRequired)
		}
	}
	if status := s.Connections()[0].Status; status != "expired" {
		t.Errorf("the connection is %s", status)
	}
	latchtest.Eventually(t, "the event arrives", func() bool { return len(sink.Hooks()) > 0 })
	s.Stop() // and delivers what is left
	hooks := sink.Hooks()
	if len(hooks) != 1 || !strings.Contains(string(hooks[0].Body), `"connection.expired"`) ||
		!strings.Contains(string(hooks[0].Body), connection) {
		t.Errorf("%d events arrived, the first %s", len(hooks), hooks[0].Body)
	}
}

func TestAProviderOfThisProcessIsCalledLikeAnyOther(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	link := s.Init(map[string]any{"provider": "sandbox"})
	visit := s.Visit(link.URL).Consent().Submit("continue", "username", "ada@creator.sandbox.com", "password", "good-password")
	if visit.Landed == nil {
		t.Fatalf("the login did not end: %s", visit.Text())
	}
	connection := visit.Landed.Query().Get("connection_id")
	me := s.Want(http.StatusOK, "GET", "/v2/access/proxy/me", nil, "x-connection-id", connection)
	self := s.Want(http.StatusOK, "GET", "/v2/access/self", nil, "x-connection-id", connection)
	one := latchtest.Decode[map[string]any](s, me)
	other := latchtest.Decode[map[string]any](s, self)
	if one["id"] == nil || one["id"] != other["id"] {
		t.Errorf("the API says %v and self %v", one["id"], other["id"])
	}
	if status := s.Call("GET", "/v2/access/proxy/nowhere", nil, "x-connection-id", connection).Status; status != http.StatusNotFound {
		t.Errorf("an unknown path: status %d", status)
	}
}
