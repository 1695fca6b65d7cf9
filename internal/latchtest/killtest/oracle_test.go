package killtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// oracle remembers what was acknowledged.
type oracle struct {
	mu          sync.Mutex
	sessions    map[string]string // session → its connection, or "" while nothing was said of one
	connections map[string]bool   // connection → whether it must be there; absent: unknown
	consents    map[string]bool   // session whose consent was acknowledged → whether its record was seen after a kill
	used        map[string]bool   // connections whose credential was opened after a kill
	all         bool              // ask for everything
	looked      map[string]int    // how often a session or connection was asked for
	made, ended int

	sessionsBefore, madeBefore, endedBefore int // when the last round ended
}

func newOracle() *oracle {
	return &oracle{
		sessions: map[string]string{}, connections: map[string]bool{}, consents: map[string]bool{}, used: map[string]bool{},
		looked: map[string]int{},
	}
}

// awaitStakes waits until so many more sessions, connections and disconnections
// have been acknowledged than when the last round ended.
func (o *oracle) awaitStakes(t testing.TB, sessions, connections, disconnections int) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	looks := time.NewTicker(5 * time.Millisecond)
	defer looks.Stop()
	for {
		o.mu.Lock()
		enough := len(o.sessions) >= o.sessionsBefore+sessions && o.made >= o.madeBefore+connections &&
			o.ended >= o.endedBefore+disconnections
		if enough {
			o.sessionsBefore, o.madeBefore, o.endedBefore = len(o.sessions), o.made, o.ended
		}
		o.mu.Unlock()
		if enough {
			return
		}
		select {
		case <-looks.C:
		case <-deadline.C:
			t.Fatal("nobody gets an answer any more")
		}
	}
}

// client keeps its connections open, as backends do, and follows no redirect.
var client = &http.Client{
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// send returns the answer's status, its Location and its body.
func (s *server) send(ctx context.Context, method, address, contentType, body string, headers ...string,
) (int, string, []byte, error) {
	return s.sendBy(ctx, client, method, address, contentType, body, headers...)
}

// sendBy is send by a client of one's own.
func (s *server) sendBy(ctx context.Context, client *http.Client, method, address, contentType, body string, headers ...string,
) (int, string, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return 0, "", nil, err
	}
	request.Header.Set("apikey", s.key)
	request.Header.Set("Content-Type", contentType)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0, "", nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header.Get("Location"), content, err
}

// link does one whole link and tells the oracle of every yes. It returns an
// error as soon as the server is gone.
func (s *server) link(ctx context.Context, o *oracle, n int) error {
	status, _, body, err := s.send(ctx, "POST", s.url+"/v2/link/init", "application/json",
		fmt.Sprintf(`{"clientReferenceId":"user_%d"}`, n))
	if err != nil || status != http.StatusOK {
		return errors.Join(err, fmt.Errorf("init: %d", status))
	}
	var session struct {
		URL string `json:"url"`
		ID  string `json:"sessionId"`
	}
	if err := json.Unmarshal(body, &session); err != nil {
		return err
	}
	o.mu.Lock()
	o.sessions[session.ID] = ""
	o.mu.Unlock()
	location := ""
	for step, form := range []string{
		"version=1&action=continue", "version=2&action=approve",
		fmt.Sprintf("version=4&action=continue&username=u%d%%40creator.sandbox.com&password=good-password", n),
	} {
		status, location, _, err = s.send(ctx, "POST", session.URL, "application/x-www-form-urlencoded", form)
		if err != nil || status != http.StatusSeeOther {
			return errors.Join(err, fmt.Errorf("step: %d", status))
		}
		if step == 1 {
			o.mu.Lock()
			o.consents[session.ID] = false
			o.mu.Unlock()
		}
	}
	target, err := url.Parse(location)
	if err != nil {
		return err
	}
	connection := target.Query().Get("connection_id")
	if connection == "" {
		return errors.New("the link ended at " + location)
	}
	o.mu.Lock()
	o.sessions[session.ID], o.connections[connection] = connection, true
	o.made++
	o.mu.Unlock()
	if n%4 == 0 {
		return s.disconnect(ctx, o, connection)
	}
	return nil
}

func (s *server) disconnect(ctx context.Context, o *oracle, connection string) error {
	o.mu.Lock()
	delete(o.connections, connection) // until it is acknowledged, either is right
	o.mu.Unlock()
	status, _, _, err := s.send(ctx, "DELETE", s.url+"/v2/account/connections/"+connection, "", "")
	if err != nil || status != http.StatusOK {
		return errors.Join(err, fmt.Errorf("disconnect: %d", status))
	}
	o.mu.Lock()
	o.connections[connection] = false
	o.ended++
	o.mu.Unlock()
	return nil
}

// get asks for JSON and returns the answer's status.
func (s *server) get(path string, into any, headers ...string) int {
	s.Helper()
	status, _, body, err := s.send(s.Context(), "GET", s.url+path, "", "", headers...)
	if err != nil {
		s.Fatal(err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		s.Fatalf("%s: %d %s: %v", path, status, body, err)
	}
	return status
}

// due reports whether a session or connection is to be asked for: after two
// kills each, and then now and then, unless all are.
func (o *oracle) due(id string) bool {
	o.looked[id]++
	return o.looked[id] <= 2 || o.all || rand.IntN(20) == 0
}

// ask asks for what was acknowledged and returns what is lost or half.
func (s *server) ask(o *oracle) []string {
	s.Helper()
	return slices.Concat(s.askSessions(o), s.askConsents(o), s.askConnections(o), s.askWhence(o))
}

// record is a line of the audit record.
type record struct {
	Action string `json:"action"`
}

// records returns the audit record of a session or a connection.
func (s *server) records(subject string) []record {
	s.Helper()
	var page struct {
		List []record `json:"list"`
	}
	s.get("/v2/audit?limit=100&subject="+subject, &page)
	return page.List
}

// askConsents wants the record of every consent, once.
func (s *server) askConsents(o *oracle) (lost []string) {
	s.Helper()
	for session, seen := range o.consents {
		if seen {
			continue
		}
		o.consents[session] = true
		if !slices.Contains(s.records(session), record{"consent.given"}) {
			lost = append(lost, session+" has lost its consent")
		}
	}
	return lost
}

// askReceipts wants the credential of every connection that was ended to have
// been ended at the provider too, or soon.
func (s *server) askReceipts(o *oracle) (lost []string) {
	s.Helper()
	deadline := time.Now().Add(time.Minute)
	looks := time.NewTicker(20 * time.Millisecond)
	defer looks.Stop()
	for connection, there := range o.connections {
		for !there && !slices.ContainsFunc(s.records(connection), func(r record) bool {
			return r.Action == "credential.revoked" || r.Action == "credential.not_revocable"
		}) {
			if time.Now().After(deadline) {
				lost = append(lost, connection+" was not ended at its provider")
				break
			}
			<-looks.C
		}
	}
	return lost
}

// askSessions wants every session, and with those that are completed their
// connections.
func (s *server) askSessions(o *oracle) (lost []string) {
	s.Helper()
	for session, connection := range o.sessions {
		if !o.due(session) {
			continue
		}
		var state struct {
			Status string `json:"status"`
			Data   struct {
				ID string `json:"id"`
			} `json:"data"`
		}
		s.get("/v2/link/sessions/"+session, &state)
		switch {
		case state.Status == "not_found":
			lost = append(lost, session+" is unknown")
		case connection != "" && (state.Status != "completed" || state.Data.ID != connection):
			lost = append(lost, session+" is "+state.Status+" without its connection")
		case state.Status == "completed" && connection == "": // it was done and the answer was lost
			o.sessions[session], o.connections[state.Data.ID] = state.Data.ID, true
		}
	}
	return lost
}

// askConnections wants every connection to be there, or gone, and opens the
// credential of each once.
func (s *server) askConnections(o *oracle) (lost []string) {
	s.Helper()
	for connection, there := range o.connections {
		if !o.due(connection) {
			continue
		}
		var answer jsontext.Value
		if status := s.get("/v2/account/connections/"+connection, &answer); there != (status == http.StatusOK) {
			lost = append(lost, fmt.Sprintf("%s: there=%v but status %d", connection, there, status))
		}
		if !there || o.used[connection] {
			continue
		}
		o.used[connection] = true
		if status := s.get("/v2/access/self", &answer, "x-connection-id", connection); status != http.StatusOK {
			lost = append(lost, fmt.Sprintf("%s can't be used: status %d", connection, status))
		}
	}
	return lost
}

// askWhence wants a completed session for every connection that is listed.
func (s *server) askWhence(o *oracle) (lost []string) {
	s.Helper()
	known := map[string]bool{}
	for _, connection := range o.sessions {
		known[connection] = true
	}
	for offset := 0; ; offset += 100 {
		var page struct {
			List []struct {
				ID string `json:"id"`
			} `json:"list"`
			HasMore bool `json:"hasMore"`
		}
		s.get(fmt.Sprintf("/v2/account/connections?limit=100&offset=%d", offset), &page)
		for _, connection := range page.List {
			if !known[connection.ID] {
				lost = append(lost, connection.ID+" is there without its session")
			}
		}
		if !page.HasMore {
			return lost
		}
	}
}
