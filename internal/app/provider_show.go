package app

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"latchkey/internal/link"
)

// ShowProvider writes what an operator must know of a provider to register a
// client there. The callback URLs are those of the configuration, if there is
// one. A database that can't be read is told, and no error.
func ShowProvider(ctx context.Context, out io.Writer, id string, config *Config) error {
	found, err := find(id, config)
	if err != nil {
		return err
	}
	if config != nil {
		if err := found.register(ctx, *config); err != nil {
			return err
		}
	}
	_, err = io.WriteString(out, found.text())
	return err
}

// text is the whole page.
func (s *shown) text() string {
	var page strings.Builder
	source := CatalogueNote
	if s.file != "" {
		source = "your own, " + s.file
	}
	fmt.Fprintf(&page, "%s (%s): %s\n\n", s.Name, s.ID, source)
	rows(&page, s.facts())
	section(&page, "Endpoints", s.endpoints())
	section(&page, "Scopes", s.scopes())
	page.WriteString("\nRegister at the provider, as callback URL (redirect URI), for each organisation\n" + s.registration())
	if len(s.Quirks) > 0 {
		page.WriteString("\nMind\n")
		for _, quirk := range s.Quirks {
			page.WriteString("  - " + quirk + "\n")
		}
	}
	page.WriteString("\nFor latchkey.yaml\n\n" + s.block())
	return page.String()
}

// row is a name and what belongs to it.
type row struct{ name, value string }

// rows writes rows in two columns, without those that have no value.
func rows(page *strings.Builder, list []row) {
	list = slices.DeleteFunc(list, func(r row) bool { return r.value == "" })
	width := 0
	for _, r := range list {
		width = max(width, len(r.name))
	}
	for _, r := range list {
		fmt.Fprintf(page, "  %-*s  %s\n", width, r.name, r.value)
	}
}

// section writes rows below a title, or nothing where there are none.
func section(page *strings.Builder, title string, list []row) {
	if len(list) > 0 {
		page.WriteString("\n" + title + "\n")
		rows(page, list)
	}
}

// authentications are the ways of a client's authentication, for people.
var authentications = map[string]string{
	"":                    "as the provider's metadata says",
	"client_secret_basic": "a secret, in the Authorization header (client_secret_basic)",
	"client_secret_post":  "a secret, in the form (client_secret_post)",
	"private_key_jwt":     "a private key (private_key_jwt)",
	"none":                "none: a public client",
}

// facts are what stands first.
func (s *shown) facts() []row {
	protocol := "OAuth 2.0"
	if slices.Contains(s.Scopes, "openid") && s.IDToken != "ignored" {
		protocol = "OpenID Connect"
	}
	protection := ", with PKCE (S256)"
	if s.PKCE == "unsupported" {
		protection = ", without PKCE, which the provider does not support: state and the client's authentication protect the login"
	}
	renewal := "by refresh token"
	if s.Refresh.Unsupported {
		renewal = "none: when a token expires, the person links again"
	}
	api := s.API.BaseURL
	if len(s.API.BaseURLFrom.Domains) > 0 {
		api = "a host that the token endpoint tells, at " + strings.Join(s.API.BaseURLFrom.Domains, " or ") + strings.TrimSuffix(", below "+s.API.BaseURL, ", below ")
	}
	return []row{
		{"site", s.Domain},
		{"documentation", s.Documentation},
		{"protocol", protocol + protection},
		{"client", authentications[s.ClientAuthentication]},
		{"renewal", renewal},
		{"API", cmp.Or(api, "none: the proxy does not reach this provider")},
	}
}

// endpoints are what is asked.
func (s *shown) endpoints() []row {
	revocation := s.RevocationEndpoint
	if revocation == "" && s.Revocation.Unsupported {
		revocation = "none: a token that is disconnected is forgotten here and ends by itself there"
	}
	list := []row{
		{"issuer", s.Issuer},
		{"authorization", s.AuthorizationEndpoint},
		{"token", s.TokenEndpoint},
		{"refresh", s.Refresh.Endpoint},
		{"userinfo", s.UserinfoEndpoint},
		{"keys", s.JWKSURI},
		{"revocation", revocation},
		{"profile", s.Profile.URL},
		{"check", s.Check.URL},
	}
	if s.AuthorizationEndpoint == "" || s.TokenEndpoint == "" {
		list = append(list, row{"others", "as the issuer's metadata says"})
	}
	return list
}

// scopes are what a login asks for.
func (s *shown) scopes() []row {
	list := []row{{"always", strings.Join(s.Scopes, " ")}}
	for _, name := range named(s.Permissions) {
		list = append(list, row{name, strings.Join(s.Permissions[name], " ")})
	}
	if len(s.Scopes)+len(s.Permissions) == 0 {
		list = []row{{"none", "what an app may do is not asked for"}}
	}
	return list
}

// registration are the callback URLs.
func (s *shown) registration() string {
	var page strings.Builder
	var list []row
	for _, callback := range s.callbacks {
		list = append(list, row{callback.url, callback.organisation})
	}
	rows(&page, list)
	if len(list) == 0 {
		page.WriteString("  " + link.CallbackURL(cmp.Or(s.linkURL, "<link_url>"), s.ID, "<organisation>") + "\n")
	}
	switch {
	case s.trouble != nil:
		fmt.Fprintf(&page, "  The organisations are not known: %v\n", s.trouble)
	case s.linkURL == "":
		page.WriteString("  With --config latchkey.yaml, yours are shown.\n")
	}
	return page.String()
}

// block is the provider's entry of a configuration, to be completed.
func (s *shown) block() string {
	var page strings.Builder
	page.WriteString("providers:\n")
	if s.file != "" {
		page.WriteString("  - file: " + s.file + "\n")
	} else {
		page.WriteString("  - id: " + s.ID + "\n")
	}
	page.WriteString("    client_id: \"\" # as " + s.Name + " gave it\n")
	switch s.ClientAuthentication {
	case "none":
	case "private_key_jwt":
		page.WriteString("    private_key_file: /etc/latchkey/" + s.ID + ".pem\n    key_id: \"\" # as the provider knows the key\n")
	default:
		page.WriteString("    client_secret_file: /etc/latchkey/" + s.ID + ".secret\n")
	}
	if len(s.Variables) > 0 {
		page.WriteString("    variables:\n")
	}
	for _, name := range named(s.Variables) {
		variable := s.Variables[name]
		fmt.Fprintf(&page, "      %s: %q # %s\n", name, variable.Default, variable.Description)
	}
	return page.String()
}
