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

	"pgregory.net/rapid"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/link"
)

// TestNoSequenceLeavesTheTable lets random people do random things to sessions
// of the running app, two at once among them, and looks at every change that
// was stored. More sequences: -args -rapid.checks=100000.
func TestNoSequenceLeavesTheTable(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	var sequences, outside int
	seen := map[string]int{} // how often each transition was seen
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{T: rt, house: h, seen: seen}
		m.start()
		rt.Repeat(map[string]func(*rapid.T){
			"submit": m.submit, "right": m.right, "right again": m.right, "two at once": m.race, "page": m.post,
			"provider": m.provider, "time": m.time, "look": m.look, "delete": m.delete, "": m.check,
		})
		sequences, outside = sequences+1, outside+m.outside
	})
	t.Logf("%d sequences, with the transitions %v", sequences, seen)
	fmt.Printf("RESULT S-10 %d 0\n", outside)
	if outside > 0 {
		t.Errorf("%d transitions outside the table", outside)
	}
}

// machine is one session and what is known of it. What it finds wrong it tells
// to rapid, which shrinks the sequence.
type machine struct {
	*rapid.T
	house
	begun   begun
	hosted  bool
	before  *latchkey.LinkSession // as it was last seen in the store
	logins  int                   // at the provider, before the session
	tries   int                   // submissions at the login that were taken
	seen    map[string]int
	outside int
}

// start begins a session, driven by a page or by JSON.
func (m *machine) start() {
	m.Provider.Down(false)
	m.hosted = rapid.Bool().Draw(m.T, "hosted")
	if m.hosted {
		m.begun = begun{m.house, m.Init(map[string]any{"clientAppId": m.Trial.ClientApps[latchkey.AppRedirect]})}
	} else {
		m.begun = m.begin()
	}
	m.before, m.logins = m.begun.stored(), m.house.Provider.Logins()
}

// draw makes a submission: any action, a version that may be stale, and fields
// that may fit.
func (m *machine) draw(rt *rapid.T) submission {
	actions := []string{"callback", "nonsense", "", "continue", "continue", "continue", "approve", "approve", "back", "resend", "poll"}
	if rapid.IntRange(0, 9).Draw(rt, "end") == 0 {
		actions = []string{"cancel", "deny"}
	}
	return submission{
		Version: m.before.Version + rapid.SampledFrom([]int64{0, 0, 0, 0, -1, -2, 1}).Draw(rt, "version"),
		Action:  rapid.SampledFrom(actions).Draw(rt, "action"),
		Fields: map[string]string{
			"username":    rapid.SampledFrom([]string{"ada", "otp-ada", "otp-eve", "otp-bob", "locked", ""}).Draw(rt, "username"),
			"password":    rapid.SampledFrom([]string{latchtest.Password, "wrong", "wrong", "wrong", ""}).Draw(rt, "password"),
			"code":        rapid.SampledFrom([]string{latchtest.Code, "000000", ""}).Draw(rt, "code"),
			"textVersion": rapid.SampledFrom([]string{link.ConsentTextVersion, "2020-1"}).Draw(rt, "text"),
		},
	}
}

// deliver sends a submission by the door that the session has, and reports
// whether it was taken.
func (m *machine) deliver(what submission) bool {
	if !m.hosted {
		status, _ := m.begun.send(what)
		m.noInternal(status)
		return status == http.StatusAccepted
	}
	form := url.Values{"version": {fmt.Sprint(what.Version)}, "action": {what.Action}, "provider": {latchtest.ProviderID}}
	for name, value := range what.Fields {
		form.Set(name, value)
	}
	answer := m.Call("POST", "/"+m.begun.Secret(), form.Encode(), "apikey", "",
		"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
	m.noInternal(answer.Status)
	return answer.Status == http.StatusSeeOther
}

func (m *machine) noInternal(status int) {
	if status >= http.StatusInternalServerError {
		m.T.Errorf("status %d", status)
	}
}

// submit does anything. For another version than the session's nothing may
// come of it but the expiry of a session that is past its time.
func (m *machine) submit(rt *rapid.T) {
	what := m.draw(rt)
	taken := m.deliver(what)
	now := m.begun.stored()
	if what.Version != m.before.Version && (now.Version != m.before.Version && now.State != latchkey.StateExpired || taken && !m.hosted) {
		rt.Errorf("%+v was taken at version %d", what, m.before.Version)
	}
}

// right does what brings the session on.
func (m *machine) right(rt *rapid.T) {
	what := m.draw(rt)
	what.Version, what.Action, what.Fields["textVersion"] = m.before.Version, "continue", link.ConsentTextVersion
	if m.before.State == latchkey.StateAuthorization {
		what.Action = "approve"
	}
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
	if !m.hosted && taken.Load() > 1 {
		rt.Errorf("both of %+v and %+v were taken", one, other)
	}
}

// post presses a button of the page of a session, which for a whitelabel
// session must do no more than its own door.
func (m *machine) post(rt *rapid.T) {
	answer := m.Call("GET", "/"+m.begun.Secret(), nil, "apikey", "")
	m.noInternal(answer.Status)
	if !m.hosted {
		status, _ := m.begun.send(m.draw(rt))
		m.noInternal(status)
		return
	}
	answer = m.Call("POST", "/v2/link/"+m.begun.Secret()+"/submit", m.draw(rt))
	if answer.Status == http.StatusAccepted {
		rt.Errorf("a hosted session is driven by JSON: %s", answer.Body)
	}
	m.noInternal(answer.Status)
}

func (m *machine) provider(rt *rapid.T) { m.Provider.Down(rapid.Bool().Draw(rt, "down")) }

func (m *machine) time(rt *rapid.T) {
	m.Clock.Move(rapid.SampledFrom([]time.Duration{time.Second, time.Minute, 5 * time.Minute}).Draw(rt, "time"))
}

func (m *machine) look(*rapid.T) {
	answer := m.Call("GET", "/v2/link/"+m.begun.Secret(), nil)
	if answer.Status != http.StatusOK {
		m.T.Errorf("status %d: %s", answer.Status, answer.Body)
	}
}

func (m *machine) delete(rt *rapid.T) {
	if rapid.IntRange(0, 9).Draw(rt, "really") > 0 {
		return
	}
	if answer := m.Call("DELETE", "/v2/link/"+m.begun.Secret(), nil); answer.Status != http.StatusNoContent {
		rt.Errorf("status %d: %s", answer.Status, answer.Body)
	}
}

// check holds what is stored now against what was stored before.
func (m *machine) check(rt *rapid.T) {
	now := m.begun.stored()
	path := changed(m.before, now)
	for i := 0; i+1 < len(path); i++ {
		m.seen[string(path[i]+" to "+path[i+1])]++
		if !path[i].CanBecome(path[i+1]) {
			m.outside++
			rt.Errorf("a session went from %s to %s", path[i], path[i+1])
		}
	}
	if len(path) == 3 && path[0] == latchkey.StateLogin {
		m.tries++
	}
	if logins := m.house.Provider.Logins() - m.logins; logins > m.tries || logins > 5 {
		rt.Errorf("%d logins upstream after %d taken", logins, m.tries)
	}
	beyond := now.State == latchkey.StateLogin || now.State == latchkey.StateTwoFactor || now.State == latchkey.StateCompleted
	if beyond && m.begun.consents() == 0 {
		rt.Errorf("a session is %s without a record of consent", now.State)
	}
	if now.State == latchkey.StateCompleted && now.Progress.ConnectionID == "" || now.State.Final() && now.Flow != nil {
		rt.Errorf("a session is %s with connection %q and %d bytes of flow", now.State, now.Progress.ConnectionID, len(now.Flow))
	}
	if strings.Contains(fmt.Sprintf("%+v", now.Progress), latchtest.Password) {
		rt.Error("a session keeps the password")
	}
	m.before = now
}

// changed returns the states that a session went through. A try is written in
// two changes, the first of which nobody sees; a deletion of an ended session
// changes what is kept and not the state.
func changed(before, now *latchkey.LinkSession) []latchkey.State {
	switch now.Version - before.Version {
	case 0:
		if before.State != now.State {
			return []latchkey.State{before.State, "unversioned"}
		}
		return nil
	case 1:
		if before.State.Final() && before.State == now.State && now.Progress.Deleted {
			return nil
		}
		return []latchkey.State{before.State, now.State}
	case 2:
		return []latchkey.State{before.State, latchkey.StateTrying, now.State}
	}
	return []latchkey.State{before.State, "several at once"}
}
