package link_test

import (
	"net/http"
	"testing"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/link"
)

// house is a running app whose whitelabel client app uses the programmable
// provider.
type house struct{ *latchtest.Server }

func newHouse(t *testing.T, options latchtest.Options) house {
	h := house{latchtest.Start(t, options)}
	h.ChangeApp(latchkey.AppWhitelabel, func(app *latchkey.ClientApp) { app.Providers = []string{latchtest.ProviderID} })
	return h
}

// begun is a whitelabel session.
type begun struct {
	house
	latchtest.Link
}

// begin starts a whitelabel session with more of a body, in pairs.
func (h house) begin(more ...string) begun {
	h.Helper()
	body := map[string]any{"clientAppId": h.Trial.ClientApps[latchkey.AppWhitelabel]}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i]] = more[i+1]
	}
	return begun{h, h.Init(body)}
}

// stored reads the session as it lies in the store.
func (b begun) stored() *latchkey.LinkSession {
	b.Helper()
	session, err := b.App.Store().LinkSessionBySecret(b.Context(), latchkey.HashClientSecret(b.Secret()))
	if err != nil {
		b.Fatal(err)
	}
	return session
}

// answered is what an answer tells of a session.
type answered struct {
	Status string `json:"status"`
	Data   struct {
		ID        string `json:"id"`
		ErrorCode string `json:"errorCode"`
		Step      struct {
			Name    string `json:"name"`
			Version int64  `json:"version"`
			Refused string `json:"refused"`
		} `json:"step"`
	} `json:"data"`
	Current *answered `json:"current"` // beside a conflict
}

// submission is a body of submit.
type submission struct {
	Version int64             `json:"version"`
	Action  string            `json:"action,omitzero"`
	Fields  map[string]string `json:"fields,omitzero"`
}

// send submits and returns the answer, whatever it is. It may be called beside
// the test's own goroutine.
func (b begun) send(what submission) (int, answered) {
	answer := b.Call("POST", "/v2/link/"+b.Secret()+"/submit", what)
	var got answered
	if err := json.Unmarshal(answer.Body, &got); err != nil {
		b.Errorf("answer %d %q: %v", answer.Status, answer.Body, err)
	}
	return answer.Status, got
}

// take submits fields for the version where the session stands; they must be
// taken.
func (b begun) take(fields map[string]string) answered {
	b.Helper()
	status, got := b.send(submission{Version: b.stored().Version, Fields: fields})
	if status != http.StatusAccepted {
		b.Fatalf("answer %d: %+v", status, got)
	}
	return got
}

var agreed = map[string]string{"textVersion": link.ConsentTextVersion}

func credentials(username string) map[string]string {
	return map[string]string{"username": username, "password": latchtest.Password}
}

// login consents and logs in.
func (b begun) login(username string) answered {
	b.Helper()
	b.take(agreed)
	return b.take(credentials(username))
}

// consents counts the session's records of consent.
func (b begun) consents() int {
	b.Helper()
	records, err := b.App.Store().AuditOf(b.Context(), b.Trial.OrganisationID, b.SessionID)
	if err != nil {
		b.Fatal(err)
	}
	count := 0
	for _, record := range records {
		if record.Action == latchkey.AuditConsent && record.Actor == b.SessionID {
			count++
		}
	}
	return count
}

// types returns the types of the events that a sink got, in order.
func types(sink *latchtest.Sink) []string {
	var got []string
	for _, hook := range sink.Hooks() {
		var body struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(hook.Body, &body) == nil {
			got = append(got, body.Type)
		}
	}
	return got
}

// suspend stops a client app, or lets it go on.
func (h house) suspend(appType latchkey.AppType, suspended bool) {
	h.Helper()
	h.ChangeApp(appType, func(app *latchkey.ClientApp) { app.Suspended = suspended })
}

// counted counts words.
func counted(words []string) map[string]int {
	counts := map[string]int{}
	for _, word := range words {
		counts[word]++
	}
	return counts
}
