package killtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
)

// oracle remembers what was acknowledged.
type oracle struct {
	mu          sync.Mutex
	sessions    map[string]string // session → its connection, or "" while nothing was said of one
	connections map[string]bool   // connection → whether it must be there; absent: unknown
	made, ended int
}

func newOracle() *oracle {
	return &oracle{sessions: map[string]string{}, connections: map[string]bool{}}
}

// client keeps its connections open, as backends do, and follows no redirect.
var client = &http.Client{
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// send returns the answer's status, its Location and its body.
func (s *server) send(ctx context.Context, method, address, contentType, body string) (int, string, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return 0, "", nil, err
	}
	request.Header.Set("apikey", s.key)
	request.Header.Set("Content-Type", contentType)
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
	for _, form := range []string{
		"version=1&action=continue", "version=2&action=approve",
		fmt.Sprintf("version=4&action=continue&username=u%d%%40creator.sandbox.com&password=good-password", n),
	} {
		status, location, _, err = s.send(ctx, "POST", session.URL, "application/x-www-form-urlencoded", form)
		if err != nil || status != http.StatusSeeOther {
			return errors.Join(err, fmt.Errorf("step: %d", status))
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

// ask asks for all that was acknowledged and returns what is lost or half.
func (s *server) ask(o *oracle) (lost []string) {
	ctx := s.Context()
	for session, connection := range o.sessions {
		_, _, body, err := s.send(ctx, "GET", s.url+"/v2/link/sessions/"+session, "", "")
		if err != nil {
			s.Fatal(err)
		}
		var state struct {
			Status string `json:"status"`
			Data   struct {
				ID string `json:"id"`
			} `json:"data"`
		}
		if err := json.Unmarshal(body, &state); err != nil {
			s.Fatal(err)
		}
		switch {
		case state.Status == "not_found":
			lost = append(lost, session+" is unknown")
		case connection != "" && (state.Status != "completed" || state.Data.ID != connection):
			lost = append(lost, session+" is "+state.Status+" without its connection")
		case state.Status == "completed" && connection == "":
			o.sessions[session] = state.Data.ID // it was done and the answer was lost
			if _, known := o.connections[state.Data.ID]; !known {
				o.connections[state.Data.ID] = true
			}
		}
	}
	for connection, there := range o.connections {
		status, _, _, err := s.send(ctx, "GET", s.url+"/v2/account/connections/"+connection, "", "")
		if err != nil {
			s.Fatal(err)
		}
		if there != (status == http.StatusOK) {
			lost = append(lost, fmt.Sprintf("%s: there=%v but status %d", connection, there, status))
		}
	}
	return lost
}
