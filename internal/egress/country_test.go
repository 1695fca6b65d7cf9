package egress

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"latchkey"
	"latchkey/internal/latchtest/exittest"
)

func TestCountries(t *testing.T) {
	path := exittest.Database(t, exittest.Networks{
		"203.0.113.0/24": exittest.Record("DE", "BY"), "198.51.100.0/24": exittest.Record("FR", ""), "2001:db8:5::/48": exittest.Record("US", "CA"),
		"192.0.2.0/25": exittest.Record("XK", ""), "192.0.2.128/25": {"registered_country": mmdbtype.Map{"iso_code": mmdbtype.String("DE")}},
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
		other := exittest.Database(t, exittest.Networks{"203.0.113.0/24": {"autonomous_system_number": mmdbtype.Uint32(1)}})
		for _, path := range []string{broken, other, filepath.Join(t.TempDir(), "missing.mmdb")} {
			if _, err := OpenCountries(path); err == nil {
				t.Errorf("%s was taken", path)
			}
		}
	})
}
