package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"latchkey"
	"latchkey/internal/egress"
	"latchkey/internal/jobs"
)

// Egress says which ways lead out of the building.
type Egress struct {
	Ports []int `yaml:"ports"` // that may be connected to; default 443

	Proxies           []EgressProxy `yaml:"proxies"`              // the exits by country; none: everything goes out directly
	NoProxyForCountry string        `yaml:"no_proxy_for_country"` // refuse (default) or direct: what is for a country without any
	CountryDatabase   string        `yaml:"country_database"`     // file in MaxMind's format; empty: nobody's country is looked up
	CheckEvery        time.Duration `yaml:"check_every"`          // between looks at a proxy that works; default 30s
}

// EgressProxy is an exit of one country.
type EgressProxy struct {
	Name    string `yaml:"name"`     // in the log and the metrics; default host and port
	URL     string `yaml:"url"`      // http, https or socks5, with user and password if it wants them
	URLFile string `yaml:"url_file"` // file that holds the URL, in its place
	Country string `yaml:"country"`  // ISO 3166-1 alpha-2
	Region  string `yaml:"region"`   // the part of ISO 3166-2 after the dash
	Weight  int    `yaml:"weight"`   // its share among the proxies of its country; default 1
	Check   string `yaml:"check"`    // host:port that a health check goes to through it; empty: it ends at the proxy
}

const (
	minCheckEvery = time.Second
	checkExits    = time.Second // between looks for exits whose check is due
)

// exits returns the list as egress takes it. Its errors name the entry, from 1,
// and repeat nothing of a URL.
func (e Egress) exits() ([]egress.Exit, error) {
	switch e.NoProxyForCountry {
	case "", "refuse", "direct":
	default:
		return nil, errors.New("egress.no_proxy_for_country must be refuse or direct")
	}
	if e.CheckEvery != 0 && e.CheckEvery < minCheckEvery {
		return nil, errors.New("egress.check_every must be at least 1s")
	}
	for _, port := range e.Ports {
		if port < 1 || port > 65535 {
			return nil, errors.New("egress.ports must be numbers from 1 to 65535")
		}
	}
	list := make([]egress.Exit, len(e.Proxies))
	for i, settings := range e.Proxies {
		exit, err := settings.exit()
		if err != nil {
			return nil, fmt.Errorf("egress.proxies: entry %d: %w", i+1, err)
		}
		list[i] = exit
	}
	list, err := egress.CompleteExits(list)
	if err != nil {
		return nil, fmt.Errorf("egress.proxies: %w", err)
	}
	return list, nil
}

func (p EgressProxy) exit() (egress.Exit, error) {
	raw, err := p.read()
	if err != nil {
		return egress.Exit{}, err
	}
	proxy, err := egress.ParseProxy(raw)
	if err != nil {
		return egress.Exit{}, err
	}
	return egress.Exit{
		Name: p.Name, Proxy: proxy, Country: p.Country, Region: p.Region, Weight: p.Weight, Check: p.Check,
	}, nil
}

// read returns the URL, from wherever it is.
func (p EgressProxy) read() (string, error) {
	if p.URLFile == "" {
		return p.URL, nil
	}
	if p.URL != "" {
		return "", errors.New("set url or url_file, not both")
	}
	text, err := readBounded(p.URLFile, maxSecretFile)
	if err != nil {
		return "", fmt.Errorf("read url_file: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// buildEgress makes the ways out, and tells the operator what they are.
func (a *App) buildEgress() error {
	settings := a.config.Egress
	list, err := settings.exits()
	if err != nil {
		return err
	}
	if settings.CountryDatabase != "" {
		if a.countries, err = egress.OpenCountries(settings.CountryDatabase); err != nil {
			return fmt.Errorf("egress.country_database: %w", err)
		}
	}
	config := egress.Config{
		AllowLoopback: a.config.Development, AllowedPorts: settings.Ports, Self: a.config.self(),
		Exits: list, DirectWithoutExit: settings.NoProxyForCountry == "direct",
		Timeouts: egress.Timeouts{Checks: settings.CheckEvery}, Now: a.parts.Now, Logger: a.parts.Log,
	}
	if a.parts.Outside != nil {
		config = a.parts.Outside(config)
	}
	a.egress = egress.New(config)
	for _, status := range a.egress.Exits() {
		a.parts.Log.Info("exit", "exit", status.Exit, "weight", status.Weight)
	}
	if len(list) > 0 {
		a.parts.Log.Info("exits", slog.Int("count", len(list)),
			slog.String("no_proxy_for_country", cmp.Or(settings.NoProxyForCountry, "refuse")),
			slog.Bool("country_database", a.countries != nil))
	}
	a.metrics.registry.MustRegister(exitMetrics{a.egress})
	return nil
}

// self returns what this server itself listens on. A host without an address
// is of no use here: what it stands for is judged like any other.
func (c Config) self() []netip.AddrPort {
	var own []netip.AddrPort
	for _, address := range []string{c.Listen, c.MetricsListen} {
		host, text, err := net.SplitHostPort(address)
		port, unread := strconv.ParseUint(text, 10, 16)
		if err != nil || unread != nil {
			continue
		}
		if host == "" {
			host = "::" // every address of this machine
		}
		if parsed, err := netip.ParseAddr(host); err == nil {
			own = append(own, netip.AddrPortFrom(parsed.Unmap(), uint16(port)))
		}
	}
	return own
}

// exitChecks is the loop that looks after the exits.
func (a *App) exitChecks() lifecycle {
	return jobs.NewTicker(jobs.TickerConfig{
		Name: "exit checks", Every: checkExits, Log: a.parts.Log, Now: a.parts.Now,
		Do: func(ctx context.Context) error {
			a.egress.CheckExits(ctx)
			return nil
		},
	})
}

// wayOfSession is where a session goes out: in the sandbox directly.
func wayOfSession(session *latchkey.LinkSession) egress.Way {
	if session.Environment == latchkey.Sandbox {
		return egress.Way{}
	}
	return egress.Way{
		Key: session.ID, Place: session.Place(), Exit: cmp.Or(session.Progress.Exit, session.Request.Exit),
	}
}

// wayOfConnection is where a connection goes out: by the exit of its login.
func wayOfConnection(connection latchkey.Connection) egress.Way {
	if connection.Environment == latchkey.Sandbox {
		return egress.Way{}
	}
	return egress.Way{
		Key: cmp.Or(connection.SessionID, connection.ID), Place: connection.Geolocation, Exit: connection.Exit,
	}
}

// exits are the ways out as the room of links asks for them.
type exits struct{ *App }

// Serves reports whether what is for a country can go out at all.
func (e exits) Serves(country string) bool { return e.egress.Serves(country) }

// Locate returns the country of an address, or of the network that it is told
// as; nil when no exit would be chosen by it.
func (e exits) Locate(address string) *latchkey.Geolocation {
	if len(e.config.Egress.Proxies) == 0 {
		return nil
	}
	if network, err := netip.ParsePrefix(address); err == nil {
		return e.countries.Of(network.Addr())
	}
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return nil
	}
	return e.countries.Of(parsed)
}

// Choose returns the exit that a session takes now.
func (e exits) Choose(session *latchkey.LinkSession) (string, error) {
	return e.egress.Choose(wayOfSession(session))
}
