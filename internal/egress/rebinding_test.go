package egress

import (
	"errors"
	"fmt"

	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"latchkey/internal/latchtest/exittest"
)

// watch is an egress in production of which nothing leaves the machine: it
// counts the addresses to which a connection would have been begun.
type watch struct {
	*Egress
	public atomic.Int64
	inside atomic.Int64
}

func newWatch(t *testing.T, config Config) *watch {
	t.Helper()
	w := &watch{}
	config = config.withDefaults()
	guard := newGuard(config)
	w.Egress = assemble(config, guard, func(network, address string, connection syscall.RawConn) error {
		if err := guard.control(network, address, connection); err != nil {
			return err
		}
		if destination := netip.MustParseAddrPort(address); exittest.IsSpecial(destination.Addr()) {
			w.inside.Add(1)
			t.Errorf("a connection to %s was begun", address)
		} else {
			w.public.Add(1)
		}
		return errors.New("stopped at the fence")
	})
	t.Cleanup(w.Close)
	return w
}

// tricks are what a name server may answer to get in, by how often it was
// asked before.
var tricks = map[string]func(d *exittest.Dice, times int) exittest.Answer{
	"flip": func(d *exittest.Dice, times int) exittest.Answer { // public at first, inside from then on
		if times == 0 {
			return exittest.Answer{Addresses: somewhere}
		}
		return exittest.Answer{Addresses: inside(d, 1)}
	},
	"flap": func(d *exittest.Dice, times int) exittest.Answer { // inside every other time
		if times%2 == 0 {
			return exittest.Answer{Addresses: inside(d, 1)}
		}
		return exittest.Answer{Addresses: somewhere}
	},
	"mix": func(d *exittest.Dice, _ int) exittest.Answer {
		return exittest.Answer{Addresses: append(inside(d, 2), somewhere...)}
	},
	"half": func(d *exittest.Dice, _ int) exittest.Answer {
		return exittest.Answer{Addresses: append(inside(d, 1), somewhere[0])}
	},
	"alias": func(d *exittest.Dice, _ int) exittest.Answer {
		return exittest.Answer{Aliases: []string{"metadata.google.internal", "localhost"}, Addresses: inside(d, 2)}
	},
	"large": func(d *exittest.Dice, _ int) exittest.Answer {
		return exittest.Answer{Addresses: append(somewhere, inside(d, 60)...)}
	},
	"tcp": func(d *exittest.Dice, _ int) exittest.Answer {
		return exittest.Answer{ByTCP: true, Addresses: inside(d, 20)}
	},
	"late": func(d *exittest.Dice, times int) exittest.Answer { // nothing at first
		if times == 0 {
			return exittest.Answer{NoSuchName: true}
		}
		return exittest.Answer{Addresses: inside(d, 2)}
	},
}

var somewhere = []netip.Addr{netip.MustParseAddr("93.184.216.34"), netip.MustParseAddr("2606:2800:220:1::1")}

// inside returns special addresses of both kinds, some of them this machine's.
func inside(d *exittest.Dice, count int) []netip.Addr {
	list := []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}
	for len(list) < 2*count {
		list = append(list, d.Within(exittest.Special[int(d.Bytes()[0])%len(exittest.Special)]))
	}
	return list
}

func TestTenThousandLookups(t *testing.T) {
	const lookups = 10_000
	names, kinds := &exittest.Dice{}, make([]string, 0, len(tricks))
	for kind := range tricks {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	server := exittest.NewNames(t, func(name string, times int) exittest.Answer {
		kind, _, _ := strings.Cut(name, "-")
		if trick := tricks[kind]; trick != nil {
			return trick(names, times)
		}
		return exittest.Answer{Addresses: inside(names, 1)} // a name that nobody asked for
	})
	canary := newCanary(t)
	proxy := exittest.Start(t, exittest.Options{Scheme: "http", Refuse: http.StatusBadGateway})
	w := newWatch(t, Config{
		Resolver: server.Resolver(), AllowedPorts: []int{int(canary.port)},
		Exits: []Exit{{Proxy: proxy.URL, Country: "DE"}},
	})
	clients := []*http.Client{
		w.Client(Webhook), w.Client(Provider), w.Client(Proxy), w.Client(Logo), w.ClientFor(Provider, Way{Key: "ls_1", Place: inGermany}),
	}
	var asked []string
	total := 0
	for i := 0; total < lookups; i++ {
		name := fmt.Sprintf("%s-%d.example", kinds[i%len(kinds)], i)
		asked = append(asked, name)
		for try := range 2 + len(clients) { // each name by several ways, and again
			response, err := clients[(i+try)%len(clients)].Get("https://" + name + ":" + portText(canary.port))
			if err == nil {
				_ = response.Body.Close()
				t.Fatalf("%s was answered", name)
			}
		}
		total, _ = server.Questions()
	}
	private := 0
	for _, target := range proxy.Targets() {
		if destination, err := netip.ParseAddrPort(target); err != nil || exittest.IsSpecial(destination.Addr()) {
			private++
		}
	}
	_, seen := server.Questions()
	slices.Sort(asked)
	completed := len(slices.DeleteFunc(seen, func(name string) bool { _, found := slices.BinarySearch(asked, name); return found }))
	fmt.Printf("RESULT E-2 %d 0\nRESULT E-2.n %d 10000\nRESULT E-2.proxied %d 0\nRESULT E-2.search-domains %d 0\n",
		w.inside.Load()+canary.connections.Load(), total, private, completed)
	if n := w.inside.Load() + canary.connections.Load(); n != 0 || private != 0 || completed != 0 {
		t.Errorf("%d connections inside, %d asked of a proxy, names that nobody asked for: %v", n, private, seen)
	}
	if w.public.Load() < 1000 || len(proxy.Targets()) < 100 {
		t.Errorf("only %d of the public addresses among them were gone to, %d through a proxy", w.public.Load(), len(proxy.Targets()))
	}
}

// TestANameThatMovesInsideWhileAConnectionLives lets a kept connection die
// between two requests, when its name has moved inside.
func TestANameThatMovesInsideWhileAConnectionLives(t *testing.T) {
	server := newPlainServer(t, func(http.ResponseWriter, *http.Request) {})
	var moved atomic.Bool
	names := exittest.NewNames(t, func(string, int) exittest.Answer {
		if moved.Load() {
			return exittest.Answer{Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1")}}
		}
		return exittest.Answer{Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")}}
	})
	const rounds = 100
	got := 0
	for i := range rounds {
		moved.Store(false)
		e := newFenced(t, Config{AllowLoopback: true, Resolver: names.Resolver()})
		address := "http://moves-" + strconv.Itoa(i) + ".example:" + portText(portOfServer(t, server.URL))
		for n := range 3 {
			response, err := e.Client(Webhook).Get(address)
			if err != nil {
				t.Fatalf("request %d: %v", n, err)
			}
			_ = response.Body.Close()
			moved.Store(true) // the kept connection leads where it was judged to
		}
		server.CloseClientConnections()
		if response, err := e.Client(Webhook).Get(address); err == nil {
			_ = response.Body.Close()
			got++
			t.Error("a request went to where the name had moved")
		} else if i == 0 && !errors.Is(err, ErrRefused) {
			t.Logf("refused as %v", err)
		}
	}
	fmt.Printf("RESULT E-2.kept %d 0\nRESULT E-2.kept.n %d 100\n", got, rounds)
}
