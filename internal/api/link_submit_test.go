package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/link"
)

func TestSubmitRefusesWhatDoesNotFitTheStep(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	many := map[string]string{}
	for i := range 21 {
		many[fmt.Sprintf("f%d", i)] = canary
	}
	atConsent := h.whitelabel()
	atLogin := h.whitelabel()
	atLogin.consent()
	atCode := h.whitelabel()
	atCode.login("otp-ada")
	for _, test := range []struct {
		name  string
		at    driven
		body  map[string]any
		field string
	}{
		{"no version", atLogin, map[string]any{"version": nil, "action": "continue"}, "version"},
		{"a version that is text", atLogin, map[string]any{"version": canary}, "version"},
		{"an unknown action", atLogin, map[string]any{"action": canary}, "action"},
		{"an action in capitals", atLogin, map[string]any{"action": "Cancel"}, "action"},
		{"the callback's action", atLogin, map[string]any{"action": "callback"}, "action"},
		{"21 fields", atLogin, map[string]any{"fields": many}, "fields"},
		{"a field that is a number", atLogin, map[string]any{"fields": map[string]any{"password": 12345678}}, "fields"},
		{"fields that are a list", atLogin, map[string]any{"fields": []string{canary}}, "fields"},
		{"no consent text", atConsent, map[string]any{"action": "approve"}, "fields.textVersion"},
		{"another consent text", atConsent, map[string]any{"fields": map[string]string{"textVersion": "2020-1-" + canary}}, "fields.textVersion"},
		{"a login at consent", atConsent, map[string]any{"fields": map[string]string{"username": "ada", "password": canary}}, "fields.textVersion"},
		{"back from consent", atConsent, map[string]any{"action": "back"}, "action"},
		{"resend at consent", atConsent, map[string]any{"action": "resend"}, "action"},
		{"poll at consent", atConsent, map[string]any{"action": "poll"}, "action"},
		{"no fields", atLogin, map[string]any{}, "fields.username"},
		{"no password", atLogin, map[string]any{"fields": map[string]string{"username": canary}}, "fields.password"},
		{"an empty password", atLogin, map[string]any{"fields": map[string]string{"username": canary, "password": ""}}, "fields.password"},
		{"a password of 5 KB", atLogin, map[string]any{"fields": map[string]string{
			"username": "ada", "password": strings.Repeat(canary, 500),
		}}, "fields.password"},
		{"approve at login", atLogin, map[string]any{"action": "approve"}, "action"},
		{"deny at login", atLogin, map[string]any{"action": "deny"}, "action"},
		{"resend at login", atLogin, map[string]any{"action": "resend"}, "action"},
		{"poll at login", atLogin, map[string]any{"action": "poll"}, "action"},
		{"no code", atCode, map[string]any{}, "fields.code"},
		{"back from the code", atCode, map[string]any{"action": "back"}, "action"},
		{"approve at the code", atCode, map[string]any{"action": "approve"}, "action"},
	} {
		t.Run(test.name, func(t *testing.T) {
			logins := h.Provider.Logins()
			body := maps.Clone(test.body)
			if _, ok := body["version"]; !ok {
				body["version"] = test.at.look().Data.Step.Version
			}
			h.untouched(test.name, func() {
				if said := h.refused(test.at.submit(body), http.StatusBadRequest, latchkey.Invalid); said.Details.Field != test.field {
					t.Errorf("field %q, want %q: %s", said.Details.Field, test.field, said.Message)
				}
			})
			if h.Provider.Logins() != logins {
				t.Error("the provider was asked")
			}
		})
	}
	if strings.Contains(h.Log.Text(), canary) {
		t.Error("the log has a password in it")
	}
}

func TestAStaleVersionShowsTheCurrentStep(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	d := h.whitelabel()
	d.consent()
	logins := h.Provider.Logins()
	for _, version := range []int64{0, 1, 2, 4, -1, 1 << 62} {
		for _, action := range latchkey.Actions() {
			answer := d.submit(map[string]any{"version": version, "action": action, "fields": map[string]string{
				"username": "ada", "password": latchtest.Password, "textVersion": link.ConsentTextVersion,
			}})
			said := h.refused(answer, http.StatusConflict, latchkey.Conflict)
			current := latchtest.Decode[struct {
				Current session `json:"current"`
			}](h.Server, answer).Current
			if said.Details.Field != "" || current.Status != "initialized" || current.Data.Step.Name != "login" || current.Data.Step.Version != 3 {
				t.Errorf("version %d, %s: current %+v", version, action, current)
			}
		}
	}
	if h.Provider.Logins() != logins {
		t.Error("the provider was asked")
	}
	d.take("username", "ada", "password", latchtest.Password)
	answer := d.submit(map[string]any{"version": 3, "action": "cancel"})
	h.refused(answer, http.StatusConflict, latchkey.Conflict)
	if d.look().Status != "completed" || len(h.Connections()) != 1 {
		t.Error("what came late undid the link")
	}
}

func TestEveryActionDoesWhatItSays(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	t.Run("back goes to consent, which is asked for again", func(t *testing.T) {
		d := h.whitelabel()
		d.consent()
		d.take("username", "ada", "password", "wrong")
		wantStep(t, d.submit(map[string]any{"action": "back"}), "authorization", "")
		d.consent()
		if step := d.look().Data.Step; step.Name != "login" || step.AttemptsLeft != 4 || step.Refused != "" {
			t.Errorf("step %+v, want a fresh login with the attempts that were left", step)
		}
		records, err := h.App.Store().AuditOf(t.Context(), h.mine.id, d.SessionID)
		if err != nil || len(records) != 2 {
			t.Errorf("%d records of consent, want 2, %v", len(records), err)
		}
	})
	t.Run("approve consents like continue", func(t *testing.T) {
		d := h.whitelabel()
		answer := d.submit(map[string]any{"action": "approve", "fields": map[string]string{"textVersion": link.ConsentTextVersion}})
		wantStep(t, answer, "login", "")
	})
	t.Run("resend asks the provider and costs no attempt", func(t *testing.T) {
		d := h.whitelabel()
		d.login("otp-ada")
		wantStep(t, d.submit(map[string]any{"action": "resend"}), "2fa", "2fa_failed") // the tester knows no resend
		if left := d.look().Data.Step.AttemptsLeft; left != 5 {
			t.Errorf("%d attempts left, want 5", left)
		}
	})
	t.Run("cancel ends it at every step", func(t *testing.T) {
		for name, begin := range map[string]func(driven){
			"authorization": func(driven) {}, "login": func(d driven) { d.consent() }, "2fa": func(d driven) { d.login("otp-ada") },
		} {
			d := h.whitelabel()
			begin(d)
			wantStep(t, d.submit(map[string]any{"action": "cancel"}), name, "")
			if got := d.look(); got.Status != "denied" || got.Data.ErrorCode != "cancelled" {
				t.Errorf("cancelled at %s: %+v", name, got)
			}
		}
	})
}

func wantStep(t *testing.T, answer latchtest.Answer, name, refused string) {
	t.Helper()
	if answer.Status != http.StatusAccepted || !strings.Contains(string(answer.Body), `"step":{"name":"`+name+`"`) ||
		strings.Contains(string(answer.Body), `"refused":"`) != (refused != "") || !strings.Contains(string(answer.Body), refused) {
		t.Errorf("answer %d %s, want step %s, refused %q", answer.Status, answer.Body, name, refused)
	}
}

func TestDeleteShredsTheSession(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	for name, begin := range map[string]func(driven){
		"at consent": func(driven) {}, "with a login begun": func(d driven) { d.login("otp-ada") },
		"completed": func(d driven) { d.login("ada") }, "cancelled": func(d driven) { d.submit(map[string]any{"action": "cancel"}) },
	} {
		t.Run(name, func(t *testing.T) {
			d := h.whitelabel()
			begin(d)
			for range 3 {
				answer := h.Want(http.StatusNoContent, "DELETE", "/v2/link/"+d.ClientSecret, nil)
				if len(answer.Body) != 0 {
					t.Errorf("204 with the body %q", answer.Body)
				}
			}
			d.shown(`{"status":"not_found"}`)
			h.refused(d.submit(map[string]any{"version": 1, "action": "cancel"}), http.StatusNotFound, latchkey.NotFound)
			stored, err := h.App.Store().LinkSessionBySecret(t.Context(), latchkey.HashClientSecret(d.ClientSecret))
			if err != nil {
				t.Fatal(err)
			}
			if stored.Flow != nil || stored.Progress.UserData != nil || stored.Progress.Prompt.Fields != nil || !stored.State.Final() {
				t.Errorf("the session still holds something: %+v", stored.Progress)
			}
			if page := h.Visit(h.URL + "/" + d.ClientSecret); page.Answer.Status != http.StatusNotFound {
				t.Errorf("its page: status %d", page.Answer.Status)
			}
		})
	}
	if list := h.Connections(); len(list) != 1 {
		t.Errorf("%d connections, want the completed session's one", len(list))
	}
	h.Want(http.StatusNoContent, "DELETE", "/v2/link/cs_unknown", nil)
	h.Want(http.StatusNoContent, "DELETE", "/v2/link/cs_%00", nil)
}
