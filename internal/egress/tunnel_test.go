package egress

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest/exittest"
)

// passage is an egress in production whose every exit leads to one https
// server; nothing that it does leaves the machine.
type passage struct {
	*Egress
	roots  *x509.CertPool
	now    time.Time
	direct atomic.Int64 // connections that were tried without an exit
}

// newPassage makes the passage; the exits are for Germany.
func newPassage(t *testing.T, names func(string) []netip.Addr, proxies ...*exittest.Proxy) *passage {
	t.Helper()
	p := &passage{roots: x509.NewCertPool(), now: newAuthority(t, "").now}
	config := Config{RootCAs: p.roots, Resolver: resolver(t, names), Now: func() time.Time { return p.now }}
	for i, proxy := range proxies {
		config.Exits = append(config.Exits, Exit{Name: fmt.Sprint("de-", i+1), Proxy: proxy.URL, Country: "DE"})
	}
	config = config.withDefaults()
	guard := newGuard(config)
	p.Egress = assemble(config, guard, func(network, address string, connection syscall.RawConn) error {
		p.direct.Add(1)
		return errors.Join(guard.control(network, address, connection), errors.New("stopped at the fence"))
	})
	t.Cleanup(p.Close)
	return p
}

// trust takes an authority's certificates.
func (p *passage) trust(a *authority) { p.roots.AddCert(a.certificate) }

// everywhere answers with public addresses, whatever the name.
func everywhere(name string) []netip.Addr {
	return []netip.Addr{netip.MustParseAddr("2606:2800:220:1::1"), netip.MustParseAddr("93.184.216.34")}
}

var inGermany = &latchkey.Geolocation{Country: "DE"}

// fetch gets a URL by a way and returns the body.
func (p *passage) fetch(way Way, url string) (string, error) {
	response, err := p.ClientFor(Provider, way).Get(url)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// newSite serves https under the name on loopback and returns host:port.
func newSite(t *testing.T, a *authority, name string) string {
	t.Helper()
	port := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{a.issue(t, name, a.now.AddDate(1, 0, 0))}},
		func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host+" "+r.TLS.ServerName) })
	return "127.0.0.1:" + portText(port)
}

func TestTunnels(t *testing.T) {
	for _, scheme := range []string{"http", "https", "socks5"} {
		t.Run(scheme, func(t *testing.T) {
			a := newAuthority(t, "")
			site := newSite(t, a, "site.example")
			start := func(options exittest.Options) *exittest.Proxy {
				options.Scheme, options.To = scheme, site
				options.Certificate = a.issue(t, "proxy.example", a.now.AddDate(1, 0, 0))
				return exittest.Start(t, options)
			}
			proxy := start(exittest.Options{User: "user", Password: "pass:word %"})
			p := newPassage(t, everywhere, proxy)
			p.trust(a)
			way := Way{Key: "ls_1", Place: inGermany}

			t.Run("the proxy is told an address, the site its name", func(t *testing.T) {
				got, err := p.fetch(way, "https://site.example/")
				if err != nil || got != "site.example site.example" {
					t.Errorf("%q, %v", got, err)
				}
				if targets := proxy.Targets(); len(targets) != 1 || targets[0] != "93.184.216.34:443" {
					t.Errorf("the proxy was asked for %v", targets)
				}
			})
			t.Run("a proxy that wants another password lets nothing out", func(t *testing.T) {
				other := start(exittest.Options{User: "user", Password: "other"})
				wrong := *other.URL
				wrong.User = proxy.URL.User
				other.URL = &wrong
				p := newPassage(t, everywhere, other)
				_, err := p.fetch(way, "https://site.example/")
				if failure, ok := errors.AsType[*exitError](err); !ok || strings.Contains(failure.Error(), "pass:") {
					t.Errorf("%v, want a failure of the exit without the password", err)
				}
				if latchkey.CodeOf(err) != latchkey.NetworkFailed || p.direct.Load() != 0 {
					t.Errorf("code %s, %d direct", latchkey.CodeOf(err), p.direct.Load())
				}
			})
			t.Run("a destination that can't be reached is not the exit's fault", func(t *testing.T) {
				code := map[string]int{"http": 502, "https": 504, "socks5": 4}[scheme]
				p := newPassage(t, everywhere, start(exittest.Options{Refuse: code}))
				p.trust(a)
				for range 5 {
					_, err := p.fetch(way, "https://site.example/")
					if latchkey.CodeOf(err) != latchkey.NetworkFailed {
						t.Errorf("%v", err)
					}
				}
				if status := p.Exits()[0]; !status.Up || status.Failures != 0 {
					t.Errorf("%+v", status)
				}
			})
			t.Run("an exit that refuses is", func(t *testing.T) {
				code := map[string]int{"http": 403, "https": 503, "socks5": 2}[scheme]
				p := newPassage(t, everywhere, start(exittest.Options{Refuse: code}))
				p.trust(a)
				for range failuresToLeave {
					_, _ = p.fetch(way, "https://site.example/")
				}
				if status := p.Exits()[0]; status.Up || status.Failures != failuresToLeave {
					t.Errorf("%+v", status)
				}
				if _, err := p.fetch(way, "https://site.example/"); !errors.Is(err, ErrNoExit) {
					t.Errorf("%v, want ErrNoExit", err)
				}
			})
		})
	}
}

// TestProxiesSeeAddressesAlone sends every kind of host through proxies.
func TestProxiesSeeAddressesAlone(t *testing.T) {
	a := newAuthority(t, "")
	site := newSite(t, a, "site.example")
	var proxies []*exittest.Proxy
	for _, scheme := range []string{"http", "socks5"} {
		proxies = append(proxies, exittest.Start(t, exittest.Options{Scheme: scheme, To: site}))
	}
	random := &exittest.Dice{}
	mixed := func(string) []netip.Addr { // public and special ones, whatever comes
		answer := []netip.Addr{random.Within(exittest.Special[int(random.Bytes()[0])%len(exittest.Special)])}
		if random.Bytes()[0]%2 == 0 {
			answer = append(answer, netip.MustParseAddr("93.184.216.34"), netip.MustParseAddr("2606:2800:220:1::1"))
		}
		return answer
	}
	p := newPassage(t, mixed, proxies...)
	var hosts []string
	for i, host := range exittest.HostileHosts() {
		if i%4 == 0 {
			hosts = append(hosts, host)
		}
		if len(hosts) < 1000 {
			hosts = append(hosts, fmt.Sprintf("host-%d.example", i))
		}
	}
	for i, host := range hosts {
		_, _ = p.fetch(Way{Key: fmt.Sprint("ls_", i), Place: inGermany}, "https://"+host+"/")
	}
	asked, names, private := 0, 0, 0
	judging := newGuard(Config{}.withDefaults())
	for _, proxy := range proxies {
		for _, target := range proxy.Targets() {
			asked++
			destination, err := netip.ParseAddrPort(target)
			if err != nil {
				names++
				t.Errorf("a proxy was asked for %s", target)
			} else if exittest.IsSpecial(destination.Addr()) || judging.check(destination) != nil {
				private++
				t.Errorf("a proxy was asked for %s", target)
			}
		}
	}
	fmt.Printf("RESULT E-5.names %d 0\nRESULT E-5.private %d 0\nRESULT E-5.n %d 400\n", names, private, asked)
	if asked < 400 || p.direct.Load() != 0 {
		t.Errorf("%d tunnels, %d direct connections", asked, p.direct.Load())
	}
}

func TestAProxyThatIsDownLetsNothingOut(t *testing.T) {
	a := newAuthority(t, "")
	site := newSite(t, a, "site.example")
	proxies := []*exittest.Proxy{
		exittest.Start(t, exittest.Options{Scheme: "http", To: site}), exittest.Start(t, exittest.Options{Scheme: "socks5", To: site}),
	}
	p := newPassage(t, everywhere, proxies...)
	p.trust(a)
	if _, err := p.fetch(Way{Key: "ls_0", Place: inGermany}, "https://site.example/"); err != nil {
		t.Fatal(err)
	}
	for _, proxy := range proxies {
		proxy.Die()
	}
	const requests = 1000
	for i := range requests {
		_, err := p.fetch(Way{Key: fmt.Sprint("ls_", i), Place: inGermany}, "https://site.example/")
		if err == nil {
			t.Fatal("it went out")
		}
	}
	fmt.Printf("RESULT E-5.direct %d 0\nRESULT E-5.direct.n %d 1000\n", p.direct.Load(), requests)
	if p.direct.Load() != 0 {
		t.Errorf("%d direct connections", p.direct.Load())
	}
	t.Run("the fence sees what does go out directly", func(t *testing.T) {
		if _, err := p.fetch(Way{}, "https://site.example/"); err == nil || p.direct.Load() == 0 {
			t.Errorf("%v, %d seen", err, p.direct.Load())
		}
	})
}

func TestTheCertificateOfAProxyIsChecked(t *testing.T) {
	a, stranger := newAuthority(t, ""), newAuthority(t, "")
	site, later := newSite(t, a, "site.example"), a.now.AddDate(1, 0, 0)
	accepted, tried := 0, 0
	for name, certificate := range map[string]tls.Certificate{
		"of an unknown authority": stranger.issue(t, "proxy.example", later),
		"that vouches for itself": selfSigned(t, a, "127.0.0.1"),
		"that has expired":        a.issue(t, "proxy.example", a.now.Add(-time.Second)),
	} {
		tried++
		proxy := exittest.Start(t, exittest.Options{
			Scheme: "https", User: "user", Password: "password", Certificate: certificate, To: site,
		})
		p := newPassage(t, everywhere, proxy)
		p.trust(a)
		if _, err := p.fetch(Way{Key: "ls_1", Place: inGermany}, "https://site.example/"); err == nil || len(proxy.Targets()) != 0 {
			accepted++
			t.Errorf("a certificate %s was accepted, %v asked for", name, proxy.Targets())
		}
	}
	fmt.Printf("RESULT E-8.proxy %d 0\nRESULT E-8.proxy.n %d 3\n", accepted, tried)
}
