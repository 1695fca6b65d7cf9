package sandbox_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/sandbox"
)

func TestAnInstantStepTakesNoTime(t *testing.T) {
	instants := 0
	for _, scenario := range sandbox.Scenarios() {
		synctest.Test(t, func(t *testing.T) {
			instant := newSandbox(time.Now).(connector.Instant)
			v, before := visit(t), time.Now()
			login := map[string]string{"username": scenario.Address, "password": scenario.Password}
			_, _ = v.do(latchkey.ActionContinue, login) // some scenarios fail
			promised := instant.Instant(latchkey.StateLogin, connector.Input{Action: latchkey.ActionContinue, Fields: secrets(login)})
			if took := time.Since(before); promised == (took > 0) {
				t.Errorf("%s: instant %t, took %s", scenario.ID, promised, took)
			}
			if strings.Contains(scenario.ID, "slow") == promised {
				t.Errorf("%s: instant %t", scenario.ID, promised)
			}
			if promised {
				instants++
			}
			if instant.Instant(latchkey.StateTwoFactor, connector.Input{Action: latchkey.ActionContinue, Fields: secrets(login)}) {
				t.Errorf("%s: instant after the login", scenario.ID)
			}
		})
	}
	if all := len(sandbox.Scenarios()); instants == 0 || instants == all {
		t.Errorf("%d of %d scenarios are instant", instants, all)
	}
}
