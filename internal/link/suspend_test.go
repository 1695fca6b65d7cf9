package link_test

import (
	"net/http"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
)

func TestASuspendedAppIsStoppedAtOnce(t *testing.T) {
	t.Parallel()
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		h.ChangeApp(latchkey.AppRedirect, func(app *latchkey.ClientApp) { app.Providers = []string{latchtest.ProviderID} })
		types := []latchkey.AppType{latchkey.AppRedirect, latchkey.AppWhitelabel}
		connection := h.begin().login("ada").Data.ID
		driven := h.begin()
		driven.take(agreed)
		page := h.Visit(h.Init(map[string]any{"clientAppId": h.Trial.ClientApps[latchkey.AppRedirect]}).URL).Consent()
		form := page.Form("continue", "username", "eve", "password", latchtest.Password)
		h.Want(http.StatusOK, "GET", "/v2/access/self", nil, "x-connection-id", connection)
		suspend := func(suspended bool) {
			for _, appType := range types {
				h.suspend(appType, suspended)
			}
		}
		forbidden := func(name string, answer latchtest.Answer) {
			t.Helper()
			wantRefusal(t, name, h.refused(answer), http.StatusForbidden, latchkey.Forbidden, "")
		}
		suspend(true)
		_, facts := h.Calls(func() {
			for _, appType := range types {
				forbidden("an init", h.Call("POST", "/v2/link/init", map[string]any{"clientAppId": h.Trial.ClientApps[appType]}))
			}
			forbidden("an init that names no app", h.Call("POST", "/v2/link/init", map[string]any{"mode": "whitelabel"}))
			forbidden("an init with a key", h.initWith("k", map[string]any{"mode": "redirect"}))
			for _, path := range []string{"/v2/access/self", "/v2/access/proxy/me"} {
				forbidden(path, h.Call("GET", path, nil, "x-connection-id", connection))
			}
			version := driven.stored().Version
			for _, what := range []submission{
				{Version: version, Fields: credentials("eve")}, {Version: version, Action: "cancel"}, {Version: version, Action: "back"},
			} {
				forbidden("a submission", h.Call("POST", "/v2/link/"+driven.Secret()+"/submit", what))
			}
			for name, answer := range map[string]latchtest.Answer{
				"the page": h.Call("GET", "/"+page.URL[strings.LastIndex(page.URL, "/")+1:], nil, "apikey", ""),
				"its form": h.Call("POST", "/"+page.URL[strings.LastIndex(page.URL, "/")+1:], form.Encode(), "apikey", "",
					"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin"),
			} {
				if answer.Status != http.StatusForbidden || strings.Contains(string(answer.Body), `name="password"`) {
					t.Errorf("%s is answered %d", name, answer.Status)
				}
			}
		})
		if facts != 0 || h.Provider.Logins() != 1 {
			t.Errorf("%d facts were written, %d logins", facts, h.Provider.Logins())
		}
		suspend(false)
		if got := driven.take(credentials("eve")); got.Status != "completed" {
			t.Errorf("afterwards the session is %+v", got)
		}
		if page.Post(form); page.Landed == nil {
			t.Errorf("afterwards the page says %s", page.Text())
		}
		h.Want(http.StatusOK, "GET", "/v2/access/self", nil, "x-connection-id", connection)
	})
}
