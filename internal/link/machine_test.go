package link_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
)

// How many servers random people use at once, and how many sequences of what
// they do there are at each, unless -rapid.checks says how many in all. After a
// round a server makes room for a fresh one, so that lists stay short.
const (
	machineServers   = 4
	machineSequences = 100
	machineRound     = 500
)

// TestNoSequenceLeavesTheTable lets random people do random things to sessions
// of the running app, two at once among them, and looks at every change that
// was stored. `make model` does so 100,000 times.
func TestNoSequenceLeavesTheTable(t *testing.T) {
	checks := flag.Lookup("rapid.checks")
	most := machineSequences
	if checks.Value.String() != checks.DefValue {
		var all int
		if _, err := fmt.Sscan(checks.Value.String(), &all); err != nil {
			t.Fatal(err)
		}
		most = (all + machineServers - 1) / machineServers
	}
	defer func(before string) { _ = flag.Set("rapid.checks", before) }(checks.Value.String())
	census := &census{seen: map[string]int{}}
	for left := most; left > 0; left -= machineRound {
		if err := flag.Set("rapid.checks", fmt.Sprint(min(left, machineRound))); err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprint("with ", left, " to go at"), func(t *testing.T) {
			for server := range machineServers {
				t.Run(fmt.Sprint("server ", server+1), func(t *testing.T) {
					t.Parallel()
					h := newMachineHouse(t)
					rapid.Check(t, func(rt *rapid.T) { walkRandomly(rt, h, census) })
				})
			}
		})
	}
	t.Logf("%d sequences of %d actions, with the transitions %v", census.sequences, census.actions, census.seen)
	fmt.Printf("RESULT S-10 %d 0\nRESULT S-10.n %d %d\n", census.outside, census.sequences, machineServers*most)
	if census.outside > 0 {
		t.Errorf("%d transitions outside the table", census.outside)
	}
	for _, state := range latchkey.States() { // else the people were too tame
		if reached := census.reached(state); reached == 0 && state != latchkey.StatePreLogin {
			t.Errorf("no session was ever %s", state)
		}
	}
}

// census is what was seen at all servers.
type census struct {
	mu                          sync.Mutex
	sequences, actions, outside int
	seen                        map[string]int // how often each transition was seen
}

func (c *census) add(m *machine) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sequences, c.actions, c.outside = c.sequences+1, c.actions+m.actions, c.outside+m.outside
	for name, times := range m.seen {
		c.seen[name] += times
	}
}

// reached counts the transitions to a state.
func (c *census) reached(state latchkey.State) (count int) {
	for name, times := range maps.All(c.seen) {
		if strings.HasSuffix(name, " to "+string(state)) {
			count += times
		}
	}
	return count
}

func walkRandomly(rt *rapid.T, h house, census *census) {
	m := &machine{T: rt, house: h, seen: map[string]int{}}
	defer census.add(m)
	m.start()
	rt.Repeat(map[string]func(*rapid.T){
		"submit": m.submit, "right": m.right, "right again": m.right, "right once more": m.right, "two at once": m.race,
		"other door": m.otherDoor, "come back": m.comeBack, "provider": m.provider, "time": m.time, "look": m.look, "delete": m.delete,
		"confirm": m.confirmAnyhow, "init again": m.initAgain, "suspend": m.suspend, "import": m.importAccount,
		"connection": m.endConnection, "sweep": m.sweep, "": m.check,
	})
}

// away is a provider whose login happens elsewhere: on a page of its own, or by
// two pushes.
type away struct{ id string }

func (a away) Describe() connector.Description {
	return connector.Description{
		ID: a.id, Name: "Away", Domain: "away.example", Environments: []latchkey.Environment{latchkey.Sandbox},
	}
}

func (a away) Advance(_ context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
	push := func(state string) connector.Step {
		return connector.Wait{After: time.Second, State: []byte(state), Prompt: latchkey.Prompt{
			Message: "Look at your phone.", TwoFactor: &latchkey.TwoFactorState{Options: []string{"push"}},
		}}
	}
	switch state := string(flow.State); {
	case flow.State == nil && a.id == "pager":
		return connector.Redirect{URL: "https://away.example/login?" + url.Values{"state": {flow.RedirectState}}.Encode(), State: []byte("away")}, nil
	case state == "away":
		name := input.Query.Get("code")
		return connector.Done{User: latchkey.UserData{ID: name, Name: name, Username: name},
			Credential: connector.Credential{Secret: []byte("secret of " + name)}}, nil
	case flow.State == nil:
		return connector.Prompt{At: latchkey.StateLogin, State: []byte("login"), Prompt: latchkey.Prompt{Fields: []latchkey.Field{
			{Name: "username", Type: latchkey.FieldText, Label: "Name", Required: true},
		}}}, nil
	case state == "login":
		return push("first:" + string(input.Fields["username"].Reveal())), nil
	case strings.HasPrefix(state, "first:"):
		return push("second:" + strings.TrimPrefix(state, "first:")), nil
	default:
		name := strings.TrimPrefix(state, "second:")
		return connector.Done{User: latchkey.UserData{ID: name, Name: name, Username: name},
			Credential: connector.Credential{Secret: []byte("secret of " + name)}}, nil
	}
}

// newMachineHouse is a house with three ways to log in, whose embed app
// confirms its links, and with the usual budgets.
func newMachineHouse(t *testing.T) house {
	h := newHouse(t, latchtest.Options{
		Idle: true, Limits: latchtest.Limits{AttemptsPerAccount: 1}, Connectors: []connector.Connector{away{"pager"}, away{"pusher"}},
	})
	for appType := range h.Trial.ClientApps {
		h.ChangeApp(appType, func(app *latchkey.ClientApp) {
			app.Providers = []string{latchtest.ProviderID, "pager", "pusher"}
			app.RequireConfirmation = appType == latchkey.AppEmbed
		})
	}
	return h
}
