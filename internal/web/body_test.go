package web_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"latchkey/internal/web"
)

// patience is how long the slow senders' router waits for a body.
const patience = 100 * time.Millisecond

// slowServer decodes a body and then works for longer than a body may take.
func slowServer(t *testing.T) *httptest.Server {
	k := newKit(func(config *web.Config) { config.BodyTime = patience })
	work := func(w http.ResponseWriter, r *http.Request, err error) error {
		if err != nil {
			return err
		}
		select {
		case <-r.Context().Done():
			return r.Context().Err()
		case <-time.After(3 * patience):
			return web.WriteJSON(w, http.StatusOK, struct{}{})
		}
	}
	k.API("POST /json", "LINK", func(w http.ResponseWriter, r *http.Request) error {
		var into order
		return work(w, r, web.Decode(w, r, &into))
	})
	k.Framed("POST /form", func(w http.ResponseWriter, r *http.Request) error {
		_, err := web.DecodeForm(w, r)
		return work(w, r, err)
	})
	server := httptest.NewServer(k)
	t.Cleanup(server.Close)
	return server
}

// dial opens a connection that ends by itself, so that a server that waits too
// long fails the test.
func dial(t *testing.T, server *httptest.Server) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	if err := connection.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return connection
}

func head(path, contentType, length string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: x\r\napikey: " + goodKey + "\r\nContent-Type: " + contentType + "\r\n" + length + "\r\n\r\n"
}

func TestASlowBodyIsCutOff(t *testing.T) {
	server := slowServer(t)
	for _, test := range []struct {
		name, head, begin, drip string
		status                  int
	}{
		{"JSON that stops", head("/json", "application/json", "Content-Length: 100"), `{"name":"`, "", 400},
		{"JSON in chunks that stops", head("/json", "application/json", "Transfer-Encoding: chunked"), "5\r\n{\"na", "", 400},
		{"JSON that drips", head("/json", "application/json", "Content-Length: 60000"), `{"name":"`, "x", 400},
		{"a form that stops", head("/form", formType, "Content-Length: 100"), "password=x", "", 400},
		{"a form that drips", head("/form", formType, "Content-Length: 30000"), "password=", "x", 400},
		{"a form that never begins", head("/form", formType, "Content-Length: 100"), "", "", 400},
		{"JSON that is too large and stops", head("/json", "application/json", "Content-Length: 100000"), strings.Repeat(" ", 64<<10+1), "", 413},
	} {
		t.Run(test.name, func(t *testing.T) {
			connection := dial(t, server)
			started := time.Now()
			if _, err := io.WriteString(connection, test.head+test.begin); err != nil {
				t.Fatal(err)
			}
			gone := make(chan struct{})
			defer func() { <-gone }()
			go func() {
				defer close(gone)
				ticks := time.NewTicker(patience / 10)
				defer ticks.Stop()
				for test.drip != "" {
					<-ticks.C
					if _, err := io.WriteString(connection, test.drip); err != nil {
						return // the server has hung up
					}
				}
			}()
			reader := bufio.NewReader(connection)
			response, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			content, _ := io.ReadAll(response.Body)
			if response.StatusCode != test.status || strings.Contains(string(content), "password") {
				t.Errorf("answer %d: %s", response.StatusCode, content)
			}
			if _, err := reader.ReadByte(); err == nil || errors.Is(err, net.ErrClosed) {
				t.Errorf("the connection stays open: %v", err)
			}
			if took := time.Since(started); took < patience/2 && test.status == 400 || took > 5*time.Second {
				t.Errorf("the answer took %s, want about %s", took, patience)
			}
			_ = connection.Close()
		})
	}
}

func TestAfterTheBodyThereIsTime(t *testing.T) {
	connection := dial(t, slowServer(t))
	reader := bufio.NewReader(connection)
	for i, request := range []string{
		head("/json", "application/json", "Content-Length: 2") + "{}",
		head("/form", formType, "Content-Length: 3") + "a=b",
		head("/json", "application/json", "Transfer-Encoding: chunked") + "2\r\n{}\r\n0\r\n\r\n",
	} {
		if _, err := io.WriteString(connection, request); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatalf("request %d on the same connection: %v", i, err)
		}
		content, err := io.ReadAll(response.Body)
		if response.StatusCode != http.StatusOK || string(content) != "{}" || err != nil {
			t.Errorf("request %d: %d %q, %v", i, response.StatusCode, content, err)
		}
	}
}

func TestACutBodyIsNotTaken(t *testing.T) {
	for _, request := range []string{
		head("/form", formType, "Content-Length: 100") + "version=1&action=approve",
		head("/json", "application/json", "Content-Length: 100") + `{"name":"whole"}`,
	} {
		connection := dial(t, slowServer(t))
		if _, err := io.WriteString(connection, request); err != nil {
			t.Fatal(err)
		}
		if err := connection.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(connection), nil)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("a body that was cut is answered %d, want 400", response.StatusCode)
		}
	}
}

func TestTheBoundOfABodyIsExact(t *testing.T) {
	server := slowServer(t)
	for _, bound := range []struct{ size, status int }{
		{64 << 10, http.StatusOK}, {64<<10 + 1, http.StatusRequestEntityTooLarge}, {64<<10 + 2, http.StatusRequestEntityTooLarge},
	} {
		body := `{"x":"` + strings.Repeat("x", bound.size-len(`{"x":""}`)) + `"}`
		for name, reader := range map[string]io.Reader{"of a told length": strings.NewReader(body), "in chunks": io.MultiReader(strings.NewReader(body))} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/json", reader)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("apikey", goodKey)
			answer, err := server.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			if answer.StatusCode != bound.status {
				t.Errorf("%d bytes %s: status %d, want %d", bound.size, name, answer.StatusCode, bound.status)
			}
		}
	}
}
