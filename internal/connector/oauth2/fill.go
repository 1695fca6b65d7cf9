package oauth2

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// filling is a place in a text that a variable fills.
var filling = regexp.MustCompile(`\{\{([^{}]*)\}\}`)

// checkPlaces reports a place for which there is no variable.
func (c *Config) checkPlaces(text string) error {
	for _, place := range filling.FindAllStringSubmatch(text, -1) {
		if _, ok := c.Variables[place[1]]; !ok && place[1] != "client_id" {
			return fmt.Errorf("there is no variable %q", place[1])
		}
	}
	return nil
}

// endpoints are the addresses of the authorization server, by their keys.
func (c *Config) endpoints() map[string]*string {
	return map[string]*string{
		"issuer":                                &c.Issuer,
		"authorization_endpoint":                &c.AuthorizationEndpoint,
		"token_endpoint":                        &c.TokenEndpoint,
		"userinfo_endpoint":                     &c.UserinfoEndpoint,
		"revocation_endpoint":                   &c.RevocationEndpoint,
		"jwks_uri":                              &c.JWKSURI,
		"pushed_authorization_request_endpoint": &c.PushedAuthorizationRequestEndpoint,
	}
}

// addresses are all URLs that requests are sent to, by their fields.
func (c *Config) addresses() map[string]*string {
	all := c.endpoints()
	all["refresh.endpoint"] = &c.Refresh.Endpoint
	all["profile.url"] = &c.Profile.URL
	all["check.url"] = &c.Check.URL
	all["api.base_url"] = &c.API.BaseURL
	return all
}

// parameters are all maps in whose values variables may stand.
func (c *Config) parameters() iter.Seq[*map[string]string] {
	return slices.Values([]*map[string]string{
		&c.AuthorizationParameters, &c.Token.Headers, &c.Token.Parameters, &c.Refresh.Parameters,
		&c.Profile.Headers, &c.Check.Headers, &c.API.Headers,
	})
}

// fill returns the file with its variables filled in. It shares nothing that
// it changes.
func (c Config) fill(clientID string, given map[string]string) (Config, error) {
	values := map[string]string{"client_id": clientID}
	for name, variable := range c.Variables {
		value := given[name]
		if value == "" {
			value = variable.Default
		}
		if !valuePattern.MatchString(value) {
			return Config{}, fmt.Errorf("variable %s: want 1 to 253 letters, digits and . _ : -", name)
		}
		values[name] = value
	}
	for name := range given {
		if _, ok := c.Variables[name]; !ok {
			return Config{}, fmt.Errorf("variable %s: the provider has none of that name", name)
		}
	}
	put := func(text string, escape func(string) string) string {
		return filling.ReplaceAllStringFunc(text, func(place string) string { return escape(values[place[2:len(place)-2]]) })
	}
	c.Domain, _, _ = strings.Cut(strings.ToLower(put(c.Domain, func(value string) string { return value })), ":") // without a port
	for _, address := range c.addresses() {
		*address = put(*address, url.PathEscape)
	}
	for parameters := range c.parameters() {
		own := maps.Clone(*parameters)
		for name, value := range own {
			own[name] = put(value, func(value string) string { return value })
		}
		*parameters = own
	}
	return c, nil
}

// safeURL refuses what requests must not be sent to: anything but https with a
// host, or http to this machine where that is allowed.
func safeURL(target *url.URL, loopback bool) error {
	switch {
	case target.Hostname() == "" || target.Opaque != "":
		return errors.New("want an absolute URL")
	case target.User != nil:
		return errors.New("a URL has no user and no password")
	case target.Fragment != "":
		return errors.New("want no fragment")
	case target.Scheme == "https", target.Scheme == "http" && loopback && isLoopback(target.Hostname()):
		return nil
	}
	return errors.New("want https")
}

// isLoopback reports whether the host is this machine.
func isLoopback(host string) bool {
	address := net.ParseIP(host)
	return host == "localhost" || (address != nil && address.IsLoopback())
}

// checkAddresses refuses addresses that must not be asked, now that they are
// complete.
func (c *Config) checkAddresses(loopback bool) error {
	for field, address := range c.addresses() {
		if *address == "" || (field == "api.base_url" && c.API.BaseURLFrom.Token != "") {
			continue
		}
		target, err := url.Parse(*address)
		if err != nil {
			return fmt.Errorf("%s: not a URL", field)
		}
		if err := safeURL(target, loopback); err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
	}
	return nil
}
