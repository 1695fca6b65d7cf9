package api_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
	"latchkey/internal/link"
)

// elsewhere is a provider whose first step happens elsewhere. Whoever asks
// after it is refused.
type elsewhere struct {
	id    string
	first connector.Step
}

func (e elsewhere) Describe() connector.Description {
	return connector.Description{
		ID: e.id, Name: "Elsewhere", Domain: "elsewhere.example", Environments: []latchkey.Environment{latchkey.Sandbox},
	}
}

func (e elsewhere) Advance(_ context.Context, flow connector.Flow, _ connector.Input) (connector.Step, error) {
	if flow.State == nil {
		return e.first, nil
	}
	return nil, &connector.Failure{Code: latchkey.FailureAccessDenied, Reason: "pushed away"}
}

// shown asks how a session stands, both ways, and compares.
func (d driven) shown(format string, args ...any) {
	d.Helper()
	for _, path := range []string{"/v2/link/" + d.Secret(), "/v2/link/sessions/" + d.SessionID} {
		wantJSON(d.TB, d.Call("GET", path, nil), http.StatusOK, format, args...)
	}
}

// What the steps of the programmable provider show.
const (
	consentStep = `{"status":"initialized","data":{"step":{"name":"authorization","version":1,"permissions":[
		{"name":"profile:read","purpose":"to greet you"},{"name":"posts:read","purpose":"to list them"}],
		"textVersion":"` + link.ConsentTextVersion + `","consent":{"locale":"en",
		"app":{"name":"Shop","domain":"shop.example","logoUrl":null},
		"provider":{"id":"tester","name":"Tester","domain":"tester.example"},
		"heading":"Allow Shop to use your Tester account?","listHeading":"What Shop could do","promises":[
		"Your password is never shown to Shop.",
		"You can take this back at any time: disconnect the account in Shop, or end the session in the security settings of Tester."
		]},"fields":[{"name":"textVersion","type":"text","required":true,
		"label":"Version of the consent text that the user agreed to"}]}}}`
	loginFields = `"fields":[
		{"name":"username","type":"text","label":"Username","autocomplete":"username","required":true},
		{"name":"password","type":"password","label":"Password","autocomplete":"current-password","required":true}]`
	codeFields = `"fields":[{"name":"code","type":"code","label":"Code","autocomplete":"one-time-code","required":true}]`
)

func TestTheStatusOfAWhitelabelSession(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	t.Run("from consent to connection", func(t *testing.T) {
		d := h.whitelabel()
		d.shown(consentStep)
		wantJSON(t, d.consent(), http.StatusAccepted, `{"status":"initialized","data":{"step":{"name":"login","version":3,%s,"attemptsLeft":5}}}`, loginFields)
		d.take("username", "otp-ada", "password", "wrong")
		d.shown(`{"status":"invalid_credentials","data":{"step":{"name":"login","version":5,%s,"attemptsLeft":4,
			"refused":"invalid_credentials"}}}`, loginFields)
		d.take("username", "otp-ada", "password", latchtest.Password)
		d.shown(`{"status":"awaiting_2fa","data":{"step":{"name":"2fa","version":7,%s,"attemptsLeft":5},
			"twoFactorState":{"options":["app"]}}}`, codeFields)
		d.take("code", "000000")
		d.shown(`{"status":"awaiting_2fa","data":{"step":{"name":"2fa","version":9,%s,"attemptsLeft":4,"refused":"2fa_failed"},
			"twoFactorState":{"options":["app"]}}}`, codeFields)
		done := d.take("code", "246-810")
		id := latchtest.Decode[session](d.Server, done).Data.ID
		if !latchkey.ValidID(id, "conn_") {
			t.Errorf("connection %q", id)
		}
		d.shown(`{"status":"completed","data":{"id":%q,
			"userData":{"id":"id-of-otp-ada","name":"Name of otp-ada","username":"otp-ada","avatar":null}}}`, id)
	})
	t.Run("while it is being tried", func(t *testing.T) {
		d := h.whitelabel()
		d.consent()
		release := h.Provider.Hold()
		before := h.Provider.Logins()
		answered := make(chan latchtest.Answer)
		go func() { answered <- d.take("username", "ada", "password", latchtest.Password) }()
		latchtest.Eventually(t, "the login arrives", func() bool { return h.Provider.Logins() > before })
		d.shown(`{"status":"pending","data":{"step":{"name":"wait","version":4,"retryAfter":1}}}`)
		late := h.refused(d.submit(map[string]any{"version": 4, "action": "continue"}), http.StatusConflict, latchkey.Conflict)
		if late.Current["status"] != "pending" {
			t.Errorf("current %v", late.Current)
		}
		release()
		if answer := <-answered; answer.Status != http.StatusAccepted {
			t.Errorf("answer %d: %s", answer.Status, answer.Body)
		}
	})
	t.Run("the provider refuses the person", func(t *testing.T) {
		d := h.whitelabel()
		d.login("locked")
		d.shown(`{"status":"failed","data":{"errorCode":"account_locked"}}`)
	})
	t.Run("the provider is down", func(t *testing.T) {
		d := h.whitelabel()
		d.consent()
		h.Provider.Down(true)
		d.take("username", "ada", "password", latchtest.Password)
		h.Provider.Down(false)
		d.shown(`{"status":"initialized","data":{"step":{"name":"login","version":5,%s,"attemptsLeft":4,
			"refused":"provider_unavailable"}}}`, loginFields)
	})
	t.Run("the attempts are used up", func(t *testing.T) {
		d := h.whitelabel()
		d.consent()
		for range 5 {
			d.take("username", "ada", "password", "wrong")
		}
		d.shown(`{"status":"failed","data":{"errorCode":"too_many_attempts"}}`)
	})
	t.Run("cancelled", func(t *testing.T) {
		d := h.whitelabel()
		d.consent()
		d.submit(map[string]any{"action": "cancel"})
		d.shown(`{"status":"denied","data":{"errorCode":"cancelled","step":{"name":"login","version":4}}}`)
	})
	t.Run("refused at consent", func(t *testing.T) {
		d := h.whitelabel()
		d.submit(map[string]any{"action": "deny"})
		d.shown(`{"status":"denied","data":{"errorCode":"cancelled","step":{"name":"authorization","version":2}}}`)
	})
	t.Run("deleted, malformed or unknown", func(t *testing.T) {
		d := h.whitelabel()
		h.Want(http.StatusNoContent, "DELETE", "/v2/link/"+d.ClientSecret, nil)
		d.shown(`{"status":"not_found"}`)
		for _, secret := range []string{"cs_unknown", "x", "cs_%00", "cs_%ff", "cs_a%2Fb", "ls_1", d.SessionID, "cs_" + canary} {
			wantJSON(t, h.Call("GET", "/v2/link/"+secret, nil), http.StatusOK, `{"status":"not_found"}`)
			wantJSON(t, h.Call("GET", "/v2/link/sessions/"+secret, nil), http.StatusOK, `{"status":"not_found"}`)
		}
	})
	t.Run("expired", func(t *testing.T) {
		d := h.whitelabel("expiresIn", 300)
		d.consent()
		h.Clock.Move(300 * time.Second)
		d.shown(`{"status":"failed","data":{"errorCode":"session_expired"}}`)
	})
}

func TestTheStatusAtAProviderElsewhere(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{Idle: true, Connectors: []connector.Connector{
		elsewhere{"page", connector.Redirect{URL: "https://elsewhere.example/login?state=1", State: []byte("out")}},
		elsewhere{"push", connector.Wait{After: 1500 * time.Millisecond, State: []byte("push"), Prompt: latchkey.Prompt{
			Message: "Approve it on your phone.", TwoFactor: &latchkey.TwoFactorState{Options: []string{"push"}},
		}}},
	}})
	h := house{Server: s, mine: newTenant(s, func(app *latchkey.ClientApp) { app.Providers = []string{"page", "push"} })}
	s.Trial.APIKey = h.mine.key
	t.Run("at the provider's own page", func(t *testing.T) {
		d := h.whitelabel("provider", "page")
		d.consent()
		wantJSON(t, d.Call("GET", "/v2/link/"+d.Secret(), nil), http.StatusOK,
			`{"status":"pending","data":{"step":{"name":"redirect","version":3,"url":%q}}}`, s.URL+"/s/"+d.Secret()+"/provider")
		wantJSON(t, d.Call("GET", "/v2/link/sessions/"+d.SessionID, nil), http.StatusOK,
			`{"status":"pending","data":{"step":{"name":"redirect","version":3}}}`) // who asks by the id may not act for the person
		for _, action := range []string{"continue", "poll", "back", "resend", "approve", "deny", "callback"} {
			h.untouched(action, func() { h.refused(d.submit(map[string]any{"action": action}), 400, latchkey.Invalid) })
		}
	})
	t.Run("while a push is waited for", func(t *testing.T) {
		d := h.whitelabel("provider", "push")
		d.consent()
		d.shown(`{"status":"awaiting_2fa","data":{"step":{"name":"wait","version":3,"message":"Approve it on your phone.",
			"retryAfter":2},"twoFactorState":{"options":["push"]}}}`)
		d.submit(map[string]any{"action": "poll"})
		d.shown(`{"status":"denied","data":{"errorCode":"access_denied"}}`)
	})
}

func TestTheStatusOfAHostedSession(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	d := driven{h, h.Init(map[string]any{"clientReferenceId": "user 1"})}
	visit := h.Visit(d.URL)
	d.shown(`{"status":"initialized","data":{"step":{"name":"pre-login","version":1}}}`)
	visit.Submit("continue").Submit("approve")
	d.shown(`{"status":"initialized","data":{"step":{"name":"login","version":4,%s,"attemptsLeft":5}}}`, loginFields)
	visit.Submit("continue", "username", "ada", "password", "wrong")
	d.shown(`{"status":"invalid_credentials","data":{"step":{"name":"login","version":6,%s,"attemptsLeft":4,
		"refused":"invalid_credentials"}}}`, loginFields)
	for _, action := range []string{"continue", "cancel", "poll"} {
		h.untouched(action, func() {
			h.refused(h.Call("POST", "/v2/link/"+d.Secret()+"/submit", map[string]any{"version": 6, "action": action}), 403, latchkey.Forbidden)
		})
	}
	visit.Submit("continue", "username", "ada", "password", latchtest.Password)
	d.shown(`{"status":"completed","data":{"id":%q,
		"userData":{"id":"id-of-ada","name":"Name of ada","username":"ada","avatar":null}}}`, h.Connections()[0].ID)
}
