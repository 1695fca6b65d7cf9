package lifetest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
)

// accessEnds is how soon after the request an ended connection must be of no use.
const accessEnds = time.Second

// revocation is the endpoint of a provider at which credentials are ended. The
// first calls are answered as it is told, the others with 200.
type revocation struct {
	url   string
	first []http.HandlerFunc
	mu    sync.Mutex
	calls int
	done  int
}

func newRevocation(t *testing.T, first ...http.HandlerFunc) *revocation {
	r := &revocation{first: first}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// ServeHTTP answers as it was told.
func (r *revocation) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	r.calls++
	call := r.calls
	if call > len(r.first) {
		r.done++
	}
	r.mu.Unlock()
	if call <= len(r.first) {
		r.first[call-1](w, request)
	}
}

// counts returns how many calls there were, and how many were answered with 200.
func (r *revocation) counts() (calls, done int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls, r.done
}

// unavailable answers 503.
func unavailable(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "later", http.StatusServiceUnavailable)
}

// hanging does not answer until the caller has left.
func hanging(_ http.ResponseWriter, request *http.Request) { <-request.Context().Done() }

// revocable is a provider with an endpoint for revocations of its own.
type revocable struct {
	*latchtest.Provider
	endpoint string
}

// Describe returns the provider's facts under a name of its own.
func (r revocable) Describe() connector.Description { return named(r.Provider) }

// Revoke calls the endpoint.
func (r revocable) Revoke(ctx context.Context, access connector.Access) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.endpoint, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := access.HTTP.Do(request)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}

// irrevocable is a provider that knows no way to end a credential.
type irrevocable struct {
	connector.Connector
	connector.Authorizer
}

// Describe returns the provider's facts under a name of its own.
func (i irrevocable) Describe() connector.Description {
	facts := i.Connector.Describe()
	facts.ID = leaving
	return facts
}

// leaving is the provider of these tests.
const leaving = "leaving"

func named(p *latchtest.Provider) connector.Description {
	facts := p.Describe()
	facts.ID = leaving
	return facts
}

// departure is an account that is about to be disconnected.
type departure struct {
	*latchtest.Server
	connection string
}

func newDeparture(t *testing.T, options latchtest.Options, provider connector.Connector) *departure {
	options.Connectors = []connector.Connector{provider}
	d := &departure{Server: latchtest.Start(t, options)}
	visit := d.Visit(d.Init(map[string]any{"provider": leaving}).URL).Consent().
		Submit("continue", "username", "ada", "password", latchtest.Password)
	if visit.Landed == nil {
		t.Fatalf("the login did not end: %s", visit.Text())
	}
	d.connection = visit.Landed.Query().Get("connection_id")
	return d
}

// use calls the provider through the proxy and reports whether that works.
func (d *departure) use() bool {
	return d.Call("GET", "/v2/access/proxy/me", nil, "x-connection-id", d.connection).Status == http.StatusOK
}

// leave sends the request that ends the connection and returns how long it was
// of use after that.
func (d *departure) leave(method, path string) time.Duration {
	answered := make(chan int, 1)
	began := time.Now()
	go func() { answered <- d.Call(method, "/v2/account/connections/"+d.connection+path, nil).Status }()
	for d.use() && time.Since(began) < time.Minute {
		continue
	}
	took := time.Since(began)
	if status := <-answered; status != http.StatusOK {
		d.Errorf("%s: %d", method, status)
	}
	return took
}

// records is a page of the record.
type records struct {
	List []struct {
		Action string `json:"action"`
		Detail struct {
			Attempts int `json:"attempts"`
		} `json:"detail"`
	} `json:"list"`
}

// receipts tells what the records say of a credential's end, oldest first.
func (r records) receipts() (told []string) {
	for _, record := range slices.Backward(r.List) {
		switch record.Action {
		case "credential.revoked", "credential.not_revocable", "credential.revocation_failed":
			told = append(told, fmt.Sprintf("%s after %d", record.Action, record.Detail.Attempts))
		}
	}
	return told
}

// receipts returns what the record says of the credential's end.
func (d *departure) receipts() []string {
	answer := d.Want(http.StatusOK, "GET", "/v2/audit?limit=100&subject="+d.connection, nil)
	return latchtest.Decode[records](d.Server, answer).receipts()
}

func TestAnEndedConnectionIsOfNoUseAtOnceAndItsProviderIsToldUntilItHasConfirmed(t *testing.T) {
	var misses atomic.Int64
	miss := func(t *testing.T, format string, args ...any) {
		misses.Add(1)
		t.Errorf(format, args...)
	}
	ways := []struct{ name, method, path string }{{"disconnect", "DELETE", ""}, {"invalidate", "POST", "/invalidate"}}
	for name, c := range map[string]struct {
		first    []http.HandlerFunc
		receipts []string
	}{
		"up": {nil, []string{"credential.revoked after 1"}},
		"503": {[]http.HandlerFunc{unavailable, unavailable}, []string{
			"credential.revocation_failed after 1", "credential.revocation_failed after 2", "credential.revoked after 3",
		}},
		"hanging": {[]http.HandlerFunc{hanging}, []string{
			"credential.revocation_failed after 1", "credential.revoked after 2",
		}},
		"unsupported": {nil, []string{"credential.not_revocable after 1"}},
	} {
		for _, way := range ways {
			t.Run(way.name+", "+name, func(t *testing.T) {
				t.Parallel()
				endpoint, real := newRevocation(t, c.first...), latchtest.NewProvider(t)
				var provider connector.Connector = revocable{real, endpoint.url}
				if name == "unsupported" {
					provider = irrevocable{real, real}
				}
				d := newDeparture(t, latchtest.Options{}, provider)
				if !d.use() {
					t.Fatal("it is of no use from the beginning")
				}
				if took := d.leave(way.method, way.path); took > accessEnds {
					miss(t, "it was of use for %v", took)
				}
				moved := time.Now()
				latchtest.Eventually(t, "there is a last receipt", func() bool {
					if time.Since(moved) > 300*time.Millisecond { // slower than a lease ends, so that none is lost
						d.Clock.Move(15 * time.Second)
						moved = time.Now()
					}
					return slices.Contains(d.receipts(), c.receipts[len(c.receipts)-1])
				})
				if got := d.receipts(); !slices.Equal(got, c.receipts) {
					miss(t, "the receipts are %v, want %v", got, c.receipts)
				}
				calls, done := endpoint.counts()
				if want := len(c.first) + 1; name != "unsupported" && (calls != want || done != 1) {
					miss(t, "%d calls of which %d were answered with 200, want %d and 1", calls, done, want)
				}
				if d.use() {
					miss(t, "it is of use again")
				}
			})
		}
	}
	t.Cleanup(func() { fmt.Printf("RESULT R-11 %d 0\n", misses.Load()) })
}

func TestARevocationSurvivesAKill(t *testing.T) {
	p := newProcess(t)
	p.start()
	for round := range 6 {
		connection := p.link("")
		if round%2 == 0 { // killed before the provider has confirmed
			p.provider.Down(true)
			p.must(http.StatusOK, "DELETE", "/v2/account/connections/"+connection, "", nil)
			p.kill()
			p.provider.Down(false)
		} else { // killed before its yes was written down
			killed := make(chan struct{})
			p.provider.Answered = func() {
				p.provider.Answered = nil
				p.kill()
				close(killed)
			}
			_, _, _, _ = p.send("DELETE", p.URL+"/v2/account/connections/"+connection, "", "")
			<-killed
		}
		p.ahead += 2 * time.Hour
		p.start()
		last := ""
		latchtest.Eventually(t, "there is a receipt of the end", func() bool {
			var page records
			p.must(http.StatusOK, "GET", "/v2/audit?limit=100&subject="+connection, "", &page)
			if receipts := page.receipts(); len(receipts) > 0 {
				last = receipts[len(receipts)-1]
			}
			return last == "credential.revoked after 2"
		})
		if live := p.provider.Live(); live != 0 {
			t.Errorf("round %d: %d grants live on", round, live)
		}
	}
}
