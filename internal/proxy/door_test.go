package proxy_test

import (
	"bufio"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/auth"
	"latchkey/internal/latchtest"
)

// arrival is a request as it came in at the provider.
type arrival struct {
	Method, URI string
	Header      http.Header
	Body        string
}

// record keeps what comes in at the provider's API; nothing gets there without
// a live session.
type record struct {
	mu       sync.Mutex
	arrivals []arrival
}

// listen makes the provider keep what comes in and answer by the handler; nil
// answers an empty 200.
func listen(s *latchtest.Server, handler http.HandlerFunc) *record {
	kept := &record{}
	s.Provider.API = func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		kept.mu.Lock()
		kept.arrivals = append(kept.arrivals, arrival{r.Method, r.RequestURI, r.Header.Clone(), string(body)})
		kept.mu.Unlock()
		if handler != nil {
			handler(w, r)
		}
	}
	return kept
}

// all returns what has come in.
func (r *record) all() []arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]arrival(nil), r.arrivals...)
}

// last returns the latest request, and fails the test when there is none.
func (r *record) last(t testing.TB) arrival {
	t.Helper()
	all := r.all()
	if len(all) == 0 {
		t.Fatal("nothing reached the provider")
	}
	return all[len(all)-1]
}

// linked links an account of the programmable provider and returns the
// connection's id. An empty key is the trial's.
func linked(s *latchtest.Server, key, username string) string {
	s.Helper()
	var headers []string
	if key != "" {
		headers = []string{"apikey", key}
	}
	link := latchtest.Decode[latchtest.Link](s, s.Want(http.StatusOK, "POST", "/v2/link/init",
		map[string]any{"provider": latchtest.ProviderID}, headers...))
	visit := s.Visit(link.URL).Consent().Submit("continue", "username", username, "password", latchtest.Password)
	if visit.Landed == nil {
		s.Fatalf("the login did not end: %s", visit.Text())
	}
	return visit.Landed.Query().Get("connection_id")
}

// tenant makes an organisation with one client app and a key for each
// environment.
func tenant(s *latchtest.Server, scopes ...latchkey.Scope) (sandbox, live string) {
	s.Helper()
	now := s.Clock.Now()
	organisation := latchkey.Organisation{
		ID: latchkey.NewID(rand.Reader, latchkey.PrefixOrganisation), Name: "Tenant", CreatedAt: now,
	}
	var keys []latchkey.APIKey
	var texts []string
	var apps []latchkey.ClientApp
	for _, environment := range []latchkey.Environment{latchkey.Sandbox, latchkey.Live} {
		key, text := auth.NewKey(rand.Reader, organisation.ID, environment, "first", scopes, now)
		keys, texts = append(keys, key), append(texts, text)
		apps = append(apps, latchkey.ClientApp{
			ID: latchkey.NewID(rand.Reader, latchkey.PrefixClientApp), OrganisationID: organisation.ID,
			Environment: environment, Type: latchkey.AppRedirect, Name: "Shop", Domain: "shop.example",
			RedirectURIs: []string{"http://127.0.0.1/callback"}, Providers: []string{latchtest.ProviderID},
			Permissions: []latchkey.Permission{{Name: "profile:read", Purpose: "to greet you"}},
			CreatedAt:   now, UpdatedAt: now,
		})
	}
	if err := s.App.Store().CreateOrganisation(s.Context(), organisation, keys, apps); err != nil {
		s.Fatal(err)
	}
	return texts[0], texts[1]
}

// raw sends bytes over a connection of its own, since net/http would refuse
// to, and returns the answer. The bytes need no closing Connection header: the
// connection is closed after the answer.
func raw(s *latchtest.Server, request string) (int, http.Header, string) {
	s.Helper()
	conn, err := (&net.Dialer{}).DialContext(s.Context(), "tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		s.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		s.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		s.Fatalf("read the answer to %q: %v", request[:min(len(request), 60)], err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	if response.Close { // ReadResponse has taken it out of the header
		response.Header.Set("Connection", "close")
	}
	return response.StatusCode, response.Header, string(body)
}

// head is the beginning of a raw request: its line, host, key and connection.
func head(s *latchtest.Server, method, target, connection string) string {
	return method + " " + target + " HTTP/1.1\r\nHost: latchkey\r\napikey: " + s.Trial.APIKey +
		"\r\nx-connection-id: " + connection + "\r\n"
}

// problem is the part of an error answer that tests judge.
type problem struct {
	Error, Message, Type, Code, RequestID, ActionRequired string
}

// wantProblem fails the test unless the answer is the error of the type.
func wantProblem(s *latchtest.Server, answer latchtest.Answer, status int, code latchkey.Code) problem {
	s.Helper()
	got := latchtest.Decode[struct {
		Error          string `json:"error"`
		Message        string `json:"message"`
		Type           string `json:"type"`
		Code           string `json:"code"`
		RequestID      string `json:"requestId"`
		ActionRequired string `json:"actionRequired"`
	}](s, answer)
	if answer.Status != status || got.Type != string(code) || got.Code != string(code) {
		s.Errorf("answer %d %s, want %d %s: %s", answer.Status, got.Type, status, code, answer.Body)
	}
	if got.Error == "" || got.Error != got.Message || !latchkey.ValidID(got.RequestID, latchkey.PrefixRequest) ||
		got.RequestID != answer.Header.Get("X-Request-Id") {
		s.Errorf("the error lacks a shape that clients read: %s", answer.Body)
	}
	return problem(got)
}

// standIn answers every connection to it with the bytes, whatever was asked,
// and is where the provider is from now on.
func standIn(s *latchtest.Server, answer string) {
	s.Helper()
	listener, err := (&net.ListenConfig{}).Listen(s.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					_, _ = io.WriteString(conn, answer)
				}
			}()
		}
	}()
	s.Provider.URL = "http://" + listener.Addr().String()
}
