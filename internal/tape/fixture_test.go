package tape

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// recording is a login of one exchange.
func recording() (Fixture, *Scrubber) {
	s := ForRecord()
	s.Add("password", hard)
	s.Add("cookie-sid", "the-session")
	return Fixture{
		At:      time.Date(2026, 11, 1, 12, 0, 0, 5, time.UTC),
		Answers: []Answer{{Action: "continue", Fields: map[string]string{"password": hard}}, {Action: "poll"}},
		Exchanges: []Exchange{{
			Method: "POST", URL: "https://a.example/login?x=1",
			RequestHeader: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Date": {"now"}, "Cookie": {"sid=the-session"}},
			RequestBody:   []byte("p=" + url.QueryEscape(hard)),
			Status:        302, Header: http.Header{"Location": {"/me"}, "Set-Cookie": {"sid=the-session; Path=/", "b=2"}, "Server": {"x"}},
			Body: []byte("line one\n\nline three"),
		}},
		User: User{ID: "1", Name: "Ada", Username: "ada"},
	}, s
}

func TestARecordingIsReadAsItWasWritten(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "recording")
	fixture, scrubber := recording()
	if err := Save(folder, fixture, scrubber); err != nil {
		t.Fatal(err)
	}
	got, err := Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	want := Fixture{
		At:      time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC),
		Answers: []Answer{{Action: "continue", Fields: map[string]string{"password": "recorded-password"}}, {Action: "poll"}},
		Exchanges: []Exchange{{
			Method: "POST", URL: "https://a.example/login?x=1",
			RequestHeader: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Cookie": {"sid=recorded-cookie-sid"}},
			RequestBody:   []byte("p=recorded-password"),
			Status:        302, Header: http.Header{"Location": {"/me"}, "Set-Cookie": {"b=2", "sid=recorded-cookie-sid; Path=/"}},
			Body: []byte("line one\n\nline three"),
		}},
		User: fixture.User,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := Save(folder, fixture, scrubber); err == nil {
		t.Error("a recording is written over another")
	}
}

// Each leak is planted into a file as if the scrubber had not known of it.
func TestTheHuntFindsWhatIsLeft(t *testing.T) {
	const secret = "the-good-password"
	plants := written(secret)
	for shift := range 3 {
		plants[fmt.Sprintf("within base64, %d off", shift)] = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("u", shift) + secret + ":and more"))
	}
	plants["within hexadecimal"] = hex.EncodeToString([]byte("x" + secret + "y"))
	planted := 0
	for name, text := range plants {
		if text == "" {
			continue
		}
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, "01.response.http"), []byte("200 OK\n\n"+text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		err := Hunt(folder, []string{"another-secret", secret})
		if !errors.Is(err, ErrLeak) || !strings.Contains(err.Error(), "01.response.http") || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
		if err := Hunt(folder, []string{"another-secret"}); err != nil {
			t.Errorf("%s: found what is not there: %v", name, err)
		}
		planted++
	}
	if planted < 12 {
		t.Errorf("only %d leaks were planted", planted)
	}
}

func TestALeakRemovesTheRecording(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "recording")
	fixture, scrubber := recording()
	// In a form the scrubber does not replace: within base64 of more.
	fixture.Exchanges[0].Body = []byte(base64.StdEncoding.EncodeToString([]byte("ada:" + hard)))
	if err := Save(folder, fixture, scrubber); !errors.Is(err, ErrLeak) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestADamagedRecordingIsAnError(t *testing.T) {
	for file, text := range map[string]string{
		"login.json": "{", "01.request.http": "", "01.response.http": "OK\n\n",
	} {
		folder := filepath.Join(t.TempDir(), "recording")
		fixture, scrubber := recording()
		if err := Save(folder, fixture, scrubber); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(folder); err == nil {
			t.Errorf("a damaged %s is read", file)
		}
	}
	if _, err := Load(t.TempDir()); err == nil {
		t.Error("nothing is read as a recording")
	}
}

// ask sends a request through a transport.
func ask(t *testing.T, transport http.RoundTripper, method, address, body string, headers ...string) (string, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s %s", response.StatusCode, response.Header.Get("X-Site"), text), nil
}

func TestWhatIsWatchedIsPlayedAgain(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Site", "yes")
		w.WriteHeader(http.StatusTeapot)
		_, _ = fmt.Fprintf(w, "%s %s", r.URL.RequestURI(), body)
	}))
	watcher := Watch(http.DefaultTransport)
	live, err := ask(t, watcher, "POST", server.URL+"/a?b=1", "c=2", "Cookie", "d=3")
	if err != nil {
		t.Fatal(err)
	}
	address := server.URL
	server.Close()
	if _, err := ask(t, watcher, "GET", address+"/gone", ""); err == nil {
		t.Fatal("the server is still there")
	}
	seen := watcher.Take()
	if len(seen) != 2 || seen[1].Failure == "" || len(watcher.Take()) != 0 {
		t.Fatalf("seen %+v", seen)
	}
	for name, request := range map[string][]string{
		"another method": {"PUT", "/a?b=1", "c=2", "d=3"},
		"another path":   {"POST", "/b?b=1", "c=2", "d=3"},
		"another query":  {"POST", "/a?b=2", "c=2", "d=3"},
		"another body":   {"POST", "/a?b=1", "c=3", "d=3"},
		"another cookie": {"POST", "/a?b=1", "c=2", "d=4"},
		"":               {"POST", "/a?b=1", "c=2", "d=3"},
	} {
		player := Play(Fixture{Exchanges: seen[:1]})
		played, err := ask(t, player, request[0], "http://elsewhere.example"+request[1], request[2], "Cookie", request[3])
		if (err != nil) != (name != "") || (name == "" && played != live) || player.Left() != len(name)/max(1, len(name)) {
			t.Errorf("%s: played %q, %v, %d left", name, played, err, player.Left())
		}
		if name == "" {
			if _, err := ask(t, player, "GET", "http://elsewhere.example/", ""); err == nil {
				t.Error("the recording has no end")
			}
		}
	}
}

func TestAnAnswerThatBreaksOffBreaksOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
	}))
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	watcher := Watch(http.DefaultTransport)
	response, err := watcher.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err == nil || string(text) != "half" {
		t.Errorf("read %q, %v", text, err)
	}
	if seen := watcher.Take(); len(seen) != 1 || string(seen[0].Body) != "half" {
		t.Errorf("seen %+v", seen)
	}
}
