package link_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/latchtest"
)

const importPath = "/v2/account/connections/import"

// bring imports a login, with more of a body in pairs, and returns the answer.
func (h house) bring(more ...any) latchtest.Answer {
	h.Helper()
	body := map[string]any{}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i].(string)] = more[i+1]
	}
	return h.Call("POST", importPath, body)
}

// brought is the body of an import, in the shape of a connection.
type brought struct {
	latchtest.Connection
	Imported      bool    `json:"imported"`
	LastCheckedAt *string `json:"lastCheckedAt"`
	UpdatedAt     string  `json:"updatedAt"`
}

// kept reads an answer that must be a connection.
func (h house) kept(answer latchtest.Answer) brought {
	h.Helper()
	if answer.Status != http.StatusOK {
		h.Fatalf("answer %d: %s", answer.Status, answer.Body)
	}
	return latchtest.Decode[brought](h.Server, answer)
}

// refusal is what tests judge of an error.
type refusal struct {
	Status int
	Code   string
	Field  string
}

// refused reads an answer that must be an error, which must not repeat a
// secret.
func (h house) refused(answer latchtest.Answer) refusal {
	h.Helper()
	got := latchtest.Decode[struct {
		Code    string `json:"code"`
		Details struct {
			Field string `json:"field"`
		} `json:"details"`
	}](h.Server, answer)
	for _, secret := range []string{latchtest.Password, "wrong", "tok_", "Mozilla"} {
		if strings.Contains(string(answer.Body), secret) {
			h.Errorf("the answer repeats %q: %s", secret, answer.Body)
		}
	}
	return refusal{answer.Status, got.Code, got.Details.Field}
}

func wantRefusal(t *testing.T, name string, got refusal, status int, code latchkey.Code, field string) {
	t.Helper()
	if diff := cmp.Diff(refusal{status, string(code), field}, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// session opens a session at the provider, as a browser would have.
func (h house) session(username string) string {
	h.Helper()
	before := map[string]bool{}
	for _, token := range h.Provider.Tokens() {
		before[token] = true
	}
	response, err := http.PostForm(h.Provider.URL+"/login", //nolint:noctx // of this process
		map[string][]string{"username": {username}, "password": {latchtest.Password}})
	if err != nil {
		h.Fatal(err)
	}
	_ = response.Body.Close()
	for _, token := range h.Provider.Tokens() {
		if !before[token] {
			return token
		}
	}
	h.Fatal("no session came of the login")
	return ""
}

const browser = "Mozilla/5.0 (X11; Linux x86_64)"

func TestALoginIsImported(t *testing.T) {
	t.Parallel()
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		tester := latchtest.ProviderID
		credentials := credentials("ada")
		for name, body := range map[string][]any{
			"by credentials":                         {"provider", tester, "credentials", credentials},
			"by a cookie":                            {"provider", tester, "cookie", "token=" + h.session("eve"), "userAgent", browser},
			"by credentials with a code":             {"provider", tester, "credentials", map[string]string{"username": "otp-ada", "password": latchtest.Password, "code": "246 810"}},
			"by a cookie of the sandbox":             {"provider", "sandbox", "cookie", "a=b; session=jo@creator.sandbox.com", "userAgent", browser},
			"by credentials of the sandbox":          {"provider", "sandbox", "credentials", map[string]string{"username": "bo@fan.sandbox.com", "password": "good-password"}},
			"by credentials and code of the sandbox": {"provider", "sandbox", "credentials", map[string]string{"username": "cy@fan-otp.sandbox.com", "password": "good-password", "code": "123456"}},
		} {
			t.Run(name, func(t *testing.T) {
				got := h.kept(h.bring(append(body, "clientReferenceId", "user_1", "permissions", []string{})...))
				if got.Status != "active" || !got.Imported || got.Provider != body[1] || *got.ClientReferenceID != "user_1" ||
					len(got.Permissions) != 0 || got.LastCheckedAt == nil || got.UserData.ID == "" {
					t.Errorf("got %+v", got)
				}
				self := h.Want(http.StatusOK, "GET", "/v2/access/self", nil, "x-connection-id", got.ID)
				if !strings.Contains(string(self.Body), `"id":"`+got.UserData.ID+`"`) {
					t.Errorf("its profile is %s", self.Body)
				}
				records, err := h.App.Store().AuditOf(t.Context(), h.Trial.OrganisationID, got.ID)
				if err != nil || len(records) == 0 || records[0].Action != latchkey.AuditImported ||
					!strings.HasPrefix(records[0].Actor, latchkey.PrefixKey) || records[0].Detail != `{"provider":"`+got.Provider+`"}` {
					t.Errorf("records %+v, %v", records, err)
				}
			})
		}
		t.Run("with all permissions of the app unless it says which", func(t *testing.T) {
			app, err := h.App.Store().ClientApp(t.Context(), h.Trial.OrganisationID, latchkey.Sandbox, h.Trial.ClientApps[latchkey.AppRedirect])
			if err != nil {
				t.Fatal(err)
			}
			got := h.kept(h.bring("provider", tester, "credentials", credentials))
			if diff := cmp.Diff(app.PermissionNames(), got.Permissions); diff != "" || got.ClientReferenceID != nil {
				t.Errorf("reference %v, permissions %s", got.ClientReferenceID, diff)
			}
		})
	})
}

func TestTheSameAccountImportedAgainIsRenewed(t *testing.T) {
	t.Parallel()
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		h := newHouse(t, options)
		sink := latchtest.NewSink(t)
		h.Listen(sink)
		body := []any{"provider", latchtest.ProviderID, "credentials", credentials("ada"), "clientReferenceId", "u"}
		first := h.kept(h.bring(body...))
		h.Clock.Move(time.Minute)
		var again sync.WaitGroup
		for range 8 {
			again.Go(func() {
				if answer := h.bring(body...); answer.Status != http.StatusOK || !strings.Contains(string(answer.Body), first.ID) {
					t.Errorf("answer %d: %s", answer.Status, answer.Body)
				}
			})
		}
		again.Wait()
		linked := h.begin("clientReferenceId", "u").login("ada")
		if linked.Data.ID != first.ID || len(h.Connections()) != 1 {
			t.Errorf("linked as %s beside %s", linked.Data.ID, first.ID)
		}
		stored := h.kept(h.Call("GET", "/v2/account/connections/"+first.ID, nil))
		if !stored.Imported || *stored.LastCheckedAt <= *first.LastCheckedAt {
			t.Errorf("stored as %+v, imported first at %s", stored, *first.LastCheckedAt)
		}
		latchtest.Eventually(t, "everything is told", func() bool { return len(types(sink)) == 11 })
		want := map[string]int{"connection.created": 1, "connection.updated": 9, "link.session.completed": 1}
		if diff := cmp.Diff(want, counted(types(sink))); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnImportedConnectionGetsANewLogin(t *testing.T) {
	t.Parallel()
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		h := newHouse(t, options)
		first := h.kept(h.bring("provider", latchtest.ProviderID, "credentials", credentials("ada"), "clientReferenceId", "u"))
		path := importPath + "/" + first.ID
		h.Want(http.StatusOK, "POST", "/v2/account/connections/"+first.ID+"/invalidate", nil)
		h.Clock.Move(time.Minute)
		for name, body := range map[string]map[string]any{
			"credentials": {"credentials": credentials("ada")},
			"a cookie":    {"cookie": "token=" + h.session("ada"), "userAgent": browser},
		} {
			got := h.kept(h.Call("PATCH", path, body))
			stored := h.kept(h.Call("GET", "/v2/account/connections/"+first.ID, nil))
			if diff := cmp.Diff(stored, got); diff != "" || got.ID != first.ID || got.Status != "active" ||
				*got.LastCheckedAt <= *first.LastCheckedAt || *got.ClientReferenceID != "u" {
				t.Errorf("by %s: %+v (-stored +answered):\n%s", name, got, diff)
			}
			h.Want(http.StatusOK, "GET", "/v2/access/self", nil, "x-connection-id", first.ID)
		}
		t.Run("but not of another account, whose login is ended", func(t *testing.T) {
			live := len(h.Provider.Tokens())
			got := h.refused(h.Call("PATCH", path, map[string]any{"credentials": credentials("eve")}))
			wantRefusal(t, "another account", got, http.StatusConflict, latchkey.Conflict, "")
			latchtest.Eventually(t, "eve's login is ended", func() bool { return len(h.Provider.Tokens()) == live })
			cookie := "token=" + h.session("eve")
			got = h.refused(h.Call("PATCH", path, map[string]any{"cookie": cookie, "userAgent": browser}))
			wantRefusal(t, "another account's cookie", got, http.StatusConflict, latchkey.Conflict, "")
			h.Want(http.StatusOK, "GET", "/v2/access/self", nil, "x-connection-id", first.ID)
			if len(h.Provider.Tokens()) != live+1 {
				t.Error("the app's own session was ended")
			}
		})
		t.Run("nor one that was linked, is unknown or foreign", func(t *testing.T) {
			linked := h.begin().login("ada").Data.ID
			logins := h.Provider.Logins()
			for _, id := range []string{linked, "conn_unknown", "conn_%00", first.ID + "0", "x"} {
				got := h.refused(h.Call("PATCH", importPath+"/"+id, map[string]any{"credentials": credentials("ada")}))
				wantRefusal(t, id, got, http.StatusNotFound, latchkey.NotFound, "")
			}
			if h.Provider.Logins() != logins {
				t.Error("something was tried at the provider")
			}
		})
		t.Run("also when eight bring one at once", func(t *testing.T) {
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() { h.kept(h.Call("PATCH", path, map[string]any{"credentials": credentials("ada")})) })
			}
			all.Wait()
		})
	})
}

func TestAnImportIsRefused(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	tester := latchtest.ProviderID
	const bad, cookie, agent = http.StatusBadRequest, "cookie", "userAgent"
	for name, c := range map[string]struct {
		body   []any
		status int
		code   latchkey.Code
		field  string
	}{
		"nothing":                        {nil, bad, latchkey.Invalid, cookie},
		"a provider alone":               {[]any{"provider", tester}, bad, latchkey.Invalid, cookie},
		"an empty cookie":                {[]any{cookie, "", agent, browser}, bad, latchkey.Invalid, cookie},
		"a cookie without a user agent":  {[]any{cookie, "token=1"}, bad, latchkey.Invalid, agent},
		"both":                           {[]any{cookie, "token=1", agent, browser, "provider", tester, "credentials", credentials("ada")}, bad, latchkey.Invalid, "credentials"},
		"no provider with credentials":   {[]any{"credentials", credentials("ada")}, bad, latchkey.Invalid, "provider"},
		"a cookie of one of several":     {[]any{cookie, "token=1", agent, browser}, bad, latchkey.Invalid, "provider"},
		"an unknown provider":            {[]any{"provider", "unknown", "credentials", credentials("ada")}, bad, latchkey.Invalid, "provider"},
		"a wrong password":               {[]any{"provider", tester, "credentials", map[string]string{"username": "ada", "password": "wrong"}}, bad, latchkey.Invalid, "credentials"},
		"a locked account":               {[]any{"provider", tester, "credentials", credentials("locked")}, bad, latchkey.Invalid, "credentials"},
		"no password":                    {[]any{"provider", tester, "credentials", map[string]string{"username": "ada"}}, bad, latchkey.Invalid, "credentials.password"},
		"nothing in the credentials":     {[]any{"provider", tester, "credentials", map[string]string{}}, bad, latchkey.Invalid, "credentials.username"},
		"a code that is wanted":          {[]any{"provider", tester, "credentials", credentials("otp-ada")}, bad, latchkey.Invalid, "credentials.code"},
		"a wrong code":                   {[]any{"provider", tester, "credentials", map[string]string{"username": "otp-ada", "password": latchtest.Password, "code": "000000"}}, bad, latchkey.Invalid, "credentials"},
		"a dead session":                 {[]any{"provider", tester, cookie, "token=tok_dead", agent, browser}, bad, latchkey.Invalid, cookie},
		"a cookie that is none":          {[]any{"provider", "sandbox", cookie, "\x01", agent, browser}, bad, latchkey.Invalid, cookie},
		"nobody's sandbox session":       {[]any{"provider", "sandbox", cookie, "session=jo@example.org", agent, browser}, bad, latchkey.Invalid, cookie},
		"a locked sandbox account":       {[]any{"provider", "sandbox", cookie, "session=jo@locked.sandbox.com", agent, browser}, bad, latchkey.Invalid, cookie},
		"a sandbox account that is down": {[]any{"provider", "sandbox", cookie, "session=jo@down.sandbox.com", agent, browser}, 503, latchkey.NetworkFailed, ""},
		"what waits for the person":      {[]any{"provider", "sandbox", "credentials", map[string]string{"username": "jo@push.sandbox.com", "password": "good-password"}}, bad, latchkey.Invalid, "credentials"},
		"a permission that is not given": {[]any{"provider", tester, "credentials", credentials("ada"), "permissions", []string{"all"}}, bad, latchkey.Invalid, "permissions"},
		"an empty reference":             {[]any{"provider", tester, "credentials", credentials("ada"), "clientReferenceId", ""}, bad, latchkey.Invalid, "clientReferenceId"},
		"a long reference":               {[]any{"provider", tester, "credentials", credentials("ada"), "clientReferenceId", strings.Repeat("x", 256)}, bad, latchkey.Invalid, "clientReferenceId"},
	} {
		wantRefusal(t, name, h.refused(h.bring(c.body...)), c.status, c.code, c.field)
	}
	t.Run("while the provider is down", func(t *testing.T) {
		cookie := "token=" + h.session("ada")
		h.Provider.Down(true)
		defer h.Provider.Down(false)
		for name, body := range map[string][]any{
			"credentials": {"provider", tester, "credentials", credentials("ada")},
			"a cookie":    {"provider", tester, "cookie", cookie, "userAgent", browser},
		} {
			answer := h.bring(body...)
			wantRefusal(t, name, h.refused(answer), http.StatusServiceUnavailable, latchkey.NetworkFailed, "")
			if answer.Header.Get("Retry-After") == "" {
				t.Error("it does not say when to try again")
			}
		}
	})
	t.Run("for a suspended app", func(t *testing.T) {
		imported := h.kept(h.bring("provider", tester, "credentials", credentials("eve")))
		logins := h.Provider.Logins()
		h.suspend(latchkey.AppRedirect, true)
		defer h.suspend(latchkey.AppRedirect, false)
		got := h.refused(h.bring("provider", tester, "credentials", credentials("ada")))
		wantRefusal(t, "an import", got, http.StatusForbidden, latchkey.Forbidden, "")
		got = h.refused(h.Call("PATCH", importPath+"/"+imported.ID, map[string]any{"credentials": credentials("eve")}))
		wantRefusal(t, "another login", got, http.StatusForbidden, latchkey.Forbidden, "")
		if h.Provider.Logins() != logins {
			t.Error("something was tried at the provider")
		}
	})
	if n := len(h.Connections()); n != 1 {
		t.Errorf("%d connections came of it, want the one that was good", n)
	}
}

func TestImportsCountAsTriesOfTheAccount(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true, Limits: latchtest.Limits{AttemptsPerAccount: 1}}) // the usual budgets
	try := func(username, password, code string) int {
		t.Helper()
		return h.bring("provider", latchtest.ProviderID, "credentials",
			map[string]string{"username": username, "password": password, "code": code}).Status
	}
	for range 7 { // what is right does not count
		if got := try("otp-ada", latchtest.Password, latchtest.Code); got != http.StatusOK {
			t.Fatalf("a right login is answered %d", got)
		}
	}
	for range 7 { // nor does it when the code is lacking
		if got := try("otp-ada", latchtest.Password, ""); got != http.StatusBadRequest {
			t.Fatalf("without a code the answer is %d", got)
		}
	}
	logins := h.Provider.Logins()
	for i := range 8 {
		want := http.StatusBadRequest
		if i >= 5 {
			want = http.StatusTooManyRequests
		}
		if got := try("OTP-ADA ", "wrong", ""); got != want {
			t.Errorf("wrong password %d is answered %d, want %d", i+1, got, want)
		}
	}
	if got := h.Provider.Logins() - logins; got != 5 {
		t.Errorf("%d wrong passwords reached the provider, want 5", got)
	}
	if answer := h.bring("provider", latchtest.ProviderID, "credentials", credentials("otp-ada")); answer.Header.Get("Retry-After") == "" {
		t.Errorf("the answer %d does not say when to try again", answer.Status)
	}
	h.Clock.Move(15*time.Minute + time.Second)
	for i := range 12 {
		want := http.StatusBadRequest
		if i >= 10 {
			want = http.StatusTooManyRequests
		}
		if got := try("otp-ada", latchtest.Password, "000000"); got != want {
			t.Errorf("wrong code %d is answered %d, want %d", i+1, got, want)
		}
	}
	b := h.begin()
	b.take(agreed)
	b.take(credentials("otp-ada"))
	if got := b.take(map[string]string{"code": latchtest.Code}); got.Data.Step.Refused != "too_many_attempts" {
		t.Errorf("a link is not held to the same tries: %+v", got)
	}
}
