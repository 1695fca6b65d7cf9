package egress

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest/exittest"
)

// fleet is a number of exits in each of several countries, behind each of which
// is a site that notes which sessions come.
type fleet struct {
	*Egress
	proxies map[string]*exittest.Proxy // by the exit's name, country-number
	mu      sync.Mutex
	seen    map[string][]string // session → exits, each time another
}

const perCountry = 3

var countries = []string{"DE", "FR", "US", "JP", "BR"}

func newFleet(t *testing.T, config Config) *fleet {
	t.Helper()
	f := &fleet{proxies: map[string]*exittest.Proxy{}, seen: map[string][]string{}}
	for i, country := range countries {
		for number := range perCountry {
			name := fmt.Sprintf("%s-%d", country, number+1)
			site := newPlainServer(t, func(_ http.ResponseWriter, r *http.Request) { f.note(r.Header.Get("X-Session"), name) })
			f.proxies[name] = exittest.Start(t, exittest.Options{
				Scheme: []string{"http", "socks5"}[i%2], User: "user", Password: "password", To: strings.TrimPrefix(site.URL, "http://"),
			})
			config.Exits = append(config.Exits, Exit{Name: name, Proxy: f.proxies[name].URL, Country: country, Weight: number + 1})
		}
	}
	config.AllowLoopback = true
	f.Egress = newFenced(t, config)
	return f
}

func (f *fleet) note(session, exit string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if exits := f.seen[session]; len(exits) == 0 || exits[len(exits)-1] != exit {
		f.seen[session] = append(exits, exit)
	}
}

// ask sends a request of a session and returns how it ended.
func (f *fleet) ask(way Way) error {
	request, err := http.NewRequest(http.MethodGet, "http://93.184.216.34/", nil) // what a broken connection may repeat
	if err != nil {
		return err
	}
	request.Header.Set("X-Session", way.Key)
	response, err := f.ClientFor(Provider, way).Do(request)
	if err == nil {
		_ = response.Body.Close()
	}
	return err
}

// wayOf returns the way of the session with the number.
func wayOf(session int) Way {
	return Way{Key: fmt.Sprint("ls_", session), Place: &latchkey.Geolocation{Country: countries[session%len(countries)]}}
}

func TestOneExitPerSession(t *testing.T) {
	const sessions, rounds = 1000, 2
	f := newFleet(t, Config{})
	failed := 0
	all := func() {
		for session := range sessions {
			if f.ask(wayOf(session)) != nil {
				failed++
			}
		}
	}
	for range rounds {
		all()
	}
	home := map[string]string{}
	for session, exits := range f.seen {
		home[session] = exits[0]
	}
	used := map[string]int{}
	for _, exit := range home {
		used[exit]++
	}
	for name := range f.proxies {
		if used[name] == 0 {
			t.Errorf("nobody goes through %s", name)
		}
	}
	for _, country := range countries { // the heaviest of each dies while its sessions are under way
		f.proxies[country+"-3"].Die()
	}
	for range rounds {
		all()
	}
	for _, country := range countries {
		f.proxies[country+"-3"].Resume()
		for _, exit := range f.exits.country[country] {
			exit.health.nextCheck = exit.health.since // due
		}
	}
	f.CheckExits(t.Context())
	for _, status := range f.Exits() {
		if !status.Up {
			t.Errorf("%s is still down", status.Exit)
		}
	}
	for range rounds {
		all()
	}
	strayed, abroad := 0, 0
	for session := range sessions {
		way := wayOf(session)
		exits := f.seen[way.Key]
		if most := 1 + boolInt(strings.HasSuffix(home[way.Key], "-3")); len(exits) != most {
			strayed++
			t.Errorf("%s went through %v", way.Key, exits)
		}
		if slices.ContainsFunc(exits, func(exit string) bool { return !strings.HasPrefix(exit, way.Place.Country+"-") }) {
			abroad++
		}
	}
	fmt.Printf("RESULT E-7.strayed %d 0\nRESULT E-7.abroad %d 0\nRESULT E-7.failed %d 0\nRESULT E-7.n %d 1000\nRESULT E-7.moved %d 100\n",
		strayed, abroad, failed, len(f.seen), used["DE-3"]+used["FR-3"]+used["US-3"]+used["JP-3"]+used["BR-3"])
	if strayed+abroad+failed != 0 || len(f.seen) != sessions {
		t.Errorf("%d strayed, %d went out in another country, %d requests failed, %d sessions", strayed, abroad, failed, len(f.seen))
	}
}

func boolInt(is bool) int {
	if is {
		return 1
	}
	return 0
}

func TestACountryWithoutAnExit(t *testing.T) {
	gone, abroad := Way{Key: "ls_1", Place: &latchkey.Geolocation{Country: "DE"}}, Way{Key: "ls_2", Place: &latchkey.Geolocation{Country: "IT"}}
	t.Run("is refused, and one whose exits have died too", func(t *testing.T) {
		f := newFleet(t, Config{})
		if f.Serves("IT") || !f.Serves("DE") {
			t.Error("it is not known which countries are served")
		}
		for number := range perCountry {
			f.proxies[fmt.Sprintf("DE-%d", number+1)].Die()
		}
		for range failuresToLeave {
			_ = f.ask(gone)
		}
		for _, way := range []Way{gone, abroad} {
			if err := f.ask(way); !errors.Is(err, ErrNoExit) || latchkey.CodeOf(err) != latchkey.NetworkFailed {
				t.Errorf("%s: %v, want ErrNoExit", way.Place.Country, err)
			}
			if _, err := f.Choose(way); !errors.Is(err, ErrNoExit) {
				t.Errorf("%s: %v, want ErrNoExit", way.Place.Country, err)
			}
		}
		if len(f.seen) != 0 {
			t.Errorf("something went out: %v", f.seen)
		}
	})
	t.Run("goes out directly when the operator says so, but not one whose exits have died", func(t *testing.T) {
		f := newFleet(t, Config{DirectWithoutExit: true})
		for number := range perCountry {
			f.proxies[fmt.Sprintf("DE-%d", number+1)].Die()
		}
		for range failuresToLeave {
			_ = f.ask(gone)
		}
		if _, err := f.Choose(gone); !errors.Is(err, ErrNoExit) {
			t.Errorf("%v, want ErrNoExit", err)
		}
		if exit, err := f.Choose(abroad); exit != "" || err != nil || !f.Serves("IT") {
			t.Errorf("%q, %v", exit, err)
		}
		server := newPlainServer(t, func(_ http.ResponseWriter, r *http.Request) { f.note("direct", r.RemoteAddr) })
		response, err := f.ClientFor(Proxy, abroad).Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if len(f.seen["direct"]) != 1 {
			t.Error("it did not arrive")
		}
	})
	t.Run("without any exits everything is", func(t *testing.T) {
		e := New(Config{})
		if exit, err := e.Choose(abroad); exit != "" || err != nil || !e.Serves("IT") || len(e.Exits()) != 0 {
			t.Errorf("%q, %v", exit, err)
		}
	})
}

func TestChoice(t *testing.T) {
	proxy := mustParse(t, "http://127.0.0.1:1")
	list := []Exit{
		{Name: "by-1", Proxy: proxy, Country: "DE", Region: "BY"}, {Name: "be-1", Proxy: proxy, Country: "DE", Region: "BE"},
		{Name: "be-2", Proxy: proxy, Country: "DE", Region: "BE"}, {Name: "fr-1", Proxy: proxy, Country: "FR", Weight: 1},
		{Name: "fr-2", Proxy: proxy, Country: "FR", Weight: 3},
	}
	choose := func(e *Egress, way Way) string {
		t.Helper()
		name, err := e.Choose(way)
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	inBerlin := func(key string) Way {
		return Way{Key: key, Place: &latchkey.Geolocation{Country: "DE", State: "BE"}}
	}
	down := func(e *Egress, name string) {
		for _, exit := range e.exits.list {
			for range failuresToLeave * boolInt(exit.Name == name) {
				exit.health.failed(errors.New("test"))
			}
		}
	}
	t.Run("the region is preferred, and another of the country taken without it", func(t *testing.T) {
		e := New(Config{Exits: list})
		for i := range 100 {
			if got := choose(e, inBerlin(fmt.Sprint(i))); !strings.HasPrefix(got, "be-") {
				t.Fatal(got)
			}
		}
		down(e, "be-1")
		if got := choose(e, inBerlin("x")); got != "be-2" {
			t.Error(got)
		}
		down(e, "be-2")
		if got := choose(e, inBerlin("x")); got != "by-1" {
			t.Error(got)
		}
		if got := choose(New(Config{Exits: list}), Way{Key: "x", Place: &latchkey.Geolocation{Country: "DE", State: "HH"}}); got == "" {
			t.Error("nothing for a region without an exit")
		}
	})
	t.Run("another replica, and one with an exit more, choose the same for a way that has one", func(t *testing.T) {
		e, more := New(Config{Exits: list}), New(Config{Exits: append(list, Exit{Name: "be-3", Proxy: proxy, Country: "DE", Region: "BE"})})
		for i := range 100 {
			way := inBerlin(fmt.Sprint(i))
			way.Exit = choose(e, way)
			if again, there := choose(New(Config{Exits: list}), inBerlin(way.Key)), choose(more, way); again != way.Exit || there != way.Exit {
				t.Fatalf("%s, then %s and %s", way.Exit, again, there)
			}
		}
	})
	t.Run("an exit that a way had in another country is not taken", func(t *testing.T) {
		way := inBerlin("x")
		way.Exit = "fr-1"
		if got := choose(New(Config{Exits: list}), way); !strings.HasPrefix(got, "be-") {
			t.Error(got)
		}
	})
	t.Run("a weight is a share", func(t *testing.T) {
		e, heavy := New(Config{Exits: list}), 0
		for i := range 4000 {
			heavy += boolInt(choose(e, Way{Key: fmt.Sprint(i), Place: &latchkey.Geolocation{Country: "FR"}}) == "fr-2")
		}
		if heavy < 2850 || heavy > 3150 {
			t.Errorf("%d of 4000 took the one with three quarters of the weight", heavy)
		}
	})
	t.Run("what is remembered of moves is bounded", func(t *testing.T) {
		var m moves
		for i := range 5 * maxMoves {
			m.keep(fmt.Sprint(i), "a")
		}
		if n := len(m.recent) + len(m.before); n > 2*maxMoves || m.to(fmt.Sprint(5*maxMoves-1)) != "a" {
			t.Errorf("%d are remembered", n)
		}
	})
}
