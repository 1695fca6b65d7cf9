package egress

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"

	"latchkey"
)

// Exit is a proxy of the operator's, through which what belongs to one country
// goes out. Its address may be a private one.
type Exit struct {
	Name    string   // in the log, the metrics and the store; empty: host and port
	Proxy   *url.URL // http, https or socks5, with user and password where it wants them
	Country string   // ISO 3166-1 alpha-2
	Region  string   // the part of ISO 3166-2 after the dash; may be empty
	Weight  int      // its share among the exits of its country; 0: 1
	Check   string   // host:port that a health check opens a tunnel to; empty: the check ends at the proxy
}

// MaxExits bounds how many exits there may be.
const MaxExits = 1000

const (
	maxWeight     = 1000
	maxCredential = 255 // bytes of a user name or password (RFC 1929, section 2)
)

var (
	region   = regexp.MustCompile(`^[A-Z0-9]{1,3}$`)
	exitName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:\[\]-]{0,99}$`)
)

// ParseProxy reads the URL of a proxy. Its error tells the rule that is broken
// and repeats nothing: a credential may be in it.
func ParseProxy(raw string) (*url.URL, error) {
	proxy, err := url.Parse(raw)
	if err != nil || proxy.Opaque != "" || proxy.Hostname() == "" {
		return nil, errors.New("url must be like https://user:password@proxy.example:8443")
	}
	if !slices.Contains([]string{"http", "https", "socks5"}, proxy.Scheme) {
		return nil, errors.New("url must begin with http://, https:// or socks5://")
	}
	if port, err := strconv.ParseUint(proxy.Port(), 10, 16); err != nil || port == 0 {
		return nil, errors.New("url must name a port")
	}
	if (proxy.Path != "" && proxy.Path != "/") || proxy.RawQuery != "" || proxy.Fragment != "" {
		return nil, errors.New("url must end with the port")
	}
	if proxy.User != nil {
		password, given := proxy.User.Password()
		if name := proxy.User.Username(); name == "" || !given || password == "" || len(name) > maxCredential || len(password) > maxCredential {
			return nil, errors.New("url must have a user name and a password of 1 to 255 bytes, or neither")
		}
	}
	return proxy, nil
}

// CompleteExits returns the list with its defaults. It refuses one that can't
// work, by the number of the entry, from 1, and what is wrong with it.
func CompleteExits(exits []Exit) ([]Exit, error) {
	if len(exits) > MaxExits {
		return nil, fmt.Errorf("there are more than %d entries", MaxExits)
	}
	exits = slices.Clone(exits)
	entries := map[string]int{}
	for i := range exits {
		if exits[i].Proxy != nil && exits[i].Name == "" {
			exits[i].Name = exits[i].Proxy.Host
		}
		exits[i].Weight = cmp.Or(exits[i].Weight, 1)
		if err := exits[i].validate(); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
		if first := entries[exits[i].Name]; first != 0 {
			return nil, fmt.Errorf("entry %d: needs a name of its own: entry %d has the same name, or host and port", i+1, first)
		}
		entries[exits[i].Name] = i + 1
	}
	return exits, nil
}

func (x Exit) validate() error {
	switch {
	case x.Proxy == nil:
		return errors.New("url is missing")
	case !exitName.MatchString(x.Name):
		return errors.New("name must have 1 to 100 letters, digits, dots, colons and hyphens")
	case !latchkey.ValidCountry(x.Country):
		return errors.New("country must be an ISO 3166-1 alpha-2 code in capitals")
	case x.Region != "" && !region.MatchString(x.Region):
		return errors.New("region must be the part of an ISO 3166-2 code after the dash")
	case x.Weight < 1 || x.Weight > maxWeight:
		return fmt.Errorf("weight must be 1 to %d", maxWeight)
	}
	if x.Check != "" {
		host, port, err := net.SplitHostPort(x.Check)
		if number, err2 := strconv.ParseUint(port, 10, 16); err != nil || err2 != nil || number == 0 || host == "" {
			return errors.New("check must be like www.example.com:443")
		}
	}
	_, err := ParseProxy(x.Proxy.String())
	return err
}

// String tells the exit without its credentials.
func (x Exit) String() string {
	if x.Proxy == nil {
		return x.Name
	}
	return fmt.Sprintf("%s (%s %s://%s)", x.Name, x.place(), x.Proxy.Scheme, x.Proxy.Host)
}

// LogValue is String, for a log.
func (x Exit) LogValue() slog.Value { return slog.StringValue(x.String()) }

func (x Exit) place() string {
	if x.Region != "" {
		return x.Country + "-" + x.Region
	}
	return x.Country
}

// ExitStatus is how an exit does.
type ExitStatus struct {
	Exit
	Up       bool
	Tunnels  uint64    // that were opened through it
	Failures uint64    // of the exit itself
	Since    time.Time // of Up
}
