package link_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
)

// expiry is how a connection ended, as the API shows it.
type expiry struct {
	Expiry struct {
		ReconnectURL string `json:"reconnectUrl"`
	} `json:"expiry"`
}

// reconnectURL ends a connection and returns where its person may link it anew.
func (h house) reconnectURL(connection string) string {
	h.Helper()
	path := "/v2/account/connections/" + connection
	h.Want(http.StatusOK, "POST", path+"/invalidate", nil)
	return latchtest.Decode[expiry](h.Server, h.Want(http.StatusOK, "GET", path, nil)).Expiry.ReconnectURL
}

// linkedByPage links an account on the hosted page.
func (h house) linkedByPage(username string) string {
	h.Helper()
	visit := h.Visit(h.Init(map[string]any{"provider": latchtest.ProviderID, "clientReferenceId": "user_1"}).URL).Consent().
		Submit("continue", "username", username, "password", latchtest.Password)
	if visit.Landed == nil {
		h.Fatalf("the login did not end: %s", visit.Text())
	}
	return visit.Landed.Query().Get("connection_id")
}

func TestAPersonLinksAnewByTheURLOfTheExpiry(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		connection := h.linkedByPage("ada")
		url := h.reconnectURL(connection)
		if !strings.HasPrefix(url, h.URL+"/reconnect/conn_") {
			t.Fatalf("the URL is %q", url)
		}
		page, err := h.App.Store().EventsAfter(t.Context(), h.Trial.OrganisationID, latchkey.Sandbox, 0, 100)
		if err != nil || !strings.Contains(string(page.Events[len(page.Events)-1].Body), `"reconnectUrl":"`+url+`"`) {
			t.Errorf("the event says %s, %v", page.Events[len(page.Events)-1].Body, err)
		}
		var visit *latchtest.Visit
		_, facts := h.Calls(func() {
			for range 3 {
				visit = h.Visit(url)
			}
		})
		if facts != 0 || strings.Contains(visit.Text(), "ada") || !strings.Contains(visit.Text(), "Tester") {
			t.Errorf("looking wrote %d facts and shows %s", facts, visit.Text())
		}
		visit = visit.Submit("continue")
		if !strings.Contains(visit.Text(), "ada") {
			t.Errorf("the session does not say whose account it wants: %s", visit.Text())
		}
		visit = visit.Consent().Submit("continue", "username", "ada", "password", latchtest.Password)
		if visit.Landed == nil || visit.Landed.Query().Get("connection_id") != connection ||
			visit.Landed.Query().Get("client_reference_id") != "user_1" {
			t.Fatalf("it ended at %v", visit.Landed)
		}
		h.Want(http.StatusNotFound, "GET", strings.TrimPrefix(url, h.URL), nil) // it has served
	})
}

func TestAnotherAccountDoesNotReconnect(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	visit := h.Visit(h.reconnectURL(h.linkedByPage("ada"))).Submit("continue").Consent().
		Submit("continue", "username", "eve", "password", latchtest.Password)
	if visit.Landed != nil || h.Connections()[0].Status != "expired" {
		t.Errorf("another's account was linked: %v", visit.Landed)
	}
}

func TestAReconnectURLOpensNothingElse(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	first, second := h.linkedByPage("ada"), h.linkedByPage("bob")
	path := strings.TrimPrefix(h.reconnectURL(first), h.URL)
	mark := path[strings.LastIndex(path, "."):]
	for name, wrong := range map[string]string{
		"of another connection": "/reconnect/" + second + mark, "without a mark": "/reconnect/" + first,
		"with an empty mark": "/reconnect/" + first + ".", "with a cut one": path[:len(path)-1],
		"with a longer one": path + "A", "of an unknown connection": "/reconnect/conn_0" + mark, "of nothing": "/reconnect/x" + mark,
	} {
		for _, method := range []string{"GET", "POST"} {
			answer := h.Call(method, wrong, "", "Content-Type", "application/x-www-form-urlencoded", "apikey", "")
			if answer.Status != http.StatusNotFound || strings.Contains(string(answer.Body), "Tester") {
				t.Errorf("%s a token %s: %d", method, name, answer.Status)
			}
		}
	}
	foreign := h.Call("POST", path, "", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site")
	if foreign.Status != http.StatusForbidden {
		t.Errorf("a form of another site: %d", foreign.Status)
	}
	begin := func() int {
		return h.Call("POST", path, "", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin").Status
	}
	for i := range 20 {
		if status := begin(); status != http.StatusSeeOther {
			t.Fatalf("session %d: %d", i, status)
		}
	}
	if status := begin(); status != http.StatusTooManyRequests {
		t.Errorf("one too many: %d", status)
	}
	h.Clock.Move(time.Hour)
	h.suspend(latchkey.AppRedirect, true)
	if status := begin(); status != http.StatusForbidden {
		t.Errorf("of a suspended app: %d", status)
	}
	h.suspend(latchkey.AppRedirect, false)
	h.Want(http.StatusOK, "DELETE", "/v2/account/connections/"+first, nil)
	if status := begin(); status != http.StatusNotFound {
		t.Errorf("of a connection that is gone: %d", status)
	}
}

func TestAnAppWithoutPagesHasNoReconnectURL(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	if url := h.reconnectURL(h.begin().login("ada").Data.ID); url != "" {
		t.Errorf("it is %s", url)
	}
}
