package link_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/link"
)

// machine is one session and what is known of it. What it finds wrong it tells
// to rapid, which shrinks the sequence.
type machine struct {
	*rapid.T
	house
	appType   latchkey.AppType
	providing string
	body      map[string]any // of its init
	link      latchtest.Link
	name      string // sets the accounts of this sequence apart
	codes     []string
	mu        sync.Mutex
	before    *latchkey.LinkSession // as it was last seen in the store
	logins    int                   // at the provider, before the session and beside it
	tries     int                   // submissions at the login that were taken
	suspended bool
	still     bool      // what was done last may change nothing
	confirmed bool      // what was done last may complete a link that waits for its confirmation
	voided    bool      // or end it
	heldBy    time.Time // when it waited for its confirmation already
	seen      map[string]int
	actions   int
	outside   int
}

// start begins a session, driven by a page or by JSON, that must be confirmed
// or not.
func (m *machine) start() {
	m.Provider.Down(false)
	m.appType = rapid.SampledFrom([]latchkey.AppType{latchkey.AppRedirect, latchkey.AppEmbed, latchkey.AppEmbed, latchkey.AppWhitelabel}).Draw(m.T, "app")
	m.providing = rapid.SampledFrom([]string{latchtest.ProviderID, latchtest.ProviderID, latchtest.ProviderID, "pusher", "pusher", "pager"}).Draw(m.T, "provider")
	m.house.suspend(m.appType, false)
	m.name = latchkey.NewID(randomness, "")
	m.body = map[string]any{
		"clientAppId": m.Trial.ClientApps[m.appType], "provider": m.providing, "clientReferenceId": m.name, "expiresIn": 900,
	}
	answer := m.call("POST", "/v2/link/init", m.body, "Idempotency-Key", m.name)
	if err := json.Unmarshal(answer.Body.Bytes(), &m.link); err != nil || answer.Code != http.StatusOK {
		m.Fatalf("init is answered %d: %s", answer.Code, answer.Body)
	}
	m.before, m.logins = m.stored(), m.house.Provider.Logins()
}

func (m *machine) hosted() bool { return m.appType != latchkey.AppWhitelabel }

// call sends JSON with the trial's key; nothing of it may fail inside.
func (m *machine) call(method, path string, body any, headers ...string) *httptest.ResponseRecorder {
	text := ""
	if body != nil {
		encoded, err := json.Marshal(body, json.Deterministic(true))
		if err != nil {
			m.Fatal(err)
		}
		text = string(encoded)
	}
	answer := m.direct(method, path, text, append(headers, "apikey", m.Trial.APIKey, "Content-Type", "application/json")...)
	m.noInternal(answer.Code)
	return answer
}

func (m *machine) noInternal(status int) {
	if status >= http.StatusInternalServerError {
		m.T.Errorf("status %d", status)
	}
}

func (m *machine) stored() *latchkey.LinkSession {
	session, err := m.App.Store().LinkSessionBySecret(m.house.Context(), latchkey.HashClientSecret(m.link.Secret()))
	if err != nil {
		m.Fatal(err)
	}
	return session
}

// draw makes a submission: any action, a version that may be stale, and fields
// that may fit.
func (m *machine) draw(rt *rapid.T) submission {
	actions := []string{"callback", "nonsense", "", "continue", "continue", "continue", "approve", "approve", "back", "resend", "poll"}
	if rapid.IntRange(0, 9).Draw(rt, "end") == 0 {
		actions = []string{"cancel", "deny"}
	}
	username := rapid.SampledFrom([]string{"ada", "otp-ada", "otp-eve", "otp-bob", "locked", ""}).Draw(rt, "username")
	if username != "" {
		username += m.name
	}
	return submission{
		Version: m.before.Version + rapid.SampledFrom([]int64{0, 0, 0, 0, -1, -2, 1}).Draw(rt, "version"),
		Action:  rapid.SampledFrom(actions).Draw(rt, "action"),
		Fields: map[string]string{
			"username":    username,
			"password":    rapid.SampledFrom([]string{latchtest.Password, "wrong", "wrong", ""}).Draw(rt, "password"),
			"code":        rapid.SampledFrom([]string{latchtest.Code, "000000", ""}).Draw(rt, "code"),
			"textVersion": rapid.SampledFrom([]string{link.ConsentTextVersion, "2020-1"}).Draw(rt, "text"),
		},
	}
}

// deliver sends a submission by the door that the session has, and reports
// whether it was taken.
func (m *machine) deliver(what submission) bool {
	if !m.hosted() {
		return m.call("POST", "/v2/link/"+m.link.Secret()+"/submit", what).Code == http.StatusAccepted
	}
	form := url.Values{"version": {fmt.Sprint(what.Version)}, "action": {what.Action}, "provider": {m.providing}}
	for name, value := range what.Fields {
		form.Set(name, value)
	}
	answer := m.direct("POST", "/"+m.link.Secret(), form.Encode(), "Content-Type", "application/x-www-form-urlencoded",
		"Sec-Fetch-Site", "same-origin")
	m.noInternal(answer.Code)
	m.keepCode(answer.Header().Get("Location"))
	return answer.Code == http.StatusSeeOther
}

// comeBack comes from the provider's own page, with the cookie that the browser
// was given on the way there or without, and with an answer that is the
// session's or is not.
func (m *machine) comeBack(rt *rapid.T) {
	left := m.direct("GET", "/s/"+m.link.Secret()+"/provider", "")
	m.noInternal(left.Code)
	target, err := url.Parse(left.Header().Get("Location"))
	if err != nil {
		m.Fatal(err)
	}
	forged := rapid.IntRange(0, 3).Draw(rt, "forged")
	state, cookie := target.Query().Get("state"), left.Result().Cookies()
	var headers []string
	if len(cookie) > 0 && forged != 1 {
		headers = []string{"Cookie", cookie[0].Name + "=" + cookie[0].Value}
	}
	if forged == 2 {
		state += "x"
	}
	m.still = forged == 1 || forged == 2 || len(cookie) == 0
	provider := "pager"
	if forged == 3 {
		provider, m.still = "pusher", true
	}
	query := url.Values{"state": {state}, "code": {"ada" + m.name}}
	answer := m.direct("GET", "/callback/"+provider+"/"+m.Trial.OrganisationID+"?"+query.Encode(), "", headers...)
	m.noInternal(answer.Code)
	m.keepCode(answer.Header().Get("Location"))
}

// keepCode remembers the code that confirms the link, if the person is sent to
// the app with one.
func (m *machine) keepCode(location string) {
	if target, err := url.Parse(location); err == nil && target.Query().Get("code") != "" {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.codes = append(m.codes, target.Query().Get("code"))
	}
}

// submit does anything. For another version than the session's nothing may
// come of it but the expiry of a session that is past its time.
func (m *machine) submit(rt *rapid.T) {
	what := m.draw(rt)
	m.still = m.suspended || what.Version != m.before.Version
	if taken := m.deliver(what); m.still && taken && !m.hosted() {
		rt.Errorf("%+v was taken at version %d", what, m.before.Version)
	}
}

// right does what brings the session on.
func (m *machine) right(rt *rapid.T) {
	if m.before.State == latchkey.StateConfirm {
		m.confirmAnyhow(rt)
		return
	}
	what := m.draw(rt)
	what.Version, what.Action, what.Fields["textVersion"] = m.before.Version, "continue", link.ConsentTextVersion
	switch m.before.State {
	case latchkey.StateAuthorization:
		what.Action = "approve"
	case latchkey.StateWait:
		what.Action = "poll"
	}
	m.still = m.suspended
	m.deliver(what)
}

// race sends two submissions at once for the same version: at most one may do
// anything. A hosted page answers both with the state as it then is.
func (m *machine) race(rt *rapid.T) {
	one, other := m.draw(rt), m.draw(rt)
	one.Version, other.Version = m.before.Version, m.before.Version
	var taken atomic.Int32
	var both sync.WaitGroup
	for _, what := range []submission{one, other} {
		both.Go(func() {
			if m.deliver(what) {
				taken.Add(1)
			}
		})
	}
	both.Wait()
	m.still = m.suspended
	if !m.hosted() && taken.Load() > 1 {
		rt.Errorf("both of %+v and %+v were taken", one, other)
	}
}

// otherDoor tries to drive the session where it is not driven.
func (m *machine) otherDoor(rt *rapid.T) {
	m.still = true
	what := m.draw(rt)
	if m.hosted() {
		if answer := m.call("POST", "/v2/link/"+m.link.Secret()+"/submit", what); answer.Code == http.StatusAccepted {
			rt.Errorf("a hosted session is driven by JSON: %s", answer.Body)
		}
		return
	}
	form := url.Values{"version": {fmt.Sprint(what.Version)}, "action": {what.Action}, "textVersion": {link.ConsentTextVersion}}
	answer := m.direct("POST", "/"+m.link.Secret(), form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
	if answer.Code != http.StatusNotFound && answer.Code != http.StatusBadRequest {
		rt.Errorf("the page of a whitelabel session is answered %d", answer.Code)
	}
}

// confirmAnyhow brings a code home, perhaps another or for another person.
func (m *machine) confirmAnyhow(rt *rapid.T) {
	code, reference := "nonsense", m.name
	right := len(m.codes) > 0 && rapid.IntRange(0, 3).Draw(rt, "code") > 0
	if right {
		code = m.codes[len(m.codes)-1]
	}
	own := rapid.IntRange(0, 3).Draw(rt, "reference") > 0
	if !own {
		reference = "somebody else"
	}
	alive := right && !m.suspended && m.Clock.Now().Sub(m.heldBy) < time.Minute // a moment later it may be dead all the same
	m.confirmed, m.voided = alive && own, alive && !own
	m.still = !m.confirmed && !m.voided
	answer := m.call("POST", "/v2/link/confirm", map[string]string{"code": code, "clientReferenceId": reference})
	if taken := answer.Code == http.StatusOK; taken != (m.stored().State == latchkey.StateCompleted && m.before.State == latchkey.StateConfirm) {
		rt.Errorf("a confirmation of a session that is %s is answered %d", m.before.State, answer.Code)
	}
}

// initAgain begins the link again, perhaps another one with the same key.
func (m *machine) initAgain(rt *rapid.T) {
	m.still = true
	another := rapid.IntRange(0, 3).Draw(rt, "another") == 0
	body := map[string]any{}
	for name, value := range m.body {
		body[name] = value
	}
	if another {
		body["locale"] = "de"
	}
	answer := m.call("POST", "/v2/link/init", body, "Idempotency-Key", m.name)
	var again latchtest.Link
	switch {
	case m.suspended:
		if answer.Code != http.StatusForbidden {
			rt.Errorf("an init of a suspended app is answered %d", answer.Code)
		}
	case another:
		if answer.Code != http.StatusConflict {
			rt.Errorf("another init with the same key is answered %d: %s", answer.Code, answer.Body)
		}
	case answer.Code != http.StatusOK || json.Unmarshal(answer.Body.Bytes(), &again) != nil || again.SessionID != m.link.SessionID || again.Secret() != m.link.Secret():
		rt.Errorf("the same init again is answered %d: %s", answer.Code, answer.Body)
	}
}

// suspend stops the app, or lets it go on.
func (m *machine) suspend(rt *rapid.T) {
	if suspended := rapid.IntRange(0, 3).Draw(rt, "suspended") == 0; suspended != m.suspended {
		m.house.suspend(m.appType, suspended)
		m.suspended = suspended
	}
	m.still = true
}

// importAccount brings a login of the same account beside the session.
func (m *machine) importAccount(rt *rapid.T) {
	if rapid.IntRange(0, 2).Draw(rt, "really") > 0 {
		return
	}
	m.still = true
	before := m.house.Provider.Logins()
	encoded, err := json.Marshal(map[string]any{
		"provider": latchtest.ProviderID, "clientReferenceId": m.name, "credentials": map[string]string{
			"username": "ada" + m.name, "password": rapid.SampledFrom([]string{latchtest.Password, "wrong"}).Draw(rt, "password"),
		},
	})
	if err != nil {
		m.Fatal(err)
	}
	answer := m.direct("POST", importPath, string(encoded), "apikey", m.Trial.APIKey, "Content-Type", "application/json")
	if answer.Code >= http.StatusInternalServerError && answer.Code != http.StatusServiceUnavailable { // it may be down
		rt.Errorf("an import is answered %d: %s", answer.Code, answer.Body)
	}
	m.logins += m.house.Provider.Logins() - before
}

// endConnection ends what the session became.
func (m *machine) endConnection(rt *rapid.T) {
	m.still = true
	id := m.before.Progress.ConnectionID
	if id == "" || rapid.Bool().Draw(rt, "not yet") {
		return
	}
	if rapid.Bool().Draw(rt, "gone") {
		m.call("DELETE", "/v2/account/connections/"+id, nil)
	} else {
		m.call("POST", "/v2/account/connections/"+id+"/invalidate", nil)
	}
}

func (m *machine) provider(rt *rapid.T) { m.Provider.Down(rapid.IntRange(0, 3).Draw(rt, "down") == 0) }

func (m *machine) time(rt *rapid.T) {
	m.Clock.Move(rapid.SampledFrom([]time.Duration{time.Second, 20 * time.Second, time.Minute, 5 * time.Minute, 10 * time.Minute}).Draw(rt, "time"))
	m.still = true
}

func (m *machine) sweep(rt *rapid.T) {
	if _, err := m.App.Links().Sweep(m.house.Context(), 100); err != nil {
		rt.Error(err)
	}
	m.still = true // but for an expiry
}

// look asks how the session stands, at every place that tells.
func (m *machine) look(rt *rapid.T) {
	m.still = true
	for _, path := range []string{
		"/v2/link/" + m.link.Secret(), "/v2/link/sessions/" + m.link.SessionID, "/v2/link/sessions?clientReferenceId=" + m.name,
	} {
		if answer := m.call("GET", path, nil); answer.Code != http.StatusOK {
			rt.Errorf("%s is answered %d: %s", path, answer.Code, answer.Body)
		}
	}
	m.noInternal(m.direct("GET", "/"+m.link.Secret(), "").Code)
}

func (m *machine) delete(rt *rapid.T) {
	if rapid.IntRange(0, 9).Draw(rt, "really") > 0 {
		return
	}
	if answer := m.call("DELETE", "/v2/link/"+m.link.Secret(), nil); answer.Code != http.StatusNoContent {
		rt.Errorf("status %d: %s", answer.Code, answer.Body)
	}
}
