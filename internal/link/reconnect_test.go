package link_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
)

func TestAReconnectIsOfOneAccountAndProvider(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	id := h.begin("clientReferenceId", "u").login("ada").Data.ID
	t.Run("it takes the reference from the connection and not from the call", func(t *testing.T) {
		b := h.begin("connectionId", id, "clientReferenceId", "another")
		if got := b.login("ada"); got.Data.ID != id || b.stored().Request.ClientReferenceID != "u" {
			t.Errorf("connection %q with reference %q", got.Data.ID, b.stored().Request.ClientReferenceID)
		}
	})
	t.Run("a mismatch is explained, and leads back with its code", func(t *testing.T) {
		made := h.Init(map[string]any{
			"clientAppId": h.Trial.ClientApps[latchkey.AppRedirect], "provider": latchtest.ProviderID, "connectionId": id,
		})
		visit := h.Visit(made.URL).Consent().Submit("continue", "username", "eve", "password", latchtest.Password)
		if visit.Landed != nil {
			t.Fatalf("the person was sent to %s before reading why", visit.Landed)
		}
		if visit.Submit("continue"); visit.Landed == nil || visit.Landed.Query().Get("error_code") != "account_mismatch" {
			t.Errorf("landed at %v", visit.Landed)
		}
		if list := h.Connections(); len(list) != 1 || list[0].UserData.Username != "ada" {
			t.Errorf("connections %+v", list)
		}
	})
	t.Run("one that is deleted meanwhile is not made again", func(t *testing.T) {
		b := h.begin("connectionId", id)
		b.take(agreed)
		h.Want(http.StatusOK, "DELETE", "/v2/account/connections/"+id, nil)
		if got := b.take(credentials("ada")); got.Data.ErrorCode != "account_mismatch" || len(h.Connections()) != 0 {
			t.Errorf("%+v with %d connections", got, len(h.Connections()))
		}
	})
}

func TestTwoWhoLinkTheSameAccountAtOnceGetOneConnection(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		h := newHouse(t, options)
		sink := latchtest.NewSink(t)
		h.Listen(sink, "connection.created", "connection.updated")
		const people = 6
		release := h.Provider.Hold()
		ids := make([]string, people)
		var all sync.WaitGroup
		for i := range people {
			b := h.begin("clientReferenceId", "u")
			b.take(agreed)
			version := b.stored().Version
			all.Go(func() {
				status, got := b.send(submission{Version: version, Fields: credentials("ada")})
				if status != http.StatusAccepted || got.Status != "completed" {
					t.Errorf("answer %d: %+v", status, got)
				}
				ids[i] = got.Data.ID
			})
		}
		latchtest.Eventually(t, "all are at the provider", func() bool { return h.Provider.Logins() == people })
		release()
		all.Wait()
		if list := h.Connections(); len(list) != 1 || len(slices.Compact(ids)) != 1 || ids[0] != list[0].ID {
			t.Errorf("connections %v, want one", ids)
		}
		latchtest.Eventually(t, "every link is told of", func() bool { return len(sink.Hooks()) == people })
		if got := types(sink); got[0] != "connection.created" || slices.Index(got[1:], "connection.created") >= 0 {
			t.Errorf("events %v, want one created and then updated", got)
		}
		if other := h.begin("clientReferenceId", "another").login("ada"); other.Data.ID == ids[0] {
			t.Error("another reference shares the connection")
		}
	})
}
