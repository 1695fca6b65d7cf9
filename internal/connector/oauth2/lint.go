package oauth2

import "fmt"

// Lint returns what is allowed in a file and yet probably not meant, one
// sentence each, beginning with the field.
func (c *Config) Lint() []string {
	var p problems
	p.require(c.Documentation != "", "documentation", "missing: nobody can look up what the file says")
	p.require(c.Logo != "", "logo", "missing: a plain one is shown")
	p.require(len(c.Scopes)+len(c.Permissions) > 0, "scopes", "none are asked for")
	p.require(c.API.BaseURL != "" || c.API.BaseURLFrom.Token != "", "api.base_url", "missing: the proxy can't call the provider")
	p.require(c.RevocationEndpoint != "" || c.Revocation.Unsupported || c.discovers(), "revocation_endpoint", "missing: say revocation.unsupported, if it is")
	p.require(!c.Refresh.Unsupported || len(c.Refresh.Parameters)+len(c.Refresh.DeadErrors) == 0, "refresh", "parameters of what is unsupported")
	p.require(c.Check.URL == "" || c.Check.URL != c.Profile.URL, "check.url", "the same as profile.url, which is asked anyway")
	for name, variable := range c.Variables {
		p.require(variable.Description != "", "variables."+name, "no description: the operator must guess")
	}
	sentences := make([]string, 0, len(p))
	for _, problem := range p {
		sentences = append(sentences, fmt.Sprintf("%s: %s", problem.field, problem.text))
	}
	return sentences
}
