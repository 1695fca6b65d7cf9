package link_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/latchtest"
)

// newConfirmingHouse is a house whose redirect app confirms its links.
func newConfirmingHouse(t *testing.T, options latchtest.Options) house {
	h := newHouse(t, options)
	h.ChangeApp(latchkey.AppRedirect, func(app *latchkey.ClientApp) {
		app.RequireConfirmation, app.Providers = true, []string{latchtest.ProviderID}
	})
	return h
}

// held is a link that was finished and waits for its confirmation.
type held struct {
	begun
	code string
}

// hold links an account, up to the confirmation, with more of a body in pairs.
func (h house) hold(username, reference string, more ...string) held {
	h.Helper()
	body := map[string]any{"clientAppId": h.Trial.ClientApps[latchkey.AppRedirect], "clientReferenceId": reference}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i]] = more[i+1]
	}
	link := h.Init(body)
	visit := h.Visit(link.URL).Consent().Submit("continue", "username", username, "password", latchtest.Password)
	if visit.Landed == nil {
		h.Fatalf("the login did not end: %s", visit.Text())
	}
	query := visit.Landed.Query()
	want := url.Values{"status": {"success"}, "code": query["code"], "client_reference_id": {reference}, "session_id": {link.SessionID}}
	if diff := cmp.Diff(want, query); diff != "" || len(query.Get("code")) < 43 {
		h.Fatalf("the redirect (-want +got):\n%s", diff)
	}
	return held{begun{h, link}, query.Get("code")}
}

// confirm exchanges a code.
func (h house) confirm(code, reference string) latchtest.Answer {
	h.Helper()
	return h.Call("POST", "/v2/link/confirm", map[string]string{"code": code, "clientReferenceId": reference})
}

// confirmed exchanges a code, which must succeed, and returns the connection.
func (b held) confirmed(reference string) string {
	b.Helper()
	got := latchtest.Decode[answered](b.Server, b.Want(http.StatusOK, "POST", "/v2/link/confirm",
		map[string]string{"code": b.code, "clientReferenceId": reference}))
	if got.Status != "completed" || !latchkey.ValidID(got.Data.ID, latchkey.PrefixConnection) {
		b.Fatalf("confirmed as %+v", got)
	}
	return got.Data.ID
}

// looked asks how a session stands.
func (b begun) looked() answered {
	b.Helper()
	return latchtest.Decode[answered](b.Server, b.Want(http.StatusOK, "GET", "/v2/link/sessions/"+b.SessionID, nil))
}

// revoked waits until no session is left at the provider.
func (h house) revoked() {
	h.Helper()
	latchtest.Eventually(h.TB, "the login is ended at the provider", func() bool { return len(h.Provider.Tokens()) == 0 })
}

func TestALinkCountsOnceItIsConfirmed(t *testing.T) {
	t.Parallel()
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		h := newConfirmingHouse(t, options)
		sink := latchtest.NewSink(t)
		h.Listen(sink)
		b := h.hold("ada", "user_1")
		if got := b.looked(); got.Status != "pending" || got.Data.Step.Name != "confirm" || got.Data.ID != "" {
			t.Errorf("before the confirmation: %+v", got)
		}
		if len(h.Connections()) != 0 || len(h.Provider.Tokens()) != 1 {
			t.Errorf("%d connections, %d logins, want none and one", len(h.Connections()), len(h.Provider.Tokens()))
		}
		page := h.Visit(b.URL)
		if strings.Contains(string(page.Answer.Body), b.code) || strings.Contains(string(page.Answer.Body), "ada") {
			t.Error("whoever has the link reads the code, or whose account it is, on its page")
		}
		id := b.confirmed("user_1")
		if got := b.looked(); got.Status != "completed" || got.Data.ID != id {
			t.Errorf("after the confirmation: %+v", got)
		}
		h.Want(http.StatusOK, "GET", "/v2/access/self", nil, "x-connection-id", id)
		stored := b.stored()
		if stored.Flow != nil || stored.Progress.CodeHash != "" || strings.Contains(h.Log.Text(), b.code) {
			t.Error("the login or its code is still kept")
		}
		for range 2 {
			got := h.refused(h.confirm(b.code, "user_1"))
			wantRefusal(t, "a used code", got, http.StatusBadRequest, latchkey.Invalid, "code")
		}
		latchtest.Eventually(t, "it is told", func() bool { return len(types(sink)) >= 2 })
		h.Stop()
		if diff := cmp.Diff(map[string]int{"connection.created": 1, "link.session.completed": 1}, counted(types(sink))); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnotherReferenceVoidsTheLink(t *testing.T) {
	t.Parallel()
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		h := newConfirmingHouse(t, options)
		sink := latchtest.NewSink(t)
		h.Listen(sink)
		b := h.hold("ada", "attacker")
		got := h.refused(h.confirm(b.code, "victim"))
		wantRefusal(t, "the victim's reference", got, http.StatusBadRequest, latchkey.Invalid, "clientReferenceId")
		got = h.refused(h.confirm(b.code, "attacker"))
		wantRefusal(t, "the attacker's reference afterwards", got, http.StatusBadRequest, latchkey.Invalid, "code")
		if got := b.looked(); got.Status != "denied" || got.Data.ErrorCode != "access_denied" {
			t.Errorf("the session is %+v", got)
		}
		h.revoked()
		latchtest.Eventually(t, "it is told", func() bool { return len(types(sink)) > 0 })
		h.Stop()
		if diff := cmp.Diff(map[string]int{"link.session.cancelled": 1}, counted(types(sink))); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhatIsNotConfirmedInTimeIsEnded(t *testing.T) {
	t.Parallel()
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newConfirmingHouse(t, options)
		h.Clock.Freeze(time.Now()) // a slow machine is not late
		sink := latchtest.NewSink(t)
		h.Listen(sink)
		b, inTime := h.hold("ada", "user_1"), h.hold("eve", "user_1")
		h.Clock.Move(59 * time.Second)
		inTime.confirmed("user_1")
		h.Clock.Move(time.Second)
		for _, reference := range []string{"user_1", "user_2"} {
			got := h.refused(h.confirm(b.code, reference))
			wantRefusal(t, "a code after a minute", got, http.StatusBadRequest, latchkey.Invalid, "code")
		}
		if got := b.looked(); got.Status != "pending" {
			t.Errorf("after a minute: %+v", got)
		}
		h.Clock.Move(9*time.Minute - 2*time.Second)
		if got := b.looked(); got.Status != "pending" || len(h.Provider.Tokens()) != 2 {
			t.Errorf("just before ten minutes: %+v, %d logins", got, len(h.Provider.Tokens()))
		}
		h.Clock.Move(3 * time.Second)
		if got := b.looked(); got.Status != "failed" || got.Data.ErrorCode != "session_expired" {
			t.Errorf("after ten minutes: %+v", got)
		}
		h.App.Start(t.Context())
		latchtest.Eventually(t, "the login is ended at the provider", func() bool { return len(h.Provider.Tokens()) == 1 })
		latchtest.Eventually(t, "the expiry is told", func() bool { return counted(types(sink))["link.session.expired"] == 1 })
		if stored := b.stored(); stored.State != latchkey.StateExpired || stored.Flow != nil || stored.Progress.CodeHash != "" {
			t.Errorf("the session is %s and keeps %d bytes", stored.State, len(stored.Flow))
		}
		if len(h.Connections()) != 1 {
			t.Errorf("%d connections, want the one that was confirmed", len(h.Connections()))
		}
	})
}

func TestACodeIsRefused(t *testing.T) {
	h := newConfirmingHouse(t, latchtest.Options{Idle: true})
	b := h.hold("ada", "user_1")
	id := b.code[:22]
	for name, code := range map[string]string{
		"half of it": b.code[:len(b.code)/2], "one letter less": b.code[:len(b.code)-1], "one more": b.code + "x",
		"another secret": id + strings.Repeat("x", 43), "another session": strings.Repeat("x", 22) + b.code[22:],
		"the session's id": b.SessionID, "the client secret": b.Secret(), "other letters": strings.ToLower(b.code),
		"its hash": latchkey.HashSecret(b.code), "a pattern": id + strings.Repeat("%", 43), "with NUL": b.code[:64] + "\x00",
		"spaces": " " + b.code[1:],
	} {
		if code == b.code {
			continue
		}
		got := h.refused(h.confirm(code, "user_1"))
		wantRefusal(t, name, got, http.StatusBadRequest, latchkey.Invalid, "code")
	}
	wantRefusal(t, "none", h.refused(h.confirm("", "user_1")), http.StatusBadRequest, latchkey.Invalid, "code")
	wantRefusal(t, "no reference", h.refused(h.confirm(b.code, "")), http.StatusBadRequest, latchkey.Invalid, "clientReferenceId")
	b.confirmed("user_1") // nothing of that has burnt it
}

func TestACodeConfirmsOnce(t *testing.T) {
	t.Parallel()
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newConfirmingHouse(t, options)
		b := h.hold("ada", "user_1")
		var good, bad atomic.Int32
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				switch answer := h.confirm(b.code, "user_1"); answer.Status {
				case http.StatusOK:
					good.Add(1)
				case http.StatusBadRequest:
					bad.Add(1)
				default:
					t.Errorf("answer %d: %s", answer.Status, answer.Body)
				}
			})
		}
		all.Wait()
		if good.Load() != 1 || bad.Load() != 15 || len(h.Connections()) != 1 {
			t.Errorf("%d taken, %d refused, %d connections", good.Load(), bad.Load(), len(h.Connections()))
		}
	})
}

func TestAHeldLinkCanBeEnded(t *testing.T) {
	t.Parallel()
	h := newConfirmingHouse(t, latchtest.Options{})
	t.Run("by its app", func(t *testing.T) {
		b := h.hold("ada", "user_1")
		h.Want(http.StatusNoContent, "DELETE", "/v2/link/"+b.Secret(), nil)
		wantRefusal(t, "its code", h.refused(h.confirm(b.code, "user_1")), http.StatusBadRequest, latchkey.Invalid, "code")
		if got := b.looked(); got.Status != "not_found" {
			t.Errorf("the session is %+v", got)
		}
		h.revoked()
	})
	t.Run("by the person", func(t *testing.T) {
		b := h.hold("ada", "user_1")
		form := url.Values{"version": {fmt.Sprint(b.stored().Version)}, "action": {"cancel"}}
		answer := h.Call("POST", "/"+b.Secret(), form.Encode(), "apikey", "",
			"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
		if got := b.looked(); answer.Status != http.StatusSeeOther || got.Data.ErrorCode != "cancelled" {
			t.Errorf("answer %d, the session is %+v", answer.Status, got)
		}
		wantRefusal(t, "its code", h.refused(h.confirm(b.code, "user_1")), http.StatusBadRequest, latchkey.Invalid, "code")
		h.revoked()
	})
	t.Run("but not while its app is suspended, nor confirmed", func(t *testing.T) {
		b := h.hold("ada", "user_1")
		h.suspend(latchkey.AppRedirect, true)
		for _, reference := range []string{"user_1", "user_2"} {
			wantRefusal(t, "its code", h.refused(h.confirm(b.code, reference)), http.StatusForbidden, latchkey.Forbidden, "")
		}
		h.suspend(latchkey.AppRedirect, false)
		b.confirmed("user_1")
	})
}

func TestHeldLinksOfOneAccount(t *testing.T) {
	t.Parallel()
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newConfirmingHouse(t, options)
		first, second, other := h.hold("ada", "user_1"), h.hold("ada", "user_1"), h.hold("ada", "user_2")
		id := first.confirmed("user_1")
		if again := second.confirmed("user_1"); again != id {
			t.Errorf("with the same reference it is linked as %s and %s", id, again)
		}
		if again := other.confirmed("user_2"); again == id {
			t.Error("with another reference it is the same connection")
		}
	})
}

func TestAReconnectIsConfirmed(t *testing.T) {
	t.Parallel()
	h := newConfirmingHouse(t, latchtest.Options{})
	loose := h.begin().login("ada").Data.ID // without a reference
	t.Run("by the reference of its init", func(t *testing.T) {
		b := h.hold("ada", "user_1", "connectionId", loose)
		if id := b.confirmed("user_1"); id != loose {
			t.Errorf("%s was reconnected as %s", loose, id)
		}
		if reference := h.Connections()[0].ClientReferenceID; reference != nil {
			t.Errorf("the connection has the reference %s now", *reference)
		}
	})
	t.Run("or of its connection", func(t *testing.T) {
		id := h.begin("clientReferenceId", "user_2").login("ada").Data.ID
		link := h.Init(map[string]any{"clientAppId": h.Trial.ClientApps[latchkey.AppRedirect], "connectionId": id})
		visit := h.Visit(link.URL).Consent().Submit("continue", "username", "ada", "password", latchtest.Password)
		if again := (held{begun{h, link}, visit.Landed.Query().Get("code")}).confirmed("user_2"); again != id {
			t.Errorf("%s was reconnected as %s", id, again)
		}
	})
	t.Run("and not if nobody could", func(t *testing.T) {
		got := h.refused(h.Call("POST", "/v2/link/init", map[string]string{
			"clientAppId": h.Trial.ClientApps[latchkey.AppRedirect], "connectionId": loose,
		}))
		wantRefusal(t, "no reference", got, http.StatusBadRequest, latchkey.Invalid, "clientReferenceId")
	})
	t.Run("unless the connection is gone meanwhile, and then the login is ended", func(t *testing.T) {
		b := h.hold("ada", "user_1", "connectionId", loose)
		h.Want(http.StatusOK, "DELETE", "/v2/account/connections/"+loose, nil)
		live := len(h.Provider.Tokens())
		wantRefusal(t, "its code", h.refused(h.confirm(b.code, "user_1")), http.StatusNotFound, latchkey.NotFound, "")
		latchtest.Eventually(t, "the login is ended", func() bool { return len(h.Provider.Tokens()) == live-1 })
		if got := b.looked(); got.Data.ErrorCode != "account_mismatch" {
			t.Errorf("the session is %+v", got)
		}
	})
}

func TestALinkThatNobodyCouldConfirmIsNotBegun(t *testing.T) {
	h := newConfirmingHouse(t, latchtest.Options{Idle: true})
	app := h.Trial.ClientApps[latchkey.AppRedirect]
	got := h.refused(h.Call("POST", "/v2/link/init", map[string]string{"clientAppId": app}))
	wantRefusal(t, "without a reference", got, http.StatusBadRequest, latchkey.Invalid, "clientReferenceId")
	h.ChangeApp(latchkey.AppRedirect, func(app *latchkey.ClientApp) { app.RedirectURIs = nil })
	got = h.refused(h.Call("POST", "/v2/link/init", map[string]string{"clientAppId": app, "clientReferenceId": "user_1"}))
	wantRefusal(t, "without a way back", got, http.StatusBadRequest, latchkey.Invalid, "redirectUrl")
}
