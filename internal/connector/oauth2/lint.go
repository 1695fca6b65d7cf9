package oauth2

import (
	"maps"
	"slices"
	"strings"
)

// Lint returns what is allowed in a file and yet probably not meant, one
// sentence each, beginning with the field.
func (c *Config) Lint() []string {
	doubts := c.doubts()
	sentences := make([]string, 0, len(doubts))
	for _, doubt := range doubts {
		sentences = append(sentences, doubt.String())
	}
	return sentences
}

// Inspect reads a file as Parse does and returns every mistake and, where there
// is none, every doubt of Lint. Each is a line that begins with the name and
// the line at fault.
func Inspect(name string, text []byte) (mistakes, doubts []string) {
	if _, err := Parse(name, text); err != nil {
		return strings.Split(err.Error(), "\n"), nil
	}
	config, root, _ := readConfig(text) // which has just been possible
	if found := at(root, config.doubts()); found != nil {
		doubts = strings.Split(located(name, found), "\n")
	}
	return nil, doubts
}

// doubts returns what Lint tells.
func (c *Config) doubts() problems {
	var p problems
	p.require(c.Documentation != "", "documentation", "missing: nobody can look up what the file says")
	p.require(c.Logo != "", "logo", "missing: a plain one is shown")
	p.require(len(c.Scopes)+len(c.Permissions) > 0, "scopes", "none are asked for")
	p.require(c.API.BaseURL != "" || c.API.BaseURLFrom.Token != "", "api.base_url", "missing: the proxy can't call the provider")
	p.require(c.RevocationEndpoint != "" || c.Revocation.Unsupported || c.discovers(), "revocation_endpoint", "missing: say revocation.unsupported, if it is")
	p.require(!c.Refresh.Unsupported || len(c.Refresh.Parameters)+len(c.Refresh.DeadErrors) == 0, "refresh", "parameters of what is unsupported")
	p.require(c.Check.URL == "" || c.Check.URL != c.Profile.URL, "check.url", "the same as profile.url, which is asked anyway")
	for _, name := range slices.Sorted(maps.Keys(c.Variables)) {
		p.require(c.Variables[name].Description != "", "variables."+name, "no description: the operator must guess")
	}
	return p
}
