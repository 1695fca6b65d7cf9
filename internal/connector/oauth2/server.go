package oauth2

import "slices"

// The algorithms and methods that the engine knows.
var (
	asymmetric            = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
	clientAuthentications = []string{secretBasic, secretPost, privateKeyJWT, noAuthentication}
)

// How a client authenticates itself (OpenID Connect Core 1.0, section 9).
const (
	secretBasic      = "client_secret_basic"
	secretPost       = "client_secret_post"
	privateKeyJWT    = "private_key_jwt"
	noAuthentication = "none"
)

// Where a profile comes from.
const (
	fromIDToken  = "id_token"
	fromUserinfo = "userinfo"
	fromToken    = "token"
	fromURL      = "url"
)

// openID reports whether the provider is asked for an ID token.
func (c *Config) openID() bool { return slices.Contains(c.Scopes, "openid") }

// discovers reports whether the issuer's metadata is read.
func (c *Config) discovers() bool {
	if c.Issuer == "" || c.Discovery == "none" {
		return false
	}
	return c.Discovery != "" || c.AuthorizationEndpoint == "" || c.TokenEndpoint == "" || (c.openID() && c.JWKSURI == "")
}

// profileFrom returns where the profile comes from, "" when nothing says so.
func (c *Config) profileFrom() string {
	switch {
	case c.Profile.From != "":
		return c.Profile.From
	case c.Profile.URL != "":
		return fromURL
	case c.openID() || c.UserinfoEndpoint != "":
		return fromUserinfo
	}
	return ""
}
