package vault_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
)

// What is done at once when a token ends, how often, and by how many replicas.
const (
	callsAtExpiry = 500
	expiries      = 100
	replicas      = 3
	tokenLife     = 10 * time.Minute
)

// rotatingFleet is three replicas on one PostgreSQL with one account of a
// provider that notices when a refresh token is used twice.
type rotatingFleet struct {
	testing.TB
	servers    []*latchtest.Server
	provider   *latchtest.Rotator
	connection string
}

func newRotatingFleet(t *testing.T, options latchtest.Options, size int) *rotatingFleet {
	t.Helper()
	f := &rotatingFleet{TB: t, provider: latchtest.NewRotator(t)}
	options.Data, options.LogLevel = filepath.Join(t.TempDir(), "data"), slog.LevelError
	options.Connectors = []connector.Connector{latchtest.Rotating{At: f.provider.URL, Life: tokenLife}}
	for range size {
		f.servers = append(f.servers, latchtest.Start(t, options))
	}
	first := f.servers[0]
	visit := first.Visit(first.Init(map[string]any{"provider": latchtest.RotatingID}).URL).Consent().
		Submit("continue", "username", "ada")
	if visit.Landed == nil {
		t.Fatalf("the login did not end: %s", visit.Text())
	}
	f.connection = visit.Landed.Query().Get("connection_id")
	first.Want(http.StatusOK, "PATCH", "/v2/account/connections/"+f.connection+"/settings", map[string]any{
		"rateLimit": map[string]int{"perMinute": 6000, "burst": 6000},
	})
	for i := range f.servers { // each learns the limit
		if status := f.call(i); status != http.StatusOK {
			t.Fatalf("replica %d answers %d", i, status)
		}
	}
	return f
}

// call lets a replica pass a request on and returns the status.
func (f *rotatingFleet) call(replica int) int {
	request := httptest.NewRequestWithContext(f.Context(), http.MethodGet, "/v2/access/proxy/me", nil)
	request.Header.Set("apikey", f.servers[0].Trial.APIKey)
	request.Header.Set("x-connection-id", f.connection)
	answer := httptest.NewRecorder()
	f.servers[replica%len(f.servers)].App.Handler().ServeHTTP(answer, request)
	return answer.Code
}

// expire lets the token end and sends all calls at once. It returns how many
// were not answered by the provider.
func (f *rotatingFleet) expire() (failed int) {
	for _, server := range f.servers {
		server.Clock.Move(tokenLife)
	}
	statuses := make([]int, callsAtExpiry)
	begin := make(chan struct{})
	var calls sync.WaitGroup
	for i := range statuses {
		calls.Go(func() {
			<-begin
			statuses[i] = f.call(i)
		})
	}
	close(begin)
	calls.Wait()
	for _, status := range statuses {
		if status != http.StatusOK {
			failed++
		}
	}
	return failed
}

func TestReplicasRefreshOnceHoweverManyAskAtOnce(t *testing.T) {
	rounds := expiries
	if latchtest.UnderRaceDetector() {
		rounds = 5 // it is ten times as slow
	}
	f := newRotatingFleet(t, latchtest.Options{DatabaseURL: latchtest.NewPostgres(t)}, replicas)
	beyond, once := 0, 0
	for round := range rounds {
		before := f.provider.Refreshes()
		if failed := f.expire(); failed > 0 {
			t.Errorf("round %d: %d of %d calls failed", round+1, failed, callsAtExpiry)
		}
		refreshes := f.provider.Refreshes() - before
		if refreshes == 1 {
			once++
		}
		beyond += max(0, refreshes-1)
	}
	fmt.Printf("RESULT R-10 %d 0\n", beyond)
	fmt.Printf("RESULT R-10.n %d %d\n", once, rounds)
	fmt.Printf("RESULT R-10.alarms %d 0\n", f.provider.Alarms())
	if beyond != 0 || once != rounds || f.provider.Alarms() != 0 {
		t.Errorf("%d of %d ends of a token were one refresh, %d were more, %d alarms", once, rounds, beyond, f.provider.Alarms())
	}
}
