package link_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
)

// raw is what the answers tell of a completed session's credential, "" for
// nothing.
func (b begun) raw() string {
	b.Helper()
	type session struct {
		Data struct {
			ID      string            `json:"id"`
			Session map[string]string `json:"session"`
		} `json:"data"`
	}
	var tokens []string
	for _, path := range []string{"/v2/link/" + b.Secret(), "/v2/link/sessions/" + b.SessionID} {
		got := latchtest.Decode[session](b.Server, b.Want(http.StatusOK, "GET", path, nil))
		tokens = append(tokens, got.Data.Session["token"])
	}
	if tokens[0] != tokens[1] {
		b.Errorf("the two ways to ask tell %q and %q", tokens[0], tokens[1])
	}
	return tokens[0]
}

// returned counts the records that a connection's credential was given away.
func (h house) returned(connection string) int {
	h.Helper()
	records, err := h.App.Store().AuditOf(h.Context(), h.Trial.OrganisationID, connection)
	if err != nil {
		h.Fatal(err)
	}
	count := 0
	for _, record := range records {
		if record.Action != latchkey.AuditCredentialReturned {
			continue
		}
		if record.Detail != `{"provider":"tester","purpose":"export"}` && record.Detail != `{"purpose":"export","provider":"tester"}` ||
			!strings.HasPrefix(record.Actor, latchkey.PrefixKey) {
			h.Errorf("the record says %+v", record)
		}
		count++
	}
	return count
}

// asking starts a whitelabel session that asks for the credential.
func (h house) asking() begun {
	h.Helper()
	return begun{h, h.Init(map[string]any{
		"clientAppId": h.Trial.ClientApps[latchkey.AppWhitelabel], "options": map[string]bool{"returnRawSession": true},
	})}
}

func TestTheCredentialIsReturnedToWhoMayHaveIt(t *testing.T) {
	t.Parallel()
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		h.Clock.Freeze(time.Now()) // a slow machine is not late
		allow := func(allowed bool) {
			h.ChangeApp(latchkey.AppWhitelabel, func(app *latchkey.ClientApp) { app.RawSessionEnabled = allowed })
		}
		nothing := func(name string, b begun, connection string) {
			t.Helper()
			before := h.returned(connection)
			if b.raw() != "" || h.returned(connection) != before {
				t.Errorf("%s: the credential is returned", name)
			}
		}
		before := h.asking()
		id := before.login("ada").Data.ID
		nothing("an app that may not", before, id)
		allow(true)
		nothing("an app that might not at its init", before, id)
		unasked := h.begin()
		unasked.login("ada")
		nothing("an app that did not ask", unasked, id)

		b := h.asking()
		b.take(agreed)
		nothing("a session that is not completed", b, id)
		answer := h.Call("POST", "/v2/link/"+b.Secret()+"/submit", submission{Version: b.stored().Version, Fields: credentials("ada")})
		token := b.raw()
		live := false
		for _, known := range h.Provider.Tokens() {
			live = live || known == token
		}
		if !live || strings.Contains(string(answer.Body), token) || h.returned(id) != 2 {
			t.Fatalf("got %q with %d records", token, h.returned(id))
		}
		for i := range 3 {
			if b.raw() != token || h.returned(id) != 4+2*i {
				t.Errorf("time %d: %d records, want one each time", i+2, h.returned(id))
			}
		}
		if log := h.Log.Text(); strings.Contains(log, token) {
			t.Error("the log tells it")
		}
		for _, path := range []string{"/v2/link/sessions", "/v2/account/connections", "/v2/account/connections/" + id} {
			if strings.Contains(string(h.Call("GET", path, nil).Body), token) {
				t.Errorf("%s tells it", path)
			}
		}

		allow(false)
		nothing("when the operator has turned it off", b, id)
		allow(true)
		if b.raw() != token {
			t.Error("when the operator has turned it on again there is none")
		}
		h.suspend(latchkey.AppWhitelabel, true)
		nothing("when the app is suspended", b, id)
		h.suspend(latchkey.AppWhitelabel, false)
		h.Want(http.StatusOK, "POST", "/v2/account/connections/"+id+"/invalidate", nil)
		nothing("when the connection has ended", b, id)

		later := h.asking()
		if later.login("ada").Data.ID != id || later.raw() == "" {
			t.Fatal("a later session returns none")
		}
		h.Clock.Move(30*time.Minute - time.Second)
		if later.raw() == "" {
			t.Error("before the session's time is over there is none")
		}
		h.Clock.Move(time.Second)
		nothing("when the session's time is over", later, id)
		h.Want(http.StatusOK, "DELETE", "/v2/account/connections/"+id, nil)
		nothing("when the connection is gone", later, id)
	})
}

func TestNoOtherAnswerReturnsTheCredential(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	h.ChangeApp(latchkey.AppRedirect, func(app *latchkey.ClientApp) {
		app.RawSessionEnabled, app.RequireConfirmation, app.Providers = true, true, []string{latchtest.ProviderID}
	})
	link := h.Init(map[string]any{"clientReferenceId": "u", "options": map[string]bool{"returnRawSession": true}})
	visit := h.Visit(link.URL).Consent().Submit("continue", "username", "ada", "password", latchtest.Password)
	token := h.Provider.Tokens()[0]
	b := held{begun{h, link}, visit.Landed.Query().Get("code")}
	if b.raw() != "" {
		t.Error("a link that is not confirmed returns the credential")
	}
	answer := h.confirm(b.code, "u")
	for name, text := range map[string]string{
		"the redirect": visit.Landed.String(), "the confirmation": string(answer.Body), "the page": string(h.Visit(link.URL).Answer.Body),
	} {
		if strings.Contains(text, token) {
			t.Errorf("%s tells the credential", name)
		}
	}
	if b.raw() != token {
		t.Error("a confirmed link returns no credential")
	}
}
