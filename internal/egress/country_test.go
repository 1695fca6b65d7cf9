package egress

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"latchkey"
)

// database writes a country database of a few networks and returns its path.
func database(t *testing.T, records map[string]mmdbtype.Map) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "GeoLite2-City", RecordSize: 24, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	for network, record := range records {
		_, parsed, err := net.ParseCIDR(network)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Insert(parsed, record); err != nil {
			t.Fatal(err)
		}
	}
	var content bytes.Buffer
	if _, err := tree.WriteTo(&content); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "country.mmdb")
	if err := os.WriteFile(path, content.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func record(country, part string) mmdbtype.Map {
	entry := mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.String(country)}}
	if part != "" {
		entry["subdivisions"] = mmdbtype.Slice{mmdbtype.Map{"iso_code": mmdbtype.String(part)}}
	}
	return entry
}

func TestCountries(t *testing.T) {
	path := database(t, map[string]mmdbtype.Map{
		"203.0.113.0/24": record("DE", "BY"), "198.51.100.0/24": record("FR", ""), "2001:db8:5::/48": record("US", "CA"),
		"192.0.2.0/25": record("XK", ""), "192.0.2.128/25": {"registered_country": mmdbtype.Map{"iso_code": mmdbtype.String("DE")}},
	})
	countries, err := OpenCountries(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("an address has the country of its network, or none", func(t *testing.T) {
		for text, want := range map[string]*latchkey.Geolocation{
			"203.0.113.9": {Country: "DE", State: "BY"}, "::ffff:203.0.113.9": {Country: "DE", State: "BY"}, "198.51.100.1": {Country: "FR"},
			"2001:db8:5::1": {Country: "US", State: "CA"}, "2001:db8:5::1%eth0": {Country: "US", State: "CA"},
			"10.0.0.1": nil, "192.0.2.1": nil, "192.0.2.129": nil, "2001:db8:6::1": nil,
		} {
			if diff := cmp.Diff(want, countries.Of(netip.MustParseAddr(text))); diff != "" {
				t.Errorf("%s: %s", text, diff)
			}
		}
		if countries.Of(netip.Addr{}) != nil || (*Countries)(nil).Of(netip.MustParseAddr("203.0.113.9")) != nil {
			t.Error("no address, or no database, has a country")
		}
	})
	t.Run("a file without countries is refused", func(t *testing.T) {
		broken := filepath.Join(t.TempDir(), "broken.mmdb")
		if err := os.WriteFile(broken, []byte("no database"), 0o600); err != nil {
			t.Fatal(err)
		}
		other := database(t, map[string]mmdbtype.Map{"203.0.113.0/24": {"autonomous_system_number": mmdbtype.Uint32(1)}})
		for _, path := range []string{broken, other, filepath.Join(t.TempDir(), "missing.mmdb")} {
			if _, err := OpenCountries(path); err == nil {
				t.Errorf("%s was taken", path)
			}
		}
	})
}
