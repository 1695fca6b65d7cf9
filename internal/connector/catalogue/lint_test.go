package catalogue_test

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/connector/catalogue"
	"latchkey/internal/connector/oauth2"
)

// excused are the sentences of the engine's own lint that a provider may earn,
// and why.
var excused = map[string]string{
	"apple api.base_url": "has no API",
	"clickup scopes":     "none there",
	"intercom scopes":    "set at the provider",
	"naver scopes":       "set at the provider",
	"notion scopes":      "set at the provider",
	"soundcloud scopes":  "none there",
	"trakt scopes":       "none there",
}

// bare are the providers that refuse a protection that all others are given,
// and what a quirk must then speak of.
var bare = map[string][]string{
	"facebook": {"PKCE"},
	"linkedin": {"PKCE", "nonce"},
	"notion":   {"PKCE"},
	"slack":    {"PKCE"},
	"square":   {"PKCE"},
	"stripe":   {"PKCE"},
	"threads":  {"PKCE"},
}

func TestEveryFileIsSound(t *testing.T) {
	ids := catalogue.IDs()
	fmt.Printf("RESULT catalogue.providers %d 44\n", len(ids))
	if len(ids) < 44 || !slices.IsSorted(ids) {
		t.Errorf("%d providers: %v", len(ids), ids)
	}
	names := map[string]string{}
	for _, id := range ids {
		config, found := catalogue.Find(id)
		if !found || config.ID != id {
			t.Errorf("%s.yaml describes %q", id, config.ID)
		}
		if other := names[strings.ToLower(config.Name)]; other != "" {
			t.Errorf("%s and %s have one name", id, other)
		}
		names[strings.ToLower(config.Name)] = id
		for _, fault := range faults(&config) {
			t.Errorf("%s.yaml: %s", id, fault)
		}
	}
	for id := range domains {
		if _, found := catalogue.Find(id); !found {
			t.Errorf("%s has domains and no file", id)
		}
	}
}

func TestAnUnsoundFileIsFound(t *testing.T) {
	github, _ := catalogue.Text("github")
	linkedin, _ := catalogue.Text("linkedin")
	for name, planted := range map[string]struct {
		text     []byte
		old, new string
		want     string
	}{
		"a token that goes to a stranger":   {github, "https://github.com/login/oauth/access_token", "https://github.example/login", "token_endpoint: github.example is not the provider's"},
		"a domain that only looks like it":  {github, "https://api.github.com/user", "https://api.notgithub.com/user", "profile.url: api.notgithub.com is not the provider's"},
		"a host for the API of a stranger":  {github, "  base_url: https://api.github.com", "  base_url_from: {token: $.api, domains: [example.com]}", "api.base_url_from: example.com is not"},
		"documentation of somebody else":    {github, "https://docs.github.com/", "https://blog.example/", "documentation: blog.example is not the provider's"},
		"clear text on this machine":        {github, "https://api.github.com/user", "http://localhost/user", "profile.url: want https"},
		"a secret in a URL":                 {github, "/user\n", "/user?client_secret=x\n", "profile.url: client_secret in the query"},
		"a permission of another name":      {github, `"email:read"`, `"mails:read"`, "permissions: mails:read is not a known name"},
		"no profile:read":                   {github, `"profile:read": ["read:user"]`, `"files:read": ["read:user"]`, "permissions: profile:read is missing"},
		"no word on revocation":             {github, "revocation_endpoint:", "userinfo_endpoint:", "revocation_endpoint: missing"},
		"no documentation":                  {github, "documentation:", "pushed_authorization_request_endpoint:", "documentation: missing"},
		"no client authentication":          {github, "client_authentication: client_secret_basic\n", "", "client_authentication: missing"},
		"a client that is not told apart":   {github, "client_secret_basic", "none", "client_authentication: missing"},
		"PKCE left out for no reason":       {github, "client_secret_basic\n", "client_secret_basic\npkce: unsupported\n", "pkce: "},
		"an ID token ignored for no reason": {github, "client_secret_basic\n", "client_secret_basic\nid_token: ignored\n", "id_token: "},
		"PKCE left out and no quirk":        {linkedin, "verifier of PKCE", "verifier", "quirks: nothing is said of PKCE"},
		"no quirks":                         {github, "quirks:", "environments: [live]\nsubject_quirks:", "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(string(planted.text), planted.old, planted.new, 1)
			if text == string(planted.text) {
				t.Fatal("nothing was planted")
			}
			config, err := oauth2.Parse("planted.yaml", []byte(text))
			found := faults(&config)
			if err != nil {
				found = []string{err.Error()}
			}
			if !slices.ContainsFunc(found, func(fault string) bool { return strings.Contains(fault, planted.want) }) {
				t.Errorf("found %q, want %s", found, planted.want)
			}
		})
	}
}

// faults returns what is wrong with a file of the catalogue.
func faults(c *oauth2.Config) []string {
	var found []string
	report := func(holds bool, format string, arguments ...any) {
		if !holds {
			found = append(found, fmt.Sprintf(format, arguments...))
		}
	}
	for _, sentence := range c.Lint() {
		field, _, _ := strings.Cut(sentence, ":")
		report(field == "logo" || excused[c.ID+" "+field] != "", "%s", sentence)
	}
	found = append(found, addressFaults(c)...)
	report(c.Logo == "", "logo: trademarks are not copied")
	report(len(c.Quirks) > 0, "quirks: none")
	report(c.Issuer != "" && c.TokenEndpoint == "" || c.ClientAuthentication != "" && c.ClientAuthentication != "none",
		"client_authentication: missing")
	said := strings.Join(c.Quirks, "\n")
	report((c.PKCE == "") == !slices.Contains(bare[c.ID], "PKCE"), "pkce: %q, and the provider is not known to need it", c.PKCE)
	report((c.IDToken == "") == !slices.Contains(bare[c.ID], "nonce"), "id_token: %q, and the provider is not known to need it", c.IDToken)
	for _, protection := range bare[c.ID] {
		report(strings.Contains(said, protection), "quirks: nothing is said of %s", protection)
	}
	known := catalogue.Permissions()
	for name := range c.Permissions {
		report(slices.ContainsFunc(known, func(p catalogue.Permission) bool { return p.Name == name }), "permissions: %s is not a known name", name)
	}
	_, profile := c.Permissions["profile:read"]
	report(profile || len(c.Scopes) == 0 || slices.Equal(c.Scopes, []string{"openid"}), "permissions: profile:read is missing")
	return found
}

var (
	secretive = regexp.MustCompile(`(?i)secret|password|token|api_?key|signature`)
	variable  = regexp.MustCompile(`\{\{[a-z_]+\}\}`)
)

// addressFaults returns what is wrong with the addresses of a file.
func addressFaults(c *oauth2.Config) []string {
	var found []string
	for field, address := range map[string]string{
		"documentation": c.Documentation, "issuer": c.Issuer, "authorization_endpoint": c.AuthorizationEndpoint,
		"token_endpoint": c.TokenEndpoint, "userinfo_endpoint": c.UserinfoEndpoint, "revocation_endpoint": c.RevocationEndpoint,
		"jwks_uri": c.JWKSURI, "pushed_authorization_request_endpoint": c.PushedAuthorizationRequestEndpoint,
		"refresh.endpoint": c.Refresh.Endpoint, "profile.url": c.Profile.URL, "check.url": c.Check.URL, "api.base_url": c.API.BaseURL,
	} {
		if address == "" || field == "api.base_url" && len(c.API.BaseURLFrom.Domains) > 0 {
			continue
		}
		target, err := url.Parse(variable.ReplaceAllStringFunc(address, func(place string) string { return "var-" + place[2:len(place)-2] }))
		if err != nil || target.Scheme != "https" {
			found = append(found, field+": want https")
			continue
		}
		if host := target.Hostname(); !owns(c, host) && (field != "documentation" || host != papers[c.ID]) {
			found = append(found, field+": "+host+" is not the provider's")
		}
		for name := range target.Query() {
			if secretive.MatchString(name) {
				found = append(found, field+": "+name+" in the query")
			}
		}
	}
	for _, domain := range c.API.BaseURLFrom.Domains {
		if !owns(c, domain) {
			found = append(found, "api.base_url_from: "+domain+" is not the provider's")
		}
	}
	return found
}

// owns reports whether a host is of the provider's own domains.
func owns(c *oauth2.Config, host string) bool {
	return slices.ContainsFunc(append([]string{c.Domain}, domains[c.ID]...), func(domain string) bool {
		domain = variable.ReplaceAllStringFunc(domain, func(place string) string { return "var-" + place[2:len(place)-2] })
		return host == domain || strings.HasSuffix(host, "."+domain)
	})
}

func TestTheDomainsAreThoseOfTheProvidersAndOfNoCustomer(t *testing.T) {
	found := catalogue.Domains()
	for _, want := range []string{"github.com", "gitlab.com", "myshopify.com", "zendesk.com"} {
		if !slices.Contains(found, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, domain := range found {
		if !regexp.MustCompile(`^([a-z0-9-]+\.)+[a-z]+$`).MatchString(domain) {
			t.Errorf("%q is no domain", domain)
		}
	}
}

func TestThePermissionsAreSortedNamedOnceAndUsed(t *testing.T) {
	var names []string
	used := map[string]bool{}
	for _, id := range catalogue.IDs() {
		config, _ := catalogue.Find(id)
		for name := range config.Permissions {
			used[name] = true
		}
	}
	for _, permission := range catalogue.Permissions() {
		names = append(names, permission.Name)
		if !regexp.MustCompile(`^[a-z-]+:(read|write)$`).MatchString(permission.Name) || permission.Meaning == "" || !used[permission.Name] {
			t.Errorf("%+v is misnamed, has no meaning or no provider", permission)
		}
	}
	if sorted := slices.Compact(slices.Sorted(slices.Values(names))); !slices.Equal(sorted, names) {
		t.Errorf("the names are %v", names)
	}
}
