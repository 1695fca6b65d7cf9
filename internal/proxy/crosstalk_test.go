package proxy_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/scaletest"
)

// talkers is how many connections share the transports.
const talkers = 200

// taken logs a person in at the provider and takes the session over.
func taken(s *latchtest.Server, name string) (connection, token string) {
	s.Helper()
	answer, err := http.PostForm(s.Provider.URL+"/login", url.Values{"username": {name}, "password": {latchtest.Password}})
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.Fatal(err)
	}
	imported := latchtest.Decode[struct {
		ID string `json:"id"`
	}](s, s.Call("POST", "/v2/account/connections/import", map[string]any{
		"provider": latchtest.ProviderID, "cookie": "token=" + string(body), "userAgent": "Browser/1", "permissions": []string{"profile:read"},
	}))
	if imported.ID == "" {
		s.Fatal("the session was not taken over")
	}
	return imported.ID, string(body)
}

func TestNoCredentialIsOnTheRequestOfAnother(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{Idle: true})
	var connections, tokens []string
	for i := range talkers {
		connection, token := taken(s, fmt.Sprintf("talker%d", i))
		connections, tokens = append(connections, connection), append(tokens, token)
	}
	var mixed, arrived, whole, cancelled atomic.Int64
	s.Provider.API = func(w http.ResponseWriter, r *http.Request) {
		arrived.Add(1)
		body, _ := io.ReadAll(r.Body)
		who, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/who/"), "/")
		var i int
		if _, err := fmt.Sscan(who, &i); err != nil || r.Header.Get("Authorization") != "Bearer "+tokens[i] || len(body) > 0 && string(body) != who {
			mixed.Add(1)
		}
		_, _ = io.WriteString(w, r.URL.Path)
		if len(body)%2 == 0 { // an answer in two pieces can be left within
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, strings.Repeat(" ", 1000))
		}
	}
	calls := scaletest.Of(3000, 200_000)
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	defer transport.CloseIdleConnections()
	var numbers atomic.Int64
	var workers sync.WaitGroup
	for worker := range 16 {
		random := rand.New(rand.NewPCG(uint64(worker), 2))
		workers.Go(func() {
			for n := numbers.Add(1); n <= int64(calls); n = numbers.Add(1) {
				s.Clock.Move(100 * time.Millisecond) // for the connections' rate
				i := random.IntN(talkers)
				ctx, leave := context.WithCancel(t.Context())
				if random.IntN(5) == 0 {
					time.AfterFunc(time.Duration(random.IntN(3000))*time.Microsecond, leave)
				}
				path := fmt.Sprintf("/who/%d/%d", i, n)
				got, err := talk(ctx, s, transport, connections[i], path, []string{"", fmt.Sprint(i)}[random.IntN(2)])
				leave()
				switch {
				case err != nil:
					cancelled.Add(1)
				case strings.TrimSpace(got) != path:
					mixed.Add(1)
					t.Errorf("%s is answered %.60q", path, got)
				default:
					whole.Add(1)
				}
			}
		})
	}
	workers.Wait()
	fmt.Printf("RESULT P-12 %d 0\nRESULT P-12.n %d %d\n", mixed.Load(), arrived.Load(), calls*3/4)
	if mixed.Load() != 0 {
		t.Errorf("%d requests or answers were another's", mixed.Load())
	}
	if cancelled.Load() == 0 || whole.Load() < int64(calls)/2 {
		t.Errorf("%d whole, %d cancelled of %d", whole.Load(), cancelled.Load(), calls)
	}
}

// talk makes a call and returns its answer.
func talk(ctx context.Context, s *latchtest.Server, transport http.RoundTripper, connection, path, body string) (string, error) {
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(ctx, method, s.URL+"/v2/access/proxy"+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("apikey", s.Trial.APIKey)
	request.Header.Set("x-connection-id", connection)
	response, err := transport.RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", response.StatusCode)
	}
	return string(answer), err
}
