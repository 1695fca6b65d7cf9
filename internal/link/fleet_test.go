package link_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
)

// common is the one provider of several replicas.
type common struct{ *latchtest.Provider }

// Describe returns the provider's facts under a name of its own.
func (c common) Describe() connector.Description {
	facts := c.Provider.Describe()
	facts.ID = "common"
	return facts
}

// fleet is one or more replicas of an app on one database, with one provider.
// Links of its redirect app must be confirmed.
type fleet struct {
	*latchtest.Server // the first
	replicas          []*latchtest.Server
	provider          *latchtest.Provider
}

func newFleet(t *testing.T, options latchtest.Options, size int) *fleet {
	t.Helper()
	f := &fleet{provider: latchtest.NewProvider(t)}
	options.Idle, options.LogLevel, options.Connectors = true, slog.LevelError, []connector.Connector{common{f.provider}}
	options.Data = filepath.Join(t.TempDir(), "data") // of all: the trial and the key are the same
	for range size {
		f.replicas = append(f.replicas, latchtest.Start(t, options))
	}
	f.Server = f.replicas[0]
	f.ChangeApp(latchkey.AppRedirect, func(app *latchkey.ClientApp) { app.RequireConfirmation = true })
	return f
}

// ask is a request that may be sent more than once.
type ask struct {
	method, path, body string
	headers            []string // in pairs
}

// post is an ask of a backend, with a body of JSON.
func post(path string, body any, headers ...string) ask {
	encoded, err := json.Marshal(body)
	if err != nil {
		panic(err) // a body that the test made up
	}
	return ask{"POST", path, string(encoded), append([]string{"Content-Type", "application/json"}, headers...)}
}

// form is an ask of a person on the page of a link.
func form(secret string, pairs ...string) ask {
	var body strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		fmt.Fprintf(&body, "%s=%s&", pairs[i], strings.ReplaceAll(pairs[i+1], " ", "+"))
	}
	return ask{"POST", "/" + secret, body.String(), []string{
		"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin", "apikey", "",
	}}
}

// send lets a replica answer.
func (f *fleet) send(replica int, what ask) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(f.Context(), what.method, what.path, strings.NewReader(what.body))
	request.Header.Set("apikey", f.Trial.APIKey)
	for i := 0; i+1 < len(what.headers); i += 2 {
		request.Header.Del(what.headers[i])
		if what.headers[i+1] != "" {
			request.Header.Set(what.headers[i], what.headers[i+1])
		}
	}
	answer := httptest.NewRecorder()
	f.replicas[replica%len(f.replicas)].App.Handler().ServeHTTP(answer, request)
	return answer
}

// atOnce is how many times a thing that is good once is used at the same time.
const atOnce = 64

// race sends the same 64 times at once, over all replicas, and returns the
// answers.
func (f *fleet) race(what ask) []*httptest.ResponseRecorder {
	answers := make([]*httptest.ResponseRecorder, atOnce)
	start := make(chan struct{})
	var running sync.WaitGroup
	for i := range answers {
		running.Go(func() {
			<-start
			answers[i] = f.send(i, what)
		})
	}
	close(start)
	running.Wait()
	return answers
}

// must sends by the first replica what has to be answered with the status.
func (f *fleet) must(status int, what ask) *httptest.ResponseRecorder {
	f.Helper()
	answer := f.send(0, what)
	if answer.Code != status {
		f.Fatalf("%s %s: status %d, want %d: %s", what.method, what.path, answer.Code, status, answer.Body)
	}
	return answer
}

// init begins a link of an app of the type, for a reference.
func (f *fleet) init(appType latchkey.AppType, reference string) ask {
	return post("/v2/link/init", map[string]any{
		"clientAppId": f.Trial.ClientApps[appType], "provider": "common", "clientReferenceId": reference,
	}, "Idempotency-Key", "key of "+reference)
}

// linkOf reads the answer of an init.
func (f *fleet) linkOf(answer *httptest.ResponseRecorder) latchtest.Link {
	f.Helper()
	return latchtest.Decode[latchtest.Link](f.Server, latchtest.Answer{Status: answer.Code, Body: answer.Body.Bytes()})
}

// submit is a submission of fields to a link that its app drives.
func submit(link latchtest.Link, version int64, fields map[string]string) ask {
	return post("/v2/link/"+link.ClientSecret+"/submit", submission{Version: version, Fields: fields})
}

// stored reads a session by its id.
func (f *fleet) stored(id string) *latchkey.LinkSession {
	f.Helper()
	session, err := f.App.Store().LinkSession(f.Context(), f.Trial.OrganisationID, latchkey.Sandbox, id)
	if err != nil {
		f.Fatal(err)
	}
	return session
}

// sessions counts the sessions there are.
func (f *fleet) sessions() int {
	f.Helper()
	for count := 0; ; {
		page, more, err := f.App.Store().LinkSessions(f.Context(), latchkey.SessionFilter{
			OrganisationID: f.Trial.OrganisationID, Environment: latchkey.Sandbox, Limit: 1000, Offset: count,
		})
		if err != nil {
			f.Fatal(err)
		}
		if count += len(page); !more {
			return count
		}
	}
}

// connections counts the connections of a reference.
func (f *fleet) connections(reference string) int {
	f.Helper()
	list, _, err := f.App.Store().Connections(f.Context(), latchkey.ConnectionFilter{
		OrganisationID: f.Trial.OrganisationID, Environment: latchkey.Sandbox, ClientReferenceID: reference, Limit: 100,
	})
	if err != nil {
		f.Fatal(err)
	}
	return len(list)
}

// isReplayed reports whether an init was answered as before.
func isReplayed(answer *httptest.ResponseRecorder) bool {
	return answer.Header().Get("Idempotent-Replayed") == "true"
}

// isTaken reports whether a submission was taken.
func isTaken(answer *httptest.ResponseRecorder) bool { return answer.Code == http.StatusAccepted }
