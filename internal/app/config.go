package app

import (
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"time"
)

// Config is what an operator decides. Every field has a usable zero.
type Config struct {
	Listen                string          `yaml:"listen"`                   // address of the API and the pages; default 127.0.0.1:8080
	MetricsListen         string          `yaml:"metrics_listen"`           // address of /metrics; empty: not served
	APIURL                string          `yaml:"api_url"`                  // how apps reach the API; default http:// and Listen
	LinkURL               string          `yaml:"link_url"`                 // how people reach the pages; default APIURL
	Data                  string          `yaml:"data"`                     // folder of the database and the key; default ./latchkey-data
	DatabaseURL           string          `yaml:"database_url"`             // empty: SQLite in Data; else postgres://…
	DatabaseURLFile       string          `yaml:"database_url_file"`        // file that holds the database URL, in its place
	DatabaseDirectURL     string          `yaml:"database_direct_url"`      // the server itself, where database_url leads to a pooler
	DatabaseDirectURLFile string          `yaml:"database_direct_url_file"` // file that holds that URL, in its place
	DatabaseConnections   int             `yaml:"database_connections"`     // to PostgreSQL, at most; default 32
	KeyFile               string          `yaml:"key_file"`                 // key of the vault; default vault.key in Data
	KMS                   KMS             `yaml:"kms"`                      // wraps in the place of the key file
	AnchorFile            string          `yaml:"anchor_file"`              // remembers how far the database was, apart from it; empty: nothing does
	Recipes               []string        `yaml:"recipes"`                  // files of providers described by recipes
	Providers             []OAuthProvider `yaml:"providers"`                // where people log in at the provider's own page
	Limits                Limits          `yaml:"limits"`                   // how much callers and addresses may ask
	TrustedProxies        []string        `yaml:"trusted_proxies"`          // CIDRs whose X-Forwarded-For is believed; empty: nobody's
	Egress                Egress          `yaml:"egress"`                   // the ways out of the building
	Webhooks              Webhooks        `yaml:"webhooks"`                 // how fast endpoints are sent to
	Retention             Retention       `yaml:"retention"`                // how long what is over is kept
	Journal               string          `yaml:"revocation_journal"`       // file of what was revoked; default revocations.log in Data
	DrainDelay            time.Duration   `yaml:"drain_delay"`              // from the end of readiness to the closed door; default 0s, at most 10s
	LogFormat             string          `yaml:"log_format"`               // json (default) or text
	LogLevel              string          `yaml:"log_level"`                // debug, info (default), warn or error

	// Development allows plain http and loopback addresses as providers and
	// webhook endpoints. Only `latchkey dev` sets it.
	Development bool `yaml:"-"`

	// Unfinished opens a database that is being restored, which nobody serves.
	Unfinished bool `yaml:"-"`
}

// ReadConfig reads a YAML file.
func ReadConfig(path string) (Config, error) {
	var config Config
	if err := readYAML(path, &config); err != nil {
		return config, fmt.Errorf("read configuration: %w", err)
	}
	return config, nil
}

// complete fills in defaults and refuses what can't work.
func (c Config) complete() (Config, error) {
	if c.Listen == "" {
		c.Listen = "127.0.0.1:8080"
	}
	if c.APIURL == "" {
		c.APIURL = "http://" + c.Listen
	}
	if c.LinkURL == "" {
		c.LinkURL = c.APIURL
	}
	if c.Data == "" {
		c.Data = "latchkey-data"
	}
	if c.KeyFile == "" {
		c.KeyFile = filepath.Join(c.Data, "vault.key")
	}
	if c.Journal == "" {
		c.Journal = filepath.Join(c.Data, "revocations.log")
	}
	if err := c.Retention.check(); err != nil {
		return c, err
	}
	for _, base := range []struct { // in this order: the default of link_url is api_url, and not to blame for it
		name  string
		value *string
	}{{"api_url", &c.APIURL}, {"link_url", &c.LinkURL}} {
		*base.value = strings.TrimSuffix(*base.value, "/")
		if err := checkBase(base.name, *base.value); err != nil {
			return c, err
		}
	}
	if err := c.completeDatabase(); err != nil {
		return c, err
	}
	if _, err := c.trusted(); err != nil {
		return c, err
	}
	if c.DrainDelay < 0 || c.DrainDelay > maxDrainDelay {
		return c, fmt.Errorf("drain_delay must be from 0s to %v", maxDrainDelay)
	}
	if _, err := c.Egress.exits(); err != nil {
		return c, err
	}
	if err := c.Webhooks.check(); err != nil {
		return c, err
	}
	c.Limits = c.Limits.complete(c.Development)
	return c, nil
}

// trusted returns TrustedProxies as networks.
func (c Config) trusted() ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for i, text := range c.TrustedProxies {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("trusted_proxies: entry %d must be like 10.0.0.0/8", i+1)
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}

// checkBase wants scheme and host, and perhaps a path.
func checkBase(name, value string) error {
	base, err := url.Parse(value)
	if err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" || base.User != nil ||
		base.RawQuery != "" || base.Fragment != "" {
		return fmt.Errorf("%s must be like https://link.example.com", name)
	}
	return nil
}
