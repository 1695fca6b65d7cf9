package link_test

import (
	"crypto/rand"
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"latchkey"
	"latchkey/internal/latchtest"
)

// randomness sets sequences apart, and is none of what rapid draws.
var randomness = rand.Reader

// check holds what is stored now against what was stored before, and against
// what was done.
func (m *machine) check(rt *rapid.T) {
	now := m.stored()
	path := changed(m.before, now)
	m.actions++
	for i := 0; i+1 < len(path); i++ {
		m.seen[string(path[i]+" to "+path[i+1])]++
		if !path[i].CanBecome(path[i+1]) {
			m.outside++
			rt.Errorf("a session went from %s to %s", path[i], path[i+1])
		}
	}
	if m.still && len(path) > 0 && now.State != latchkey.StateExpired {
		m.outside++
		rt.Errorf("a session went from %s to %s by what should change nothing", m.before.State, now.State)
	}
	m.checkConfirmation(rt, now)
	if len(path) == 3 && path[0] == latchkey.StateLogin {
		m.tries++
	}
	if logins := m.house.Provider.Logins() - m.logins; logins > m.tries || logins > 5 {
		rt.Errorf("%d logins upstream after %d taken", logins, m.tries)
	}
	m.checkKept(rt, now)
	m.before, m.still, m.confirmed, m.voided = now, false, false, false
}

// checkConfirmation sees that a link of an app that confirms its links counts
// once it is confirmed, and no other waits for it.
func (m *machine) checkConfirmation(rt *rapid.T, now *latchkey.LinkSession) {
	confirms := m.appType == latchkey.AppEmbed
	fresh := now.State != m.before.State
	switch {
	case now.State == latchkey.StateConfirm && !confirms,
		fresh && now.State == latchkey.StateCompleted && confirms && (m.before.State != latchkey.StateConfirm || !m.confirmed),
		fresh && m.before.State == latchkey.StateConfirm && now.State == latchkey.StateDenied &&
			now.Progress.Failure == latchkey.FailureAccessDenied && !m.voided:
		m.outside++
		rt.Errorf("a session went from %s to %s without its confirmation", m.before.State, now.State)
	}
	if fresh && now.State == latchkey.StateConfirm {
		m.heldBy = m.Clock.Now()
	}
	if now.State != latchkey.StateConfirm && now.Progress.CodeHash != "" {
		rt.Errorf("a session that is %s keeps a code", now.State)
	}
	if now.State == latchkey.StateConfirm && len(m.codes) == 0 {
		rt.Error("nobody was given the code of a session that waits for it")
	}
}

// checkKept sees that a session keeps what it must and no more.
func (m *machine) checkKept(rt *rapid.T, now *latchkey.LinkSession) {
	beyond := now.State == latchkey.StateLogin || now.State == latchkey.StateTwoFactor || now.State == latchkey.StateWait ||
		now.State == latchkey.StateRedirect || now.State == latchkey.StateConfirm || now.State == latchkey.StateCompleted
	if beyond && now.State != m.before.State && m.consents() == 0 {
		rt.Errorf("a session is %s without a record of consent", now.State)
	}
	if (now.State == latchkey.StateCompleted) != (now.Progress.ConnectionID != "") || now.State.Final() && now.Flow != nil {
		rt.Errorf("a session is %s with connection %q and %d bytes of flow", now.State, now.Progress.ConnectionID, len(now.Flow))
	}
	if text := fmt.Sprintf("%+v", now.Progress); strings.Contains(text, latchtest.Password) || strings.Contains(text, "ada"+m.name) && now.State != latchkey.StateCompleted {
		rt.Errorf("a session that is %s keeps %s", now.State, text)
	}
}

func (m *machine) consents() int {
	records, err := m.App.Store().AuditOf(m.house.Context(), m.Trial.OrganisationID, m.link.SessionID)
	if err != nil {
		m.Fatal(err)
	}
	return len(records)
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
