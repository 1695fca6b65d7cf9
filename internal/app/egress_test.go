package app_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/internal/app"
	"latchkey/internal/latchtest/exittest"
)

func TestExitsThatCanNotWorkStopTheStart(t *testing.T) {
	const good = "https://user:hunter2@proxy.example:8443"
	of := func(second app.EgressProxy) app.Egress {
		return app.Egress{Proxies: []app.EgressProxy{{URL: good, Country: "DE"}, second}}
	}
	empty := write(t, "empty", "")
	for rule, settings := range map[string]app.Egress{
		"egress.proxies: entry 2: url must begin with":       of(app.EgressProxy{URL: "ftp://user:hunter2@proxy.example:21", Country: "DE"}),
		"egress.proxies: entry 2: url must name a port":      of(app.EgressProxy{URL: "https://user:hunter2@proxy.example", Country: "DE"}),
		"egress.proxies: entry 2: country must be":           of(app.EgressProxy{URL: "http://proxy.example:1", Country: "UK"}),
		"egress.proxies: entry 2: region must be":            of(app.EgressProxy{URL: "http://proxy.example:1", Country: "DE", Region: "Bavaria"}),
		"egress.proxies: entry 2: weight must be":            of(app.EgressProxy{URL: "http://proxy.example:1", Country: "DE", Weight: 1001}),
		"egress.proxies: entry 2: check must be":             of(app.EgressProxy{URL: "http://proxy.example:1", Country: "DE", Check: "www.example.com"}),
		"egress.proxies: entry 2: needs a name":              of(app.EgressProxy{URL: good, Country: "FR"}),
		"egress.proxies: entry 2: set url or url_file":       of(app.EgressProxy{URL: good, URLFile: empty, Country: "FR"}),
		"egress.proxies: entry 2: read url_file":             of(app.EgressProxy{URLFile: filepath.Join(t.TempDir(), "none"), Country: "FR"}),
		"egress.proxies: entry 2: url must be like https://": of(app.EgressProxy{URLFile: empty, Country: "FR"}),
		"egress.no_proxy_for_country must be":                {NoProxyForCountry: "perhaps"},
		"egress.country_database: ":                          {CountryDatabase: empty},
		"egress.check_every must be":                         {CheckEvery: 1},
		"egress.ports must be":                               {Ports: []int{443, 0}},
	} {
		if text := refused(t, app.Config{Egress: settings}); !strings.HasPrefix(text, rule) || strings.Contains(text, "hunter2") {
			t.Errorf("it says %q, want %s…", text, rule)
		}
	}
}

// The configuration of the documents starts, and says without credentials what
// its exits are.
func TestTheExitsOfTheDocuments(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "operate.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Exits by country\n")
	_, block, _ := strings.Cut(section, "```yaml\n")
	block, _, found := strings.Cut(block, "```")
	if !found {
		t.Fatal("the configuration is gone")
	}
	secret := write(t, "exit-us", "socks5://user:hunter2@us.proxy.example:1080\n")
	database := exittest.Database(t, exittest.Networks{"203.0.113.0/24": exittest.Record("DE", "BY")})
	block = strings.NewReplacer("/run/secrets/exit-us", secret, "/var/lib/latchkey/GeoLite2-City.mmdb", database).Replace(block)
	config, err := app.ReadConfig(write(t, "latchkey.yaml", block))
	if err != nil {
		t.Fatal(err)
	}
	if len(config.Egress.Proxies) < 3 || !strings.Contains(block, secret) || !strings.Contains(block, database) {
		t.Fatal("the configuration shows too little")
	}
	var log strings.Builder
	config.Data = filepath.Join(t.TempDir(), "data")
	latch, err := app.New(t.Context(), config, app.Parts{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	stop(t, latch)
	for _, want := range []string{"DE-BY https://", "US socks5://us.proxy.example:1080", "no_proxy_for_country=refuse", "country_database=true"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not tell %s:\n%s", want, log.String())
		}
	}
	if strings.Contains(log.String(), "hunter2") || strings.Contains(log.String(), "password") {
		t.Error("a credential is in the log")
	}
}
