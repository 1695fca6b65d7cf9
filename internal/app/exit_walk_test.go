package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"latchkey"
	"latchkey/internal/app"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/exittest"
)

// abroad is an app with exits in Germany and in France, seen from the live
// environment of an organisation. People come from an address that the test
// chooses.
type abroad struct {
	*latchtest.Server
	key     string
	exits   map[string]*exittest.Proxy
	address atomic.Value
}

const inGermany, inFrance, inItaly, atHome = "203.0.113.9", "198.51.100.9", "192.0.2.9", "10.0.0.9"

func newAbroad(t *testing.T, policy string) *abroad {
	t.Helper()
	a := &abroad{exits: map[string]*exittest.Proxy{}}
	a.address.Store(atHome)
	settings := app.Egress{NoProxyForCountry: policy, CountryDatabase: exittest.Database(t, exittest.Networks{
		"203.0.113.0/24": exittest.Record("DE", "BY"), "198.51.100.0/24": exittest.Record("FR", ""), "192.0.2.0/24": exittest.Record("IT", ""),
	})}
	for name, scheme := range map[string]string{"DE-1": "http", "DE-2": "socks5", "FR-1": "socks5"} {
		a.exits[name] = exittest.Start(t, exittest.Options{Scheme: scheme, User: "user", Password: "hunter2"})
		settings.Proxies = append(settings.Proxies, app.EgressProxy{Name: name, URL: a.exits[name].URL.String(), Country: name[:2]})
	}
	a.Server = latchtest.Start(t, latchtest.Options{
		Egress: settings, Idle: true, Trusted: []string{"127.0.0.0/8"},
		Around: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Header.Set("X-Forwarded-For", a.address.Load().(string))
				next.ServeHTTP(w, r)
			})
		},
	})
	made, err := a.App.Setup(t.Context(), app.Setup{
		Organisation: "Acme Ltd", AppName: "Acme Shop", Domain: "shop.example", RedirectURIs: []string{"https://shop.example/linked"},
		Providers: []string{latchtest.ProviderID}, Permissions: []latchkey.Permission{{Name: "profile:read", Purpose: "to greet you"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	a.key = made[1].Key
	return a
}

// used returns the exits that were used, with how often, sorted.
func (a *abroad) used() []string {
	var used []string
	for name, exit := range a.exits {
		if n := len(exit.Targets()); n > 0 {
			used = append(used, name)
			for _, target := range exit.Targets() {
				if want := strings.TrimPrefix(a.Provider.URL, "http://"); target != want {
					a.Errorf("%s was asked for %s, want %s", name, target, want)
				}
			}
		}
	}
	slices.Sort(used)
	return used
}

// begin asks for a live link.
func (a *abroad) begin(geolocation any) latchtest.Answer {
	a.Helper()
	body := map[string]any{"provider": latchtest.ProviderID}
	if geolocation != nil {
		body["geolocation"] = geolocation
	}
	return a.Call("POST", "/v2/link/init", body, "apikey", a.key)
}

// link goes through a live link and returns where the person lands.
func (a *abroad) link(geolocation any, from string) (connection string, landed *latchtest.Visit) {
	a.Helper()
	a.address.Store(from)
	visit := a.Visit(latchtest.Decode[latchtest.Link](a.Server, a.begin(geolocation)).URL).Consent()
	if visit.Landed == nil && visit.Page.Find("input[name=password]").Length() > 0 {
		visit.Submit("continue", "username", "ada", "password", latchtest.Password)
	}
	if visit.Landed != nil {
		connection = visit.Landed.Query().Get("connection_id")
	}
	return connection, visit
}

func (a *abroad) call(connection string) latchtest.Answer {
	a.Helper()
	return a.Call("GET", "/v2/access/proxy/me", nil, "apikey", a.key, "x-connection-id", connection)
}

func country(code string) map[string]any { return map[string]any{"country": code} }

func TestASessionGoesOutInItsCountry(t *testing.T) {
	for _, c := range []struct {
		name, from, want string
		place            any
	}{
		{"by what the app names", inFrance, "DE", country("DE")},
		{"by the address of the person", inFrance, "FR", nil},
		{"directly when nobody knows where", atHome, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAbroad(t, "")
			connection, visit := a.link(c.place, c.from)
			if connection == "" {
				t.Fatalf("no connection: %v %s", visit.Landed, visit.Text())
			}
			used := a.used()
			if (c.want == "" && len(used) != 0) || (c.want != "" && (len(used) != 1 || used[0][:2] != c.want)) {
				t.Fatalf("the login went out by %v, want one of %q", used, c.want)
			}
			if answer := a.call(connection); answer.Status != http.StatusOK {
				t.Errorf("a call: %d %s", answer.Status, answer.Body)
			}
			if again := a.used(); !slices.Equal(used, again) {
				t.Errorf("the login went out by %v, a call by %v", used, again)
			}
			if c.want == "" {
				return
			}
			for name, exit := range a.exits {
				if name[:2] == c.want {
					exit.Die()
				}
			}
			for range 6 {
				if answer := a.call(connection); answer.Status != http.StatusServiceUnavailable {
					t.Errorf("a call without its exits: %d %s", answer.Status, answer.Body)
				}
			}
			if strings.Contains(a.Log.Text(), "hunter2") {
				t.Error("a credential of an exit is in the log")
			}
		})
	}
}

func TestACountryThatNobodyServes(t *testing.T) {
	t.Run("is refused at init, with the field", func(t *testing.T) {
		answer := newAbroad(t, "").begin(country("IT"))
		if body := string(answer.Body); answer.Status != http.StatusBadRequest || !strings.Contains(body, `"field":"geolocation.country"`) ||
			!strings.Contains(body, "location_unavailable") {
			t.Errorf("%d %s", answer.Status, body)
		}
	})
	t.Run("ends the session of a person who is there", func(t *testing.T) {
		a := newAbroad(t, "")
		if _, visit := a.link(nil, inItaly); !toldNoWayOut(visit) || len(a.used()) != 0 || a.Provider.Logins() != 0 {
			t.Errorf("landed at %v %s", visit.Landed, visit.Text())
		}
	})
	t.Run("goes out directly when the operator says so", func(t *testing.T) {
		a := newAbroad(t, "direct")
		if connection, _ := a.link(country("IT"), atHome); connection == "" || len(a.used()) != 0 {
			t.Errorf("connection %q by %v", connection, a.used())
		}
	})
	t.Run("is only recorded in the sandbox", func(t *testing.T) {
		a := newAbroad(t, "")
		a.key = a.Trial.APIKey
		for _, code := range []string{"IT", "DE"} {
			if connection, visit := a.link(country(code), inGermany); connection == "" || len(a.used()) != 0 {
				t.Errorf("%s: %v by %v", code, visit.Landed, a.used())
			}
		}
	})
}

// toldNoWayOut reports whether the person was told that there is no way out.
func toldNoWayOut(visit *latchtest.Visit) bool {
	if visit.Landed != nil {
		return visit.Landed.Query().Get("error_code") == string(latchkey.FailureLocationUnavailable)
	}
	return strings.Contains(visit.Text(), "Your region can’t be served just now")
}

func TestAnExitThatDiesDuringALogin(t *testing.T) {
	a := newAbroad(t, "")
	a.address.Store(inFrance)
	visit := a.Visit(latchtest.Decode[latchtest.Link](a.Server, a.begin(nil)).URL).Consent()
	a.exits["FR-1"].Die()
	for range 4 { // as often as it is tried until the exit counts as down
		if visit.Page.Find("input[name=password]").Length() == 0 {
			break
		}
		visit.Submit("continue", "username", "ada", "password", latchtest.Password)
	}
	if !toldNoWayOut(visit) {
		t.Errorf("landed at %v on %s", visit.Landed, visit.Text())
	}
	if a.Provider.Logins() != 0 {
		t.Error("the provider was asked by another way")
	}
	metrics := httptest.NewRecorder()
	a.App.Metrics().ServeHTTP(metrics, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{
		`latchkey_exit_up{country="FR",exit="FR-1"} 0`, `latchkey_exit_up{country="DE",exit="DE-1"} 1`,
		fmt.Sprintf(`latchkey_exit_failures_total{country="FR",exit="FR-1"} %d`, 3),
	} {
		if !strings.Contains(metrics.Body.String(), want) {
			t.Errorf("the metrics do not tell %s", want)
		}
	}
}
