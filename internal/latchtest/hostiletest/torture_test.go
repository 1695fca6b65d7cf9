package hostiletest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/oauth2"
	"latchkey/internal/egress"
	"latchkey/internal/latchtest/hostiletest"
)

// What a hostile endpoint may cost.
const (
	mostTime   = 15 * time.Second
	mostRead   = 1 << 20  // bytes of a body
	mostMemory = 16 << 20 // bytes
)

// metered counts what is read of the bodies that come back.
type metered struct {
	next http.RoundTripper
	read atomic.Int64
}

// RoundTrip passes a request on.
func (m *metered) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := m.next.RoundTrip(request)
	if err == nil {
		response.Body = &meteredBody{response.Body, m}
	}
	return response, err
}

// meteredBody is a body whose bytes are counted.
type meteredBody struct {
	io.ReadCloser
	meter *metered
}

// Read counts.
func (b *meteredBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.meter.read.Add(int64(n))
	return n, err
}

// costs are the most that a call has cost, over all of them.
type costs struct {
	mu          sync.Mutex
	longest     time.Duration
	mostRead    int64
	connections int
}

// add notes a call.
func (c *costs) add(took time.Duration, read int64, linked bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.longest, c.mostRead = max(c.longest, took), max(c.mostRead, read)
	if linked {
		c.connections++
	}
}

// scene is an honest server of which one endpoint is replaced.
type scene struct {
	honest *hostiletest.Server
	way    *http.Client // the house's own way out
	flow   connector.Flow
	done   connector.Done // of a login before
}

// newScene links a person once, honestly.
func newScene(t *testing.T, way *http.Client) *scene {
	s := &scene{honest: hostiletest.Start(t), way: way, flow: connector.Flow{
		CallbackURL: "https://link.latchkey.example/callback", RedirectState: "the-state-of-this-login", HTTP: way,
	}}
	step, err := s.login(s.connector(t, "", ""))
	if err != nil {
		t.Fatal(err)
	}
	s.done = step.(connector.Done)
	return s
}

// connector returns a connector that finds an endpoint at another address.
func (s *scene) connector(t *testing.T, endpoint, address string) connector.Connector {
	lines := []string{"id: hostile", "name: Hostile", "domain: hostile.example", "issuer: " + s.honest.URL, "scopes: [openid]"}
	if endpoint == "issuer" {
		lines[3] = "issuer: " + address
	} else if endpoint != "" {
		lines = append(lines, endpoint+": "+address)
	}
	config, err := oauth2.Parse("hostile.yaml", []byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	client := oauth2.Client{ID: hostiletest.ClientID, Secret: latchkey.NewSecret([]byte(hostiletest.Secret))}
	c, err := oauth2.New(config, client, oauth2.Options{Development: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// login goes through a login as a browser does.
func (s *scene) login(c connector.Connector) (connector.Step, error) {
	flow := s.flow
	flow.Now = time.Now()
	step, err := c.Advance(context.Background(), flow, connector.Input{})
	if err != nil {
		return nil, err
	}
	redirect := step.(connector.Redirect)
	answer, err := s.way.Get(redirect.URL)
	if err != nil {
		return nil, err
	}
	_ = answer.Body.Close()
	back, err := url.Parse(answer.Header.Get("Location"))
	if err != nil {
		return nil, err
	}
	flow.State = redirect.State
	return c.Advance(context.Background(), flow, connector.Input{Action: latchkey.ActionCallback, Query: back.Query()})
}

// suffer makes the call that comes to an endpoint.
func (s *scene) suffer(c connector.Connector, endpoint string, way *http.Client) (connector.Step, error) {
	access := connector.Access{Credential: append([]byte(nil), s.done.Credential.Secret...), HTTP: way, Now: time.Now()}
	switch endpoint {
	case "revocation_endpoint":
		return nil, c.(connector.Revoker).Revoke(context.Background(), access)
	case "refresh":
		_, err := c.(connector.Refresher).Refresh(context.Background(), access)
		return nil, err
	case "check":
		_, err := c.(connector.Checker).Check(context.Background(), access)
		return nil, err
	}
	flow := *s
	flow.flow.HTTP = way
	return flow.login(c)
}

// places are the endpoints, with the key of the file that names each, and what
// is called.
var places = []struct{ name, key string }{
	{"issuer", "issuer"}, {"token_endpoint", "token_endpoint"}, {"jwks_uri", "jwks_uri"}, {"userinfo_endpoint", "userinfo_endpoint"},
	{"pushed_authorization_request_endpoint", "pushed_authorization_request_endpoint"},
	{"revocation_endpoint", "revocation_endpoint"}, {"refresh", "token_endpoint"}, {"check", "userinfo_endpoint"},
}

func TestAHostileEndpointCostsLittle(t *testing.T) {
	var canaries atomic.Int64
	canary := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { canaries.Add(1) }))
	t.Cleanup(canary.Close)
	out := egress.New(egress.Config{AllowLoopback: true})
	t.Cleanup(out.Close)
	s := newScene(t, out.Client(egress.Provider))
	var spent costs
	tortures := hostiletest.Tortures()
	watched := watchMemory()
	var slow sync.WaitGroup // they last for as long as the bound says, all at once
	calls := 0
	for _, torture := range tortures {
		for _, place := range places {
			calls++
			name := place.name + " answers with " + torture.Name
			c := s.connector(t, place.key, torture.Listen(t, canary.URL))
			if torture.Slow {
				slow.Go(func() { s.try(t, name, c, place.name, out, &spent) })
			} else {
				s.try(t, name, c, place.name, out, &spent)
			}
		}
	}
	slow.Wait()
	grown := watched.grown()
	fmt.Printf("RESULT R-9.calls %d %d\n", calls, len(places)*len(tortures))
	fmt.Printf("RESULT R-9.connections %d 0\n", spent.connections)
	fmt.Printf("RESULT R-9.canaries %d 0\n", canaries.Load())
	fmt.Printf("RESULT R-9.longest-ms %d %d\n", spent.longest.Milliseconds(), mostTime.Milliseconds())
	fmt.Printf("RESULT R-9.read-bytes %d %d\n", spent.mostRead, mostRead)
	fmt.Printf("RESULT R-9.memory-bytes %d %d\n", grown, mostMemory)
	if spent.longest > mostTime || spent.mostRead > mostRead || grown > mostMemory || canaries.Load() > 0 {
		t.Errorf("%+v, %d bytes of memory, %d canaries", &spent, grown, canaries.Load())
	}
}

// try makes one call and notes what it costs.
func (s *scene) try(t *testing.T, name string, c connector.Connector, endpoint string, out *egress.Egress, spent *costs) {
	way := *out.Client(egress.Provider)
	meter := &metered{next: way.Transport}
	way.Transport = meter
	start := time.Now()
	step, err := s.suffer(c, endpoint, &way)
	_, linked := step.(connector.Done)
	spent.add(time.Since(start), meter.read.Load(), linked)
	ended := endpoint == "revocation_endpoint" && err == nil // its status alone counts
	if linked || (err == nil && !ended) || errors.Is(err, connector.ErrDead) {
		t.Errorf("%s: %T, %v", name, step, err)
	}
}

// memory watches how much of the machine's memory the runtime holds.
type memory struct {
	first, most uint64
	stop, done  chan struct{}
}

// watchMemory begins with what is held now.
func watchMemory() *memory {
	debug.FreeOSMemory()
	m := &memory{first: heldMemory(), stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(m.done)
		ticks := time.NewTicker(5 * time.Millisecond)
		defer ticks.Stop()
		for {
			m.most = max(m.most, heldMemory())
			select {
			case <-ticks.C:
			case <-m.stop:
				return
			}
		}
	}()
	return m
}

// grown returns by how much it was more at most, in bytes.
func (m *memory) grown() int64 {
	close(m.stop)
	<-m.done
	return int64(m.most - min(m.first, m.most))
}

// heldMemory returns the bytes that the runtime has from the machine and has
// not given back. The race detector's own are not among them.
func heldMemory() uint64 {
	held := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(held)
	return held[0].Value.Uint64() - held[1].Value.Uint64()
}
