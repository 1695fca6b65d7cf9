package link_test

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/latchtest"
)

// oneTime is a thing that is good for one use.
type oneTime struct {
	name string
	// ready makes it, for a reference, and names the session that it is of.
	ready func(f *fleet, reference string) (use ask, session string)
	// won reports whether an answer is that of the one use, lost of another.
	won, lost func(*httptest.ResponseRecorder) bool
	links     bool // the use makes the connection
}

func has(status int) func(*httptest.ResponseRecorder) bool {
	return func(answer *httptest.ResponseRecorder) bool { return answer.Code == status }
}

// oneTimes are the things of a link that are good once.
var oneTimes = []oneTime{
	{
		name:  "an init with an idempotency key",
		ready: func(f *fleet, reference string) (ask, string) { return f.init(latchkey.AppWhitelabel, reference), "" },
		won:   func(a *httptest.ResponseRecorder) bool { return a.Code == http.StatusOK && !isReplayed(a) },
		lost:  func(a *httptest.ResponseRecorder) bool { return a.Code == http.StatusOK && isReplayed(a) },
	},
	{
		name: "a client secret, with a password",
		ready: func(f *fleet, reference string) (ask, string) {
			link := f.agreed(reference)
			return submit(link, f.stored(link.SessionID).Version, credentials(reference)), link.SessionID
		},
		won: isTaken, lost: has(http.StatusConflict), links: true,
	},
	{
		name: "a code of the second factor",
		ready: func(f *fleet, reference string) (ask, string) {
			link := f.agreed(reference)
			f.must(http.StatusAccepted, submit(link, f.stored(link.SessionID).Version, credentials("otp "+reference)))
			return submit(link, f.stored(link.SessionID).Version, map[string]string{"code": latchtest.Code}), link.SessionID
		},
		won: isTaken, lost: has(http.StatusConflict), links: true,
	},
	{
		name: "a code of the redirect",
		ready: func(f *fleet, reference string) (ask, string) {
			code, session := f.held(reference)
			return post("/v2/link/confirm", map[string]string{"code": code, "clientReferenceId": reference}), session
		},
		won: has(http.StatusOK), lost: has(http.StatusBadRequest), links: true,
	},
}

// agreed begins a whitelabel link and consents.
func (f *fleet) agreed(reference string) latchtest.Link {
	f.Helper()
	link := f.linkOf(f.must(http.StatusOK, f.init(latchkey.AppWhitelabel, reference)))
	f.must(http.StatusAccepted, submit(link, 1, agreed))
	return link
}

// held links the account named like the reference, up to its confirmation, and
// returns the code and the session.
func (f *fleet) held(reference string) (code, session string) {
	f.Helper()
	link := f.linkOf(f.must(http.StatusOK, f.init(latchkey.AppRedirect, reference)))
	f.must(http.StatusSeeOther, form(link.Secret(), "version", "1", "action", "continue"))
	f.must(http.StatusSeeOther, form(link.Secret(), "version", "2", "action", "approve"))
	landed := f.must(http.StatusSeeOther, form(link.Secret(), "version", fmt.Sprint(f.stored(link.SessionID).Version),
		"action", "continue", "username", reference, "password", latchtest.Password)).Header().Get("Location")
	target, err := url.Parse(landed)
	if err != nil || target.Query().Get("code") == "" {
		f.Fatalf("no code came of the link: %q", landed)
	}
	return target.Query().Get("code"), link.SessionID
}

// tally counts rounds and those that went wrong.
type tally struct{ Races, WrongRaces, Sequences, WrongSequences int }

// rounds are how often each thing is used 64 times at once, on an engine.
type rounds struct{ sqlite, postgres int }

// The race detector makes a request seven times as slow. Therefore only some
// rounds run under it, and the many in this very test built without it. Of the
// four things on both engines these are 1,000.
var (
	few  = rounds{sqlite: 10, postgres: 10}
	many = rounds{sqlite: 130, postgres: 100}
)

// tallyFile is set when the test was started by itself.
var tallyFile = flag.String("tally", "", "run the many rounds and write what came of them to this file")

func TestWhatIsGoodOnceIsUsedOnce(t *testing.T) {
	if *tallyFile != "" {
		encoded, err := json.Marshal(useOnce(t, many))
		if err == nil {
			err = os.WriteFile(*tallyFile, encoded, 0o600)
		}
		if err != nil {
			t.Error(err)
		}
		return
	}
	got, rest := useOnce(t, few), tally{}
	if latchtest.UnderRaceDetector() {
		rest = useOnceElsewhere(t)
	} else {
		rest = useOnce(t, many)
	}
	fmt.Printf("RESULT S-5 %d 0\n", got.WrongRaces+rest.WrongRaces)
	fmt.Printf("RESULT S-5.n %d 1000\n", got.Races+rest.Races)
	fmt.Printf("RESULT S-5.sequence %d 0\n", got.WrongSequences+rest.WrongSequences)
	fmt.Printf("RESULT S-5.sequence.n %d 80\n", got.Sequences+rest.Sequences)
}

// useOnceElsewhere builds this test without the race detector and lets it run
// the many rounds.
func useOnceElsewhere(t *testing.T) tally {
	t.Helper()
	binary, file := filepath.Join(t.TempDir(), "link.test"), filepath.Join(t.TempDir(), "tally.json")
	build := exec.CommandContext(t.Context(), "go", "test", "-race=false", "-c", "-ldflags=-s -w", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	output, err := exec.CommandContext(t.Context(), binary, "-test.run=^"+t.Name()+"$", "-tally="+file).CombinedOutput()
	if err != nil {
		t.Errorf("without the race detector: %v\n%s", err, output)
	}
	var came tally
	encoded, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(encoded, &came)
	}
	if err != nil {
		t.Fatal(err)
	}
	return came
}

// useOnce uses every thing on both engines: on SQLite by one replica, on
// PostgreSQL by three.
func useOnce(t *testing.T, often rounds) tally {
	var came tally
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		size, times := 1, often.sqlite
		if options.DatabaseURL != "" {
			size, times = 3, often.postgres
		}
		f := newFleet(t, options, size)
		for _, thing := range oneTimes {
			for i := range times {
				came.Races++
				came.WrongRaces += f.raceOnce(thing, fmt.Sprintf("%s %d", thing.name, i))
			}
			for i := range 5 {
				came.Sequences++
				came.WrongSequences += f.useTwice(thing, fmt.Sprintf("%s %d in sequence", thing.name, i))
			}
		}
		if want := len(oneTimes) * (times + 5); f.sessions() != want {
			came.WrongRaces++
			t.Errorf("there are %d sessions, want %d", f.sessions(), want)
		}
	})
	return came
}

// raceOnce uses the thing 64 times at once, and again afterwards, and returns
// 1 unless exactly one use of them did something.
func (f *fleet) raceOnce(thing oneTime, reference string) int {
	f.Helper()
	logins := f.provider.Logins()
	what, session := thing.ready(f, reference)
	won, other := 0, 0
	for _, answer := range append(f.race(what), f.send(1, what)) {
		switch {
		case thing.won(answer):
			won++
		case !thing.lost(answer):
			other++
			f.Errorf("%s: answer %d: %s", reference, answer.Code, answer.Body)
		}
	}
	return f.judge(thing, reference, session, won, other, logins)
}

// useTwice uses the thing, and again by another replica, and returns 1 unless
// only the first use did something.
func (f *fleet) useTwice(thing oneTime, reference string) int {
	f.Helper()
	logins := f.provider.Logins()
	what, session := thing.ready(f, reference)
	won, other := 0, 0
	if thing.won(f.send(0, what)) {
		won++
	}
	if !thing.lost(f.send(1, what)) {
		other++
	}
	return f.judge(thing, reference, session, won, other, logins)
}

// judge also looks behind the answers: no password got to the provider twice,
// and there is one connection.
func (f *fleet) judge(thing oneTime, reference, session string, won, other, loginsBefore int) int {
	f.Helper()
	right := won == 1 && other == 0
	if thing.links {
		logins, connections, state := f.provider.Logins()-loginsBefore, f.connections(reference), f.stored(session).State
		right = right && logins == 1 && connections == 1 && state == latchkey.StateCompleted
		if !right {
			f.Errorf("%s: %d logins, %d connections, the session is %s", reference, logins, connections, state)
		}
	}
	if right {
		return 0
	}
	f.Errorf("%s: %d uses did something, %d went wrong", reference, won, other)
	return 1
}
