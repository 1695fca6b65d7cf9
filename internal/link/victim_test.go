package link_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
)

// trapRuns is how often somebody is lured, on each engine; they are lured so
// many at once.
const (
	trapRuns    = 100
	trapsAtOnce = 8
)

// watched is a provider at which somebody is looked over the shoulder: while a
// login is tried, during is called with its session.
type watched struct {
	*latchtest.Provider
	during sync.Map // session id → func()
}

func (w *watched) Describe() connector.Description {
	facts := w.Provider.Describe()
	facts.ID = "watched"
	return facts
}

func (w *watched) Advance(ctx context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
	if during, ok := w.during.Load(flow.SessionID); ok && flow.State != nil {
		during.(func())()
	}
	return w.Provider.Advance(ctx, flow, input)
}

// trapHouse is a house whose redirect app confirms its links.
type trapHouse struct {
	house
	provider *watched
	asked    atomic.Int64 // what the attackers asked
	leaks    atomic.Int64 // answers from which they learnt or got something
}

// trap is a link that an attacker began and lures a victim into.
type trap struct {
	*trapHouse
	number  int
	link    latchtest.Link
	victim  string // the account's name
	code    string // "" until the victim has finished
	version int64
}

// lure begins a link as the attacker, who is a user of the app.
func (h *trapHouse) lure(number int) *trap {
	body, err := json.Marshal(map[string]any{
		"clientAppId": h.Trial.ClientApps[latchkey.AppRedirect], "clientReferenceId": fmt.Sprint("attacker", number),
	})
	if err != nil {
		h.Error(err)
	}
	answer := h.direct("POST", "/v2/link/init", string(body), "apikey", h.Trial.APIKey, "Content-Type", "application/json")
	made := &trap{trapHouse: h, number: number, victim: fmt.Sprintf("victim-%d-account", number), version: 1}
	if err := json.Unmarshal(answer.Body.Bytes(), &made.link); err != nil || answer.Code != http.StatusOK {
		h.Errorf("init is answered %d: %s", answer.Code, answer.Body)
	}
	return made
}

// post sends a form of the page.
func (r *trap) post(version int64, fields ...string) *httptest.ResponseRecorder {
	form := url.Values{"version": {fmt.Sprint(version)}}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return r.direct("POST", "/"+r.link.Secret(), form.Encode(), "Content-Type", "application/x-www-form-urlencoded",
		"Sec-Fetch-Site", "same-origin")
}

// fall goes through the pages as the victim, in a browser of their own, and
// takes the code home. A careful one mistypes the password first.
func (r *trap) fall(watch func()) {
	watch()
	r.post(1, "action", "continue", "provider", "watched")
	r.post(2, "action", "approve")
	watch()
	r.provider.during.Store(r.link.SessionID, watch)
	r.version = 4
	if r.number%3 == 0 {
		r.post(r.version, "action", "continue", "username", r.victim, "password", "mistyped")
		r.version += 2
	}
	answer := r.post(r.version, "action", "continue", "username", r.victim, "password", latchtest.Password)
	r.provider.during.Delete(r.link.SessionID)
	r.version += 2
	target, err := url.Parse(answer.Header().Get("Location"))
	if err != nil || target.Query().Get("code") == "" {
		r.Errorf("the victim is sent to %q", answer.Header().Get("Location"))
		return
	}
	r.code = target.Query().Get("code")
	watch()
}

// learn looks through an answer that the attacker got.
func (r *trap) learn(what string, answer *httptest.ResponseRecorder) {
	r.asked.Add(1)
	var headers bytes.Buffer
	if err := answer.Header().Write(&headers); err != nil {
		r.Error(err)
	}
	text := answer.Body.String() + headers.String()
	for _, secret := range []string{r.victim, "tok_", "conn_", "code=", r.code} {
		if secret != "" && strings.Contains(text, secret) {
			r.leaks.Add(1)
			r.Errorf("run %d: %s tells %q: %d %s", r.number, what, secret, answer.Code, text)
		}
	}
	if strings.Contains(what, "/v2/access/") && answer.Code < 400 {
		r.leaks.Add(1)
		r.Errorf("run %d: %s is answered %d", r.number, what, answer.Code)
	}
}

// pageQueries are what may be added to a page's address.
func pageQueries() []string {
	queries := []string{"", "?looked=true", "?embed=true&embed_origin=http%3A%2F%2Flocalhost%3A3000", "?theme=dark", "?status=success", "?code=x"}
	for version := range 9 {
		queries = append(queries, fmt.Sprintf("?tried=%d", version+1))
	}
	return queries
}

// spy asks everything that the attacker can think of: the page as a person, and
// what the app's backend would tell its user.
func (r *trap) spy(moment int, all bool) {
	suffix := strings.TrimPrefix(r.link.SessionID, latchkey.PrefixSession)
	for i, query := range pageQueries() {
		if path := []string{"/", "/s/"}[i%2] + r.link.Secret(); all || i%8 == (moment+r.number)%8 {
			r.learn("GET "+path+query, r.direct("GET", path+query, ""))
		}
	}
	for i, path := range []string{
		"/v2/link/" + r.link.Secret(), "/v2/link/sessions/" + r.link.SessionID,
		fmt.Sprintf("/v2/link/sessions?clientReferenceId=attacker%d", r.number),
		fmt.Sprintf("/v2/account/connections?clientReferenceId=attacker%d", r.number), "/v2/connections?status=pending",
		"/v2/account/connections?limit=100", "/v2/account/connections/conn_" + suffix, "/v2/events?limit=100",
	} {
		if all || i < 2 || i%6 == moment%6 {
			r.learn("GET "+path, r.direct("GET", path, "", "apikey", r.Trial.APIKey))
		}
	}
	guess := "conn_" + suffix
	if r.code != "" && moment%2 == 0 {
		guess = "conn_" + r.code[22:]
	}
	for _, path := range []string{"/v2/access/self", "/v2/access/proxy/me"} {
		r.learn("GET "+path, r.direct("GET", path, "", "apikey", r.Trial.APIKey, "x-connection-id", guess))
	}
	r.learn("GET without a key", r.direct("GET", "/v2/link/"+r.link.Secret(), ""))
}

// replay sends every form again that there has been, and some that come.
func (r *trap) replay() {
	for version := int64(1); version <= r.version+1; version++ {
		for _, action := range []string{"continue", "approve", "poll", "resend", "back"} {
			r.learn(action+" again", r.post(version, "action", action, "username", "mallory", "password", "x", "provider", "watched"))
		}
	}
}

// confirm is what the app's backend does with a code that a user came back
// with.
func (r *trap) confirm(code, reference string) *httptest.ResponseRecorder {
	body, err := json.Marshal(map[string]string{"code": code, "clientReferenceId": reference})
	if err != nil {
		r.Error(err)
	}
	return r.direct("POST", "/v2/link/confirm", string(body), "apikey", r.Trial.APIKey, "Content-Type", "application/json")
}

// run is one attack, in one of its ways.
func (r *trap) run() {
	moment := 0
	watch := func() {
		moment++
		r.spy(moment, false)
		if r.number%4 == 3 {
			// While the login is tried every form is out of date.
			r.learn("a form meanwhile", r.post(int64(moment), "action", "poll"))
		}
	}
	r.fall(watch)
	own := fmt.Sprint("victim", r.number)
	switch r.number % 4 {
	case 0: // the victim comes back to the app, which knows who they are
		r.learn("the victim's confirmation", r.confirm(r.code, own))
		r.learn("the attacker's afterwards", r.confirm(r.code, fmt.Sprint("attacker", r.number)))
	case 1: // the victim does not come back; the attacker guesses
		guess := r.code[:22] + latchkey.HashSecret(r.victim)
		r.learn("a guessed code", r.confirm(guess, fmt.Sprint("attacker", r.number)))
	case 2: // the victim comes back, twice, and the attacker in between
		r.learn("the victim's confirmation", r.confirm(r.code, own))
		r.learn("no code", r.confirm("", fmt.Sprint("attacker", r.number)))
		r.learn("the victim's second one", r.confirm(r.code, own))
	case 3:
		r.replay()
	}
	r.spy(moment+1, r.number%20 == 0)
}

// late tries the code that nobody brought back, when its minute is
// over, even for the attacker's own reference.
func (r *trap) late() {
	r.learn("a late code", r.confirm(r.code, fmt.Sprint("attacker", r.number)))
	r.spy(0, false)
}

func TestNobodyGetsTheAccountOfAnother(t *testing.T) {
	t.Parallel()
	var runs, gained int
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		provider := &watched{Provider: latchtest.NewProvider(t)}
		options.Idle, options.Connectors = true, []connector.Connector{provider}
		h := &trapHouse{house: newHouse(t, options), provider: provider}
		h.ChangeApp(latchkey.AppRedirect, func(app *latchkey.ClientApp) {
			app.RequireConfirmation, app.Providers = true, []string{"watched"}
		})
		traps := make([]*trap, trapRuns)
		each := func(do func(*trap)) {
			next := make(chan int)
			var all sync.WaitGroup
			for range trapsAtOnce {
				all.Go(func() {
					for i := range next {
						if traps[i] == nil {
							traps[i] = h.lure(i)
						}
						do(traps[i])
					}
				})
			}
			for i := range traps {
				next <- i
			}
			close(next)
			all.Wait()
		}
		each((*trap).run)
		h.Clock.Move(61 * time.Second)
		each((*trap).late)
		h.purge(traps)
		runs, gained = runs+trapRuns, gained+int(h.leaks.Load())+h.gained()
		t.Logf("%d runs, %d answers to the attackers", trapRuns, h.asked.Load())
	})
	fmt.Printf("RESULT S-1 %d 0\nRESULT S-1.n %d 200\n", gained, runs)
}

// purge lets ten minutes pass and sees that nothing is left of any login.
func (h *trapHouse) purge(traps []*trap) {
	h.Helper()
	h.Clock.Move(9*time.Minute + time.Second)
	h.App.Start(h.Context())
	latchtest.Eventually(h.TB, "every login is ended at the provider", func() bool { return len(h.provider.Tokens()) == 0 })
	for _, r := range traps {
		session, err := h.App.Store().LinkSessionBySecret(h.Context(), latchkey.HashClientSecret(r.link.Secret()))
		if err != nil {
			h.Fatal(err)
		}
		ended := session.State == latchkey.StateExpired || session.State == latchkey.StateDenied
		if !ended || session.Flow != nil || session.Progress.CodeHash != "" || session.Progress.Account != "" {
			h.Errorf("run %d is left %s with %d bytes", r.number, session.State, len(session.Flow))
		}
		r.spy(1, r.number%20 == 0)
	}
}

// gained counts the connections that came of it and the events that tell of
// one, and sees that it is not for want of trying: who begins and finishes a
// link themselves gets one.
func (h *trapHouse) gained() int {
	h.Helper()
	count := len(h.Connections())
	own := h.lure(trapRuns)
	own.fall(func() {})
	if answer := own.confirm(own.code, fmt.Sprint("attacker", trapRuns)); answer.Code != http.StatusOK {
		h.Errorf("one's own link is answered %d: %s", answer.Code, answer.Body)
	}
	// An event is in the log once every transaction of the server that began
	// before its own has ended, those of the tests beside this one too.
	var events string
	latchtest.Eventually(h.TB, "one's own link is in the event log", func() bool {
		events = h.eventLog()
		return strings.Contains(events, `"type":"connection.created"`)
	})
	told := strings.Count(events, `"type":"connection.`)
	if created := strings.Count(events, `"type":"connection.created"`); created != 1 || len(h.Connections()) != 1 {
		h.Errorf("one's own link became %d connections with %d events", len(h.Connections()), created)
	}
	return count + told - 1
}

// eventLog is all pages of the event log, one behind the other.
func (h *trapHouse) eventLog() string {
	h.Helper()
	var all strings.Builder
	for path := "/v2/events?limit=100"; path != ""; {
		page := string(h.Call("GET", path, nil).Body)
		all.WriteString(page)
		path = ""
		if strings.Contains(page, `"hasMore":true`) {
			_, cursor, _ := strings.Cut(page[strings.LastIndex(page, `"cursor"`):], `:"`)
			cursor, _, _ = strings.Cut(cursor, `"`)
			path = "/v2/events?limit=100&after=" + cursor
		}
	}
	return all.String()
}
