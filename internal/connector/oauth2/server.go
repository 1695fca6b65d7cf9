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

// Settings that leave out a protection that the provider can't give.
const (
	unsupported = "unsupported" // of pkce
	ignored     = "ignored"     // of id_token
	noParameter = "none"        // of revocation.token_parameter
)

// openID reports whether the provider is asked for an ID token.
func (c *Config) openID() bool { return slices.Contains(c.Scopes, "openid") && c.IDToken != ignored }

// confidential reports whether the client authenticates itself to the token
// endpoint whatever happens.
func (c *Config) confidential() bool {
	return c.ClientAuthentication != "" && c.ClientAuthentication != noAuthentication
}

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
