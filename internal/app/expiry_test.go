package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/link"
)

// era is an app of one or more replicas on one database, all at one time that
// the test sets.
type era struct {
	*latchtest.Server // the first
	replicas          []*latchtest.Server
	options           latchtest.Options
	began             time.Time
	caller            latchkey.Caller
}

// newEra starts one replica on SQLite and two on PostgreSQL.
func newEra(t *testing.T, options latchtest.Options) *era {
	options.Idle, options.Data = true, filepath.Join(t.TempDir(), "data")
	e := &era{options: options, began: time.Now().UTC().Truncate(time.Millisecond)}
	e.start(t)
	e.caller = latchkey.Caller{OrganisationID: e.Trial.OrganisationID, Environment: latchkey.Sandbox}
	return e
}

func (e *era) start(t *testing.T) {
	t.Helper()
	for _, before := range e.replicas {
		before.Stop()
	}
	e.replicas = []*latchtest.Server{latchtest.Start(t, e.options)}
	if e.options.DatabaseURL != "" {
		e.replicas = append(e.replicas, latchtest.Start(t, e.options))
	}
	e.Server = e.replicas[0]
	e.at(0)
}

// at sets the time of every replica, counted from the beginning.
func (e *era) at(after time.Duration) {
	for _, replica := range e.replicas {
		replica.Clock.Freeze(e.began.Add(after))
	}
}

// replica returns one or the other.
func (e *era) replica(i int) *latchtest.Server { return e.replicas[i%len(e.replicas)] }

// waiting is a session and the door that is tried on it.
type waiting struct {
	number  int
	secret  string
	life    time.Duration
	door    func(e *era, w *waiting, replica *latchtest.Server) string
	version int64
}

// The answers of a door: the session goes on, or it has ended with its time.
const (
	goesOn = "goes on"
	ended  = "ended"
)

// ask answers one request of a backend or person.
func (e *era) ask(replica *latchtest.Server, method, path, contentType, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(e.Context(), method, path, strings.NewReader(body))
	request.Header.Set("apikey", e.Trial.APIKey)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	answer := httptest.NewRecorder()
	replica.App.Handler().ServeHTTP(answer, request)
	return answer
}

// lookAtStatus asks as a backend how the session stands.
func lookAtStatus(e *era, w *waiting, replica *latchtest.Server) string {
	answer := e.ask(replica, "GET", "/v2/link/"+w.secret, "", "")
	body := answer.Body.String()
	switch {
	case answer.Code == http.StatusOK && strings.Contains(body, `"status":"initialized"`):
		return goesOn
	case answer.Code == http.StatusOK && strings.Contains(body, `"errorCode":"session_expired"`):
		return ended
	}
	return fmt.Sprint(answer.Code, body)
}

// lookAtPage opens the hosted page.
func lookAtPage(e *era, w *waiting, replica *latchtest.Server) string {
	answer := e.ask(replica, "GET", "/"+w.secret, "", "")
	switch answer.Code {
	case http.StatusOK:
		return goesOn
	case http.StatusGone:
		return ended
	}
	return fmt.Sprint(answer.Code, answer.Body)
}

// pressContinue sends the form of the page.
func pressContinue(e *era, w *waiting, replica *latchtest.Server) string {
	w.version++
	answer := e.ask(replica, "POST", "/"+w.secret, "application/x-www-form-urlencoded", fmt.Sprintf("version=%d&action=continue", w.version))
	target := answer.Header().Get("Location")
	switch {
	case target == "/"+w.secret:
		return goesOn
	case strings.Contains(target, "status=error&error_code=session_expired"):
		return ended
	}
	return fmt.Sprint(answer.Code, target)
}

// submitInJSON goes back and forth, as a whitelabel app does.
func submitInJSON(e *era, w *waiting, replica *latchtest.Server) string {
	body := fmt.Sprintf(`{"version":1,"fields":{"textVersion":%q}}`, link.ConsentTextVersion)
	if w.version++; w.version > 1 {
		body = `{"version":3,"action":"back"}`
	}
	answer := e.ask(replica, "POST", "/v2/link/"+w.secret+"/submit", "application/json", body)
	switch {
	case answer.Code == http.StatusAccepted:
		return goesOn
	case answer.Code == http.StatusConflict && strings.Contains(answer.Body.String(), `"errorCode":"session_expired"`):
		return ended
	}
	return fmt.Sprint(answer.Code, answer.Body)
}

// begin makes n sessions whose lives go from 300 to 3600 seconds, the default
// among them.
func (e *era) begin(n int) map[time.Duration][]*waiting {
	doors := []func(*era, *waiting, *latchtest.Server) string{
		lookAtStatus, lookAtStatus, lookAtStatus, lookAtStatus, lookAtPage, pressContinue, submitInJSON,
	}
	made := make([]*waiting, n)
	inParallel(n, func(i int) {
		w := &waiting{number: i, life: time.Duration(300+30*(i%111)) * time.Second, door: doors[i%len(doors)]}
		request := link.InitRequest{ExpiresIn: int(w.life / time.Second), Provider: "sandbox", ModeHint: "redirect"}
		if w.life == 30*time.Minute {
			request.ExpiresIn = 0 // the default
		}
		if i%len(doors) == len(doors)-1 {
			request.ModeHint = "whitelabel"
		}
		initiated, err := e.App.Links().Init(e.Context(), e.caller, request)
		if err != nil {
			e.Errorf("init: %v", err)
		}
		w.secret, made[i] = initiated.Secret, w
	})
	lives := map[time.Duration][]*waiting{}
	for _, w := range made {
		lives[w.life] = append(lives[w.life], w)
	}
	return lives
}

// inParallel runs n things, some at once, so that they share their fsyncs.
func inParallel(n int, run func(i int)) {
	var next atomic.Int64
	var running sync.WaitGroup
	for range 32 {
		running.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				run(int(i))
			}
		})
	}
	running.Wait()
}

// try tries the door of each session and counts those that do not answer as
// wanted.
func (e *era) try(sessions []*waiting, want string) int {
	var off atomic.Int64
	inParallel(len(sessions), func(i int) {
		w := sessions[i]
		if got := w.door(e, w, e.replica(w.number/7)); got != want {
			off.Add(1)
			e.Errorf("session %d with a life of %s: %s, want %s", w.number, w.life, got, want)
		}
	})
	return int(off.Load())
}

func TestSessionsEndToTheSecond(t *testing.T) {
	off, tried := 0, 0
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		e := newEra(t, options)
		count := 1000 // under the race detector SQLite is slow
		if options.DatabaseURL != "" {
			count = 9000
		}
		lives := e.begin(count)
		for life := 300 * time.Second; life <= 3600*time.Second; life += 30 * time.Second {
			if life == 33*time.Minute {
				e.start(t) // again, on the same data
			}
			e.at(life - time.Second)
			off += e.try(lives[life], goesOn)
			e.at(life + time.Second)
			off += e.try(lives[life], ended)
			tried += len(lives[life])
		}
	})
	fmt.Printf("RESULT S-9 %d 0\n", off)
	fmt.Printf("RESULT S-9.n %d 10000\n", tried)
}
