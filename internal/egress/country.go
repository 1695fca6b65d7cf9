package egress

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"

	"github.com/oschwald/maxminddb-golang/v2"

	"latchkey"
)

// maxDatabase bounds a country database, in bytes.
const maxDatabase = 512 << 20

// Countries knows the country of an address. It is nil when the operator has
// no database; then it knows none.
type Countries struct{ reader *maxminddb.Reader }

// OpenCountries reads a database in MaxMind's format that has countries:
// GeoLite2-Country, GeoLite2-City, or another of that shape. It lies in memory,
// so that a file which is replaced under a running server harms nothing.
func OpenCountries(path string) (*Countries, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, maxDatabase+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxDatabase {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxDatabase)
	}
	reader, err := maxminddb.OpenBytes(content)
	if err != nil {
		return nil, fmt.Errorf("%s is no database in MaxMind's format: %w", path, err)
	}
	countries := &Countries{reader}
	if !countries.hasAny() {
		return nil, fmt.Errorf("%s has no countries in it", path)
	}
	return countries, nil
}

// Of returns the country, and the region where the database has it, of an
// address; nil when it does not know.
func (c *Countries) Of(address netip.Addr) *latchkey.Geolocation {
	if c == nil || !address.IsValid() {
		return nil
	}
	place, err := placeOf(c.reader.Lookup(address.Unmap().WithZone("")))
	if err != nil {
		return nil
	}
	return place
}

// hasAny reports whether one of the first networks has a country.
func (c *Countries) hasAny() bool {
	const enough = 10_000
	seen := 0
	for result := range c.reader.Networks() {
		if place, err := placeOf(result); err == nil && place != nil {
			return true
		}
		if seen++; seen > enough {
			break
		}
	}
	return false
}

// placeOf reads a record, of which nothing but the codes is decoded.
func placeOf(result maxminddb.Result) (*latchkey.Geolocation, error) {
	var country, part string
	if err := result.DecodePath(&country, "country", "iso_code"); err != nil {
		return nil, err
	}
	if !latchkey.ValidCountry(country) {
		return nil, errors.New("no country")
	}
	if err := result.DecodePath(&part, "subdivisions", 0, "iso_code"); err != nil || !region.MatchString(part) {
		part = ""
	}
	return &latchkey.Geolocation{Country: country, State: part}, nil
}
