package latchtest

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// Answer is what a backend got.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Decode reads the answer's JSON.
func Decode[T any](s *Server, answer Answer) T {
	s.Helper()
	var value T
	if err := json.Unmarshal(answer.Body, &value); err != nil {
		s.Fatalf("answer %d %q: %v", answer.Status, answer.Body, err)
	}
	return value
}

// Call sends a request with the trial's key. A string body goes as it is, any
// other as JSON. Headers are pairs of name and value; an empty value removes.
func (s *Server) Call(method, path string, body any, headers ...string) Answer {
	s.Helper()
	var reader io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(body)
	default:
		encoded, err := json.Marshal(body)
		if err != nil {
			s.Fatal(err)
		}
		reader = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(s.Context(), method, s.URL+path, reader)
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("apikey", s.Trial.APIKey)
	if reader != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Del(headers[i])
		if headers[i+1] != "" {
			request.Header.Set(headers[i], headers[i+1])
		}
	}
	return s.do(request)
}

func (s *Server) do(request *http.Request) Answer {
	s.Helper()
	response, err := s.client.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	s.harvest(response.Header.Get("Location"))
	s.harvest(string(content))
	return Answer{Status: response.StatusCode, Header: response.Header, Body: content}
}

// Want sends a request and fails the test unless the answer has the status.
func (s *Server) Want(status int, method, path string, body any, headers ...string) Answer {
	s.Helper()
	answer := s.Call(method, path, body, headers...)
	if answer.Status != status {
		s.Fatalf("%s %s: status %d, want %d: %s", method, path, answer.Status, status, answer.Body)
	}
	return answer
}

// Link is a session that was asked for.
type Link struct {
	Mode         string `json:"mode"`
	URL          string `json:"url"`
	ClientSecret string `json:"clientSecret"`
	ExpiresAt    string `json:"expiresAt"`
	SessionID    string `json:"sessionId"`
}

// Secret returns the client secret, in whichever mode.
func (l Link) Secret() string {
	if l.ClientSecret != "" {
		return l.ClientSecret
	}
	return l.URL[strings.LastIndex(l.URL, "/")+1:]
}

// Init asks for a link.
func (s *Server) Init(body map[string]any) Link {
	s.Helper()
	return Decode[Link](s, s.Want(http.StatusOK, "POST", "/v2/link/init", body))
}

// Connection is a connection as the API tells of it.
type Connection struct {
	ID                string   `json:"id"`
	Status            string   `json:"status"`
	Provider          string   `json:"provider"`
	ClientReferenceID *string  `json:"clientReferenceId"`
	Permissions       []string `json:"permissions"`
	UserData          struct {
		ID       string  `json:"id"`
		Name     string  `json:"name"`
		Username string  `json:"username"`
		Avatar   *string `json:"avatar"`
	} `json:"userData"`
}

// Connections lists what the trial has linked, newest first.
func (s *Server) Connections() []Connection {
	s.Helper()
	type list struct {
		List []Connection `json:"list"`
	}
	return Decode[list](s, s.Want(http.StatusOK, "GET", "/v2/account/connections?limit=100", nil)).List
}

// ChangeApp changes one of the trial's client apps, as an operator would.
func (s *Server) ChangeApp(appType latchkey.AppType, change func(*latchkey.ClientApp)) {
	s.Helper()
	store := s.App.Store()
	before, err := store.ClientApp(s.Context(), s.Trial.OrganisationID, latchkey.Sandbox, s.Trial.ClientApps[appType])
	if err != nil {
		s.Fatal(err)
	}
	after := before
	change(&after)
	after.UpdatedAt = s.Clock.Now()
	err = store.UpdateClientApp(s.Context(), before, after, latchkey.AuditRecord{
		OrganisationID: before.OrganisationID, Environment: before.Environment, Actor: "operator",
		Action: latchkey.AuditAppUpdated, Subject: before.ID, Detail: "{}", CreatedAt: after.UpdatedAt,
	})
	if err != nil {
		s.Fatal(err)
	}
}
