package link_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/latchtest"
)

// The size of the guessing: so many guesses over more than a day, in bursts of
// one or two by every door at once.
const (
	guesses      = 1000
	guessesEvery = 13 * time.Minute
	perQuarter   = 5 // that may reach the provider in 15 minutes
	perDay       = 20
)

// victim is the account, as its owner writes it.
const victim = "victim@tester.example"

// disguises are ways to write the account's name that are not another name.
var disguises = []string{
	victim, "VICTIM@tester.example", "Victim@Tester.Example", " victim@tester.example", "victim@tester.example\t",
	"vic tim@tester.example", "victim+1@tester.example", "victim+a+b@tester.example", "ｖｉｃｔｉｍ@tester.example",
	"victim＠tester.example", "vic\u200btim@tester.example", "\ufeffvictim@tester.example", "victim@tester.example.",
	"vi\u00adctim@tester.example", "victim@tester.example\ufe0f", "𝓋𝒾𝒸𝓉𝒾𝓂@tester.example", "VICTIM+2@TESTER.EXAMPLE.",
}

// direct calls the app without a network between.
func (h house) direct(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(h.Context(), method, path, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	h.App.Handler().ServeHTTP(answer, request)
	return answer
}

// guesser is somebody who tries to log in to the account by one door.
type guesser struct {
	house
	key     string // of the app's organisation and environment
	app     string // "" for imports
	secret  string // of the open session; "" when there is none
	version int64
}

// call sends JSON with the guesser's key.
func (g *guesser) call(method, path string, body any) *httptest.ResponseRecorder {
	encoded, err := json.Marshal(body)
	if err != nil {
		g.Error(err)
	}
	return g.direct(method, path, string(encoded), "apikey", g.key, "Content-Type", "application/json")
}

// post sends a form of the open session's page.
func (g *guesser) post(fields ...string) *httptest.ResponseRecorder {
	form := url.Values{"version": {fmt.Sprint(g.version)}}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return g.direct("POST", "/"+g.secret, form.Encode(), "Content-Type", "application/x-www-form-urlencoded",
		"Sec-Fetch-Site", "same-origin")
}

// begin opens a session up to its login.
func (g *guesser) begin() bool {
	answer := g.call("POST", "/v2/link/init", map[string]any{
		"clientAppId": g.app, "provider": latchtest.ProviderID, "expiresIn": 3600,
	})
	var link latchtest.Link
	if err := json.Unmarshal(answer.Body.Bytes(), &link); err != nil || answer.Code != http.StatusOK {
		g.Errorf("init is answered %d: %s", answer.Code, answer.Body)
		return false
	}
	g.secret, g.version = link.Secret(), 1
	if link.Mode == string(latchkey.ModeWhitelabel) {
		g.call("POST", "/v2/link/"+g.secret+"/submit", submission{Version: 1, Fields: agreed})
		g.version = 3
		return true
	}
	g.post("action", "continue")
	g.version = 2
	g.post("action", "approve")
	g.version = 4
	return true
}

// guess tries a name and a password, in a new session when the last is over,
// and reports whether it came of it that the account is linked.
func (g *guesser) guess(username, password string) (linked bool) {
	if g.app == "" {
		return g.call("POST", importPath, map[string]any{
			"provider": latchtest.ProviderID, "credentials": map[string]string{"username": username, "password": password},
		}).Code == http.StatusOK
	}
	if g.secret == "" && !g.begin() {
		return false
	}
	session, err := g.App.Store().LinkSessionBySecret(g.Context(), latchkey.HashClientSecret(g.secret))
	if err != nil {
		g.Error(err)
		return false
	}
	if session.Request.Mode == latchkey.ModeWhitelabel {
		g.call("POST", "/v2/link/"+g.secret+"/submit",
			submission{Version: g.version, Fields: map[string]string{"username": username, "password": password}})
	} else {
		g.post("action", "continue", "username", username, "password", password)
	}
	if session, err = g.App.Store().LinkSessionBySecret(g.Context(), latchkey.HashClientSecret(g.secret)); err != nil {
		g.Error(err)
		return false
	}
	if g.version = session.Version; session.State.Final() {
		g.secret = ""
	}
	return session.State == latchkey.StateCompleted
}

// guessers are one for every door: pages and JSON of three client apps,
// imports, another environment and another organisation.
func (h house) guessers() []*guesser {
	h.Helper()
	made, err := h.App.Setup(h.Context(), latchtest.Setup{
		Organisation: "Other", AppName: "Shop", Domain: "shop.example", Providers: []string{latchtest.ProviderID},
		RedirectURIs: []string{"https://shop.example/back"},
	})
	if err != nil {
		h.Fatal(err)
	}
	guessers := []*guesser{{house: h, key: h.Trial.APIKey}}
	for _, app := range h.Trial.ClientApps {
		guessers = append(guessers, &guesser{house: h, key: h.Trial.APIKey, app: app})
	}
	for _, environment := range made {
		guessers = append(guessers, &guesser{house: h, key: environment.Key},
			&guesser{house: h, key: environment.Key, app: environment.ClientAppID})
	}
	return guessers
}

// most returns the most arrivals that lie within any span of the length.
func most(arrivals []time.Time, span time.Duration) (count int) {
	for i := range arrivals {
		within := 0
		for _, later := range arrivals[i:] {
			if later.Sub(arrivals[i]) < span {
				within++
			}
		}
		count = max(count, within)
	}
	return count
}

func TestAnAccountIsGuessedAtFewTimesHoweverItIsTried(t *testing.T) {
	t.Parallel()
	h := newHouse(t, latchtest.Options{Idle: true, Limits: latchtest.Limits{AttemptsPerAccount: 1}})
	guessers := h.guessers()
	var arrivals []time.Time
	linked, made := 0, 0
	for made < guesses {
		before := h.Provider.Logins()
		var round sync.WaitGroup
		results := make([]bool, len(guessers))
		for i, g := range guessers {
			name := disguises[(made+i)%len(disguises)]
			round.Go(func() { results[i] = g.guess(name, fmt.Sprint("guess ", made+i)) })
		}
		round.Wait()
		made += len(guessers)
		for range h.Provider.Logins() - before {
			arrivals = append(arrivals, h.Clock.Now())
		}
		for _, result := range results {
			if result {
				linked++
			}
		}
		if made/len(guessers)%2 == 0 {
			h.Clock.Move(2 * guessesEvery)
		}
	}
	quarter, day := most(arrivals, 15*time.Minute), most(arrivals, 24*time.Hour)
	over := max(0, quarter-perQuarter) + max(0, day-perDay) + linked
	fmt.Printf("RESULT A-2 %d 0\nRESULT A-2.n %d %d\nRESULT A-2.quarter %d %d\nRESULT A-2.day %d %d\n",
		over, made, guesses, quarter, perQuarter, day, perDay)
	if over > 0 {
		t.Errorf("%d of %d guesses reached the provider in 15 minutes, %d in a day, %d were right", quarter, made, day, linked)
	}
	if len(arrivals) < perDay {
		t.Errorf("only %d guesses reached the provider: the account is shut", len(arrivals))
	}

	t.Run("and its owner gets in when the time is over", func(t *testing.T) {
		h.Clock.Move(24 * time.Hour)
		for _, g := range guessers {
			g.secret = "" // what was open has expired
			for range 4 {
				if !g.guess(victim, latchtest.Password) {
					t.Fatal("a right login is refused")
				}
			}
		}
	})
	t.Run("and right logins use nothing up", func(t *testing.T) {
		g, before := guessers[len(guessers)-1], h.Provider.Logins()
		for range 4 {
			g.guess(victim, "wrong")
			g.guess(victim, latchtest.Password)
		}
		g.guess(victim, "wrong")
		if g.guess(victim, latchtest.Password) {
			t.Error("after five wrong ones a right one is let through")
		}
		if got := h.Provider.Logins() - before; got != 9 {
			t.Errorf("%d logins reached the provider, want 5 wrong and 4 right ones", got)
		}
	})
}
