package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"latchkey"
	"latchkey/internal/app"
)

// write makes a file of the test's own and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadConfig(t *testing.T) {
	t.Run("every key of a file is read", func(t *testing.T) {
		got, err := app.ReadConfig(write(t, "latchkey.yaml", `
listen: 127.0.0.1:1
metrics_listen: 127.0.0.1:2
api_url: https://api.example.com
link_url: https://link.example.com
data: /data
database_url: postgres://db.example.com/latchkey
database_url_file: /run/url
database_direct_url: postgres://direct.example.com/latchkey
database_direct_url_file: /run/direct
database_connections: 16
key_file: /run/key
kms: {url: "https://kms.example:8200", mount: keys, key: acme, token_file: /run/token, ca_file: /run/ca.pem, timeout: 2s}
anchor_file: /mnt/anchor.json
recipes: [/one.yaml, /two.yaml]
providers:
  - {id: github, client_id: abc, client_secret: s3cret, variables: {tenant: acme}, environments: [live, sandbox]}
  - {file: /three.yaml, client_id: def, client_secret_file: /run/secret, private_key_file: /run/key.pem, key_id: k1}
limits: {requests_per_key: 6000, misses_per_address: 5, attempts_per_address: -1, requests_at_once: 7, logins_at_once: 8, calls_at_once: 9, writes_at_once: 10}
trusted_proxies: [10.0.0.0/8, "fd00::/8"]
egress:
  ports: [443, 8443]
  no_proxy_for_country: direct
  country_database: /run/country.mmdb
  check_every: 45s
  proxies:
    - {name: de-1, url: "http://u:p@proxy.example:1", country: DE, region: BY, weight: 2, check: "www.example.com:443"}
    - {url_file: /run/proxy, country: US}
webhooks: {rate: 50}
drain_delay: 3s
retention: {sessions: 7d, events: 36h, deliveries: forever, audit: 400d}
revocation_journal: /other/revocations.log
log_format: text
log_level: warn
`))
		if err != nil {
			t.Fatal(err)
		}
		want := app.Config{
			Listen: "127.0.0.1:1", MetricsListen: "127.0.0.1:2", APIURL: "https://api.example.com",
			LinkURL: "https://link.example.com", Data: "/data", DatabaseURL: "postgres://db.example.com/latchkey",
			DatabaseURLFile: "/run/url", DatabaseDirectURL: "postgres://direct.example.com/latchkey",
			DatabaseDirectURLFile: "/run/direct", DatabaseConnections: 16, KeyFile: "/run/key",
			KMS: app.KMS{
				URL: "https://kms.example:8200", Mount: "keys", Key: "acme", TokenFile: "/run/token", CAFile: "/run/ca.pem", Timeout: 2 * time.Second,
			},
			AnchorFile: "/mnt/anchor.json", Recipes: []string{"/one.yaml", "/two.yaml"},
			Providers: []app.OAuthProvider{
				{ID: "github", ClientID: "abc", Variables: map[string]string{"tenant": "acme"},
					Environments: []latchkey.Environment{latchkey.Live, latchkey.Sandbox}},
				{File: "/three.yaml", ClientID: "def", ClientSecretFile: "/run/secret", PrivateKeyFile: "/run/key.pem", KeyID: "k1"},
			},
			Limits: app.Limits{KeyPerMinute: 6000, MissesPerAddress: 5, AttemptsPerAddress: -1,
				RequestsAtOnce: 7, LoginsAtOnce: 8, CallsAtOnce: 9, WritesAtOnce: 10},
			TrustedProxies: []string{"10.0.0.0/8", "fd00::/8"},
			Egress: app.Egress{
				Ports: []int{443, 8443}, NoProxyForCountry: "direct", CountryDatabase: "/run/country.mmdb", CheckEvery: 45 * time.Second,
				Proxies: []app.EgressProxy{
					{Name: "de-1", URL: "http://u:p@proxy.example:1", Country: "DE", Region: "BY", Weight: 2, Check: "www.example.com:443"},
					{URLFile: "/run/proxy", Country: "US"},
				},
			},
			Retention: app.Retention{
				Sessions: app.Span(7 * 24 * time.Hour), Events: app.Span(36 * time.Hour), Deliveries: -1, Audit: app.Span(400 * 24 * time.Hour),
			},
			Webhooks: app.Webhooks{Rate: 50}, Journal: "/other/revocations.log", DrainDelay: 3 * time.Second, LogFormat: "text", LogLevel: "warn",
		}
		if secret := got.Providers[0].ClientSecret; string(secret.Reveal()) != "s3cret" || strings.Contains(fmt.Sprint(got), "s3cret") {
			t.Error("the client secret is not read, or printed")
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreTypes(latchkey.Secret{})); diff != "" {
			t.Error(diff)
		}
		value := reflect.ValueOf(got)
		for i := range value.NumField() {
			if field := value.Type().Field(i); field.Tag.Get("yaml") != "-" && value.Field(i).IsZero() {
				t.Errorf("this test forgets %s", field.Name)
			}
		}
	})
	t.Run("an empty file is every default", func(t *testing.T) {
		got, err := app.ReadConfig(write(t, "latchkey.yaml", "# nothing\n"))
		if diff := cmp.Diff(app.Config{}, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
	for name, text := range map[string]string{
		"an unknown key":            "lisen: 127.0.0.1:1\n",
		"a key that stands twice":   "listen: 127.0.0.1:1\nlisten: 127.0.0.1:2\n",
		"a development setting":     "development: true\n",
		"a list where a text is":    "listen: [127.0.0.1:1]\n",
		"something that is no YAML": "listen: 'unfinished\n",
	} {
		t.Run(name+" is refused, with the file's name", func(t *testing.T) {
			path := write(t, "latchkey.yaml", text)
			if _, err := app.ReadConfig(path); err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("a file that is not there is refused", func(t *testing.T) {
		if _, err := app.ReadConfig(filepath.Join(t.TempDir(), "none.yaml")); err == nil {
			t.Error("no error")
		}
	})
}

// The table of keys that operators read is the one that is read.
func TestTheConfigurationIsDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "operate.md"))
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for i := range reflect.TypeFor[app.Config]().NumField() {
		if key := reflect.TypeFor[app.Config]().Field(i).Tag.Get("yaml"); key != "-" {
			want = append(want, key)
		}
	}
	_, table, _ := strings.Cut(string(text), "| key | meaning | default |\n|---|---|---|\n")
	for line := range strings.Lines(table) {
		key, ok := strings.CutPrefix(line, "| `")
		if !ok {
			break
		}
		key, _, _ = strings.Cut(key, "`")
		got = append(got, key)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
