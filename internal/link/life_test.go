package link_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/latchtest"
)

func TestTheLifeOfALink(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		h := newHouse(t, options)
		sink := latchtest.NewSink(t)
		h.Listen(sink, "connection.created", "connection.updated", "connection.expired", "connection.disconnected")

		first := h.begin("clientReferenceId", "u")
		linked := first.login("ada")
		if linked.Status != "completed" || first.consents() != 1 {
			t.Fatalf("the session is %s with %d consents", linked.Status, first.consents())
		}
		t.Run("linking the same account again renews the connection", func(t *testing.T) {
			if again := h.begin("clientReferenceId", "u").login("ada"); again.Data.ID != linked.Data.ID {
				t.Errorf("another connection: %+v", again)
			}
		})
		t.Run("reconnecting with another account is a mismatch", func(t *testing.T) {
			other := h.begin("connectionId", linked.Data.ID).login("eve")
			if other.Status != "failed" || other.Data.ErrorCode != "account_mismatch" {
				t.Errorf("got %+v", other)
			}
		})
		t.Run("an expired connection is alive again after a reconnect", func(t *testing.T) {
			path := "/v2/account/connections/" + linked.Data.ID
			before := len(h.Provider.Tokens())
			for range 2 {
				h.Want(http.StatusOK, "POST", path+"/invalidate", map[string]any{})
			}
			if ended := before - len(h.Provider.Tokens()); ended != 1 {
				t.Errorf("%d sessions were ended at the provider", ended)
			}
			if again := h.begin("connectionId", linked.Data.ID).login("ada"); again.Data.ID != linked.Data.ID {
				t.Errorf("got %+v", again)
			}
		})
		t.Run("a disconnected connection is gone", func(t *testing.T) {
			path := "/v2/account/connections/" + linked.Data.ID
			h.Want(http.StatusOK, "DELETE", path, nil)
			h.Want(http.StatusNotFound, "GET", path, nil)
		})
		want := []string{
			"connection.created", "connection.updated", "connection.expired", "connection.updated", "connection.disconnected",
		}
		latchtest.Eventually(t, "every change is told", func() bool { return len(types(sink)) >= len(want) })
		if diff := cmp.Diff(want, types(sink)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestASessionEndsWithItsTime(t *testing.T) {
	h := newHouse(t, latchtest.Options{})
	sink := latchtest.NewSink(t)
	h.Listen(sink, "link.session.expired")
	session := h.begin()
	h.Clock.Move(30*time.Minute + time.Second)
	status, got := session.send(submission{Version: 1, Fields: agreed})
	if status != http.StatusConflict || got.Current == nil || got.Current.Data.ErrorCode != "session_expired" {
		t.Errorf("after its time the answer is %d: %+v", status, got)
	}
	latchtest.Eventually(t, "the expiry is told", func() bool { return len(types(sink)) == 1 })
	if h.Provider.Logins() != 0 {
		t.Error("something was tried")
	}
}
