package egress

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"latchkey/internal/latchtest/exittest"
)

func TestHealth(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := newAuthority(t, "")
	proxy := exittest.Start(t, exittest.Options{Scheme: "http", To: newSite(t, a, "site.example")})
	p := newPassage(t, everywhere, proxy)
	p.trust(a)
	h := p.exits.list[0].health
	h.now = func() time.Time { return now }
	way := Way{Key: "ls_1", Place: inGermany}
	fail := func() error { _, err := p.fetch(way, "https://site.example/"); return err }
	// passed lets time go by and checks, and reports whether the exit is up.
	passed := func(time_ time.Duration) bool {
		now = now.Add(time_)
		p.CheckExits(t.Context())
		return h.isUp()
	}

	if !passed(0) || fail() != nil {
		t.Fatal("it does not work at first")
	}
	p.Close()
	proxy.Die()
	t.Run("it is taken out after failures in a row", func(t *testing.T) {
		for n := range failuresToLeave {
			if !h.isUp() {
				t.Errorf("it was taken out after %d", n)
			}
			if fail() == nil {
				t.Error("it went out")
			}
		}
		if h.isUp() {
			t.Error("it was not taken out")
		}
	})
	t.Run("it is looked at after a back-off that grows to a minute", func(t *testing.T) {
		for _, wait := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
			before := h.nextCheck
			if passed(time.Duration(wait)*time.Second - time.Millisecond); h.nextCheck != before {
				t.Errorf("it was looked at before %d s", wait)
			}
			if passed(time.Millisecond) || h.nextCheck == before {
				t.Errorf("it was not looked at after %d s, or came back", wait)
			}
		}
	})
	t.Run("a check that passes lets it in on probation", func(t *testing.T) {
		proxy.Resume()
		if !passed(time.Minute) {
			t.Fatal("it did not come back")
		}
		proxy.Die()
		if fail() == nil || h.isUp() {
			t.Error("one more failure did not take it out")
		}
		if wait := h.nextCheck.Sub(now); wait != time.Minute {
			t.Errorf("it is looked at after %s, want a minute: it has not worked since", wait)
		}
	})
	t.Run("a tunnel clears its name", func(t *testing.T) {
		proxy.Resume()
		if !passed(time.Minute) || fail() != nil {
			t.Fatal("it did not come back")
		}
		p.Close()
		proxy.Die()
		for range failuresToLeave {
			_ = fail()
		}
		if wait := h.nextCheck.Sub(now); h.isUp() || wait != time.Second {
			t.Errorf("it is looked at after %s, want a second", wait)
		}
	})
	t.Run("checks alone find one that has died", func(t *testing.T) {
		proxy.Resume()
		if !passed(time.Second) || fail() != nil {
			t.Fatal("it did not come back")
		}
		proxy.Die()
		passed(30 * time.Second)
		passed(time.Second)
		if passed(time.Second) {
			t.Error("it is still in use")
		}
	})
}

func TestACheckOfADestination(t *testing.T) {
	a := newAuthority(t, "")
	site := newSite(t, a, "site.example")
	for _, scheme := range []string{"http", "socks5"} {
		proxy := exittest.Start(t, exittest.Options{Scheme: scheme, To: site})
		p := newPassage(t, func(name string) []netip.Addr {
			if name == "inside.example" {
				return []netip.Addr{netip.MustParseAddr("10.0.0.1")}
			}
			return everywhere(name)
		}, proxy)
		x := p.exits.list[0].tunnels
		x.exit.Check = "check.example:443"
		p.CheckExits(t.Context())
		if status := p.Exits()[0]; !status.Up || status.Tunnels != 1 || fmt.Sprint(proxy.Targets()) != "[93.184.216.34:443]" {
			t.Errorf("%s: %+v after %v", scheme, status, proxy.Targets())
		}
		proxy.Refuse(map[string]int{"http": 407, "socks5": 1}[scheme])
		for range failuresToLeave {
			x.check(t.Context())
		}
		if status := p.Exits()[0]; status.Up || status.Failures != failuresToLeave {
			t.Errorf("%s: a proxy that refuses passes: %+v", scheme, status)
		}
		x.exit.Check = "inside.example:443"
		x.check(t.Context())
		if status := p.Exits()[0]; status.Failures != failuresToLeave || len(proxy.Targets()) != 1+failuresToLeave {
			t.Errorf("%s: a check of what is refused is held against it: %+v after %v", scheme, status, proxy.Targets())
		}
	}
}
