package app_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/app"
	"latchkey/internal/connector"
	"latchkey/internal/connector/oauth2"
	"latchkey/internal/connector/recipe"
	"latchkey/internal/egress"
	"latchkey/internal/latchtest/exittest"
)

// entrances are an app in production and all the places where an address comes
// in. Every name leads to this machine, where a canary listens.
type entrances struct {
	*testing.T
	app    *app.App
	out    *egress.Egress // as the app's
	self   []netip.AddrPort
	key    string // of the live environment
	client string
	port   string // of the canary
	came   atomic.Int64
}

func newEntrances(t *testing.T) *entrances {
	t.Helper()
	e := &entrances{T: t}
	canary, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = canary.Close() })
	go func() {
		for {
			conn, err := canary.Accept()
			if err != nil {
				return
			}
			e.came.Add(1)
			_ = conn.Close()
		}
	}()
	port := canary.Addr().(*net.TCPAddr).Port
	e.port = fmt.Sprint(port)
	names := exittest.NewNames(t, func(string, int) exittest.Answer {
		return exittest.Answer{Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}}
	})
	outside := func(config egress.Config) egress.Config {
		e.self = config.Self
		config.Resolver, config.AllowedPorts = names.Resolver(), []int{443, port}
		e.out = egress.New(config)
		return config
	}
	e.app, err = app.New(t.Context(), app.Config{
		Listen: "0.0.0.0:8080", MetricsListen: "[::1]:9090", APIURL: "https://link.example.com", Data: filepath.Join(t.TempDir(), "data"),
		Limits: app.Limits{KeyPerMinute: -1},
	}, app.Parts{Outside: outside})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, e.app) })
	made, err := e.app.Setup(t.Context(), app.Setup{
		Organisation: "Acme Ltd", AppName: "Acme Shop", Domain: "shop.example", RedirectURIs: []string{"https://shop.example/linked"},
		Permissions: []latchkey.Permission{{Name: "profile:read", Purpose: "to greet you"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	e.key, e.client = made[0].Key, made[0].ClientAppID
	return e
}

// send sends a request with the key and returns status and body.
func (e *entrances) send(method, path string, body any) (int, string) {
	e.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		e.Fatal(err)
	}
	r := httptest.NewRequest(method, path, bytes.NewReader(encoded))
	r.Header.Set("apikey", e.key)
	r.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	e.app.Handler().ServeHTTP(answer, r)
	return answer.Code, answer.Body.String()
}

// endpoint registers a webhook endpoint, and calls it as a delivery would if it
// is taken.
func (e *entrances) endpoint(address string) {
	if status, _ := e.send("POST", "/v2/webhook-endpoints", map[string]any{"url": address}); status != http.StatusCreated {
		return
	}
	if response, err := e.out.Client(egress.Webhook).Post(address, "application/json", strings.NewReader("{}")); err == nil {
		_ = response.Body.Close()
		e.Errorf("a webhook went to %s", address)
	}
}

var page = regexp.MustCompile(`https://link\.example\.com(/cs_[0-9A-Za-z]+)`)

// logo gives the app a picture, and draws the page that shows it if it is taken.
func (e *entrances) logo(address string) {
	if status, _ := e.send("PATCH", "/v2/client-apps/"+e.client, map[string]any{"logoUrl": address}); status != http.StatusOK {
		return
	}
	_, body := e.send("POST", "/v2/link/init", map[string]any{"clientAppId": e.client})
	found := page.FindStringSubmatch(body)
	if found == nil {
		e.Fatalf("no link: %s", body)
	}
	if status, body := e.send("GET", found[1], map[string]any{}); status != http.StatusOK || strings.Contains(body, "/static/logos/") {
		e.Errorf("with the logo %s: %d", address, status)
	}
}

// recipe logs in to a provider of a recipe.
func (e *entrances) recipe(text, address string) {
	text = strings.Replace(text, "https://auth.example.org", address, 1)
	parsed, err := recipe.Parse("recipe.yaml", []byte(text))
	if err != nil {
		return
	}
	provider, err := recipe.New(parsed, recipe.Options{})
	if err != nil {
		return
	}
	flow := connector.Flow{SessionID: "ls_1", Environment: latchkey.Live, HTTP: e.out.Client(egress.Provider)}
	step, err := provider.Advance(e.Context(), flow, connector.Input{})
	if err != nil {
		e.Fatal(err)
	}
	flow.State = step.(connector.Prompt).State
	step, err = provider.Advance(e.Context(), flow, connector.Input{Action: latchkey.ActionContinue, Fields: map[string]latchkey.Secret{
		"username": latchkey.NewSecret([]byte("ada")), "password": latchkey.NewSecret([]byte("correct horse")),
	}})
	if err == nil {
		e.Errorf("%s answered with %T", address, step)
	}
}

// discovery asks a provider for its metadata.
func (e *entrances) discovery(text, address string) {
	text = strings.Replace(text, "https://issuer.example", address, 1)
	config, err := oauth2.Parse("provider.yaml", []byte(text))
	if err != nil {
		return
	}
	provider, err := oauth2.New(config, oauth2.Client{ID: "client", Secret: latchkey.NewSecret([]byte("secret"))}, oauth2.Options{})
	if err != nil {
		return
	}
	step, err := provider.Advance(e.Context(), connector.Flow{
		SessionID: "ls_1", Environment: latchkey.Live, HTTP: e.out.Client(egress.Provider),
		CallbackURL: "https://link.example.com/cb", RedirectState: "state",
	}, connector.Input{})
	if err == nil {
		e.Errorf("%s answered with %T", address, step)
	}
}

const provider = `
id: acme
name: Acme
domain: acme.example
documentation: https://acme.example/oauth
issuer: https://issuer.example
scopes: [openid]
profile: {from: id_token, id: $.sub, username: [$.sub], name: [$.sub]}
revocation: {unsupported: true}
`

func TestNoEntranceLetsAnAddressInside(t *testing.T) {
	e := newEntrances(t)
	described, err := os.ReadFile(filepath.Join("..", "..", "docs", "examples", "glewlwyd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	n, reached := 0, 0
	for i, host := range exittest.HostileHosts() { // each comes in by one entrance, and the next of its kind by another
		address := "https://" + host + ":" + e.port
		switch i / 3 % 4 {
		case 0:
			e.endpoint(address + "/hook")
		case 1:
			e.logo(address + "/logo.png")
		case 2:
			e.recipe(string(described), address)
		case 3:
			e.discovery(provider, address)
		}
		n++
		reached += strings.Count(host, ".example")
	}
	fmt.Printf("RESULT E-1.entrances %d 0\nRESULT E-1.entrances.n %d 3000\n", e.came.Load(), n)
	if e.came.Load() != 0 || n < 3000 || reached == 0 {
		t.Errorf("%d connections inside in %d cases, %d of them names that could be registered", e.came.Load(), n, reached)
	}
	t.Run("the server's own listeners are known", func(t *testing.T) {
		fmt.Printf("RESULT E-4.self %d 2\n", len(e.self))
		if got := fmt.Sprint(e.self); got != "[0.0.0.0:8080 [::1]:9090]" {
			t.Errorf("known are %s", got)
		}
	})
	t.Run("a good provider's file would be read", func(t *testing.T) {
		if _, err := oauth2.Parse("provider.yaml", []byte(provider)); err != nil {
			t.Error(err)
		}
		if _, err := recipe.Parse("recipe.yaml", described); err != nil {
			t.Error(err)
		}
	})
}
