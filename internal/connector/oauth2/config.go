package oauth2

import (
	"time"

	"latchkey"
)

// Config describes one provider, as its YAML file does. The names of the keys
// are those of OAuth 2.0 Authorization Server Metadata (RFC 8414) and OpenID
// Connect Discovery, where these have a name for it.
//
// In every URL, header and parameter, {{client_id}} stands for the client's id
// and {{x}} for the variable x of the file.
type Config struct {
	ID            string                 `yaml:"id"`            // as clients name it: ^[a-z][a-z0-9-]{0,31}$
	Name          string                 `yaml:"name"`          // as people know it
	Domain        string                 `yaml:"domain"`        // the site the account belongs to; variables may stand in it
	Documentation string                 `yaml:"documentation"` // the provider's own page on its OAuth
	Logo          string                 `yaml:"logo"`          // inline SVG; "": a plain one
	Environments  []latchkey.Environment `yaml:"environments"`  // none: live
	Variables     map[string]Variable    `yaml:"variables"`     // what the operator fills in

	// Issuer is the authorization server's identifier. Its metadata is read
	// where an endpoint is missing here; what stands here goes before it.
	Issuer                             string `yaml:"issuer"`
	Discovery                          string `yaml:"discovery"` // openid (usual), oauth (RFC 8414) or none
	AuthorizationEndpoint              string `yaml:"authorization_endpoint"`
	TokenEndpoint                      string `yaml:"token_endpoint"`
	UserinfoEndpoint                   string `yaml:"userinfo_endpoint"`
	RevocationEndpoint                 string `yaml:"revocation_endpoint"`
	JWKSURI                            string `yaml:"jwks_uri"`
	PushedAuthorizationRequestEndpoint string `yaml:"pushed_authorization_request_endpoint"`

	// IDTokenAlgorithms are the asymmetric algorithms of the ID token; none:
	// those that the metadata advertises, else RS256.
	IDTokenAlgorithms []string `yaml:"id_token_signing_alg_values_supported"`
	// IssuerInResponse says that every answer of the authorization endpoint
	// names its issuer (RFC 9207). The metadata may say so too.
	IssuerInResponse bool `yaml:"authorization_response_iss_parameter_supported"`

	// ClientAuthentication is client_secret_basic (usual), client_secret_post,
	// private_key_jwt or none.
	ClientAuthentication string `yaml:"client_authentication"`
	// ClientAssertionAudience is whom a private_key_jwt is made for: issuer
	// (usual where there is one) or token_endpoint.
	ClientAssertionAudience string `yaml:"client_assertion_audience"`
	ClientIDParameter       string `yaml:"client_id_parameter"` // "": client_id

	// PKCE is S256 (usual), or unsupported, for a token endpoint that refuses a
	// verifier. Then the client must have a secret or a key, so that a stolen
	// code is of no use to whoever has no such client (RFC 9700, section 2.1.1).
	PKCE string `yaml:"pkce"`
	// IDToken is checked (usual), or ignored, where openid is among the scopes
	// but the provider's ID tokens have no nonce: then the person is whom the
	// profile names, as with any OAuth 2.0.
	IDToken string `yaml:"id_token"`

	Scopes         []string            `yaml:"scopes"`          // always asked for; with openid among them it is OpenID Connect
	ScopeSeparator string              `yaml:"scope_separator"` // "": a space
	ScopeParameter string              `yaml:"scope_parameter"` // "": scope
	Permissions    map[string][]string `yaml:"permissions"`     // our permission's name to the scopes it adds

	// AuthorizationParameters are added to the authorization request.
	AuthorizationParameters map[string]string `yaml:"authorization_parameters"`

	Token      Token      `yaml:"token"`
	Refresh    Refresh    `yaml:"refresh"`
	Profile    Profile    `yaml:"profile"`
	Check      Request    `yaml:"check"` // tells a good token from a dead one; without a url: the profile's request
	API        API        `yaml:"api"`
	Revocation Revocation `yaml:"revocation"`

	CheckEvery        time.Duration `yaml:"check_every"`         // as 6h; 0: the usual
	RequestsPerMinute int           `yaml:"requests_per_minute"` // the most that a replica asks by itself; 0: the usual
	Quirks            []string      `yaml:"quirks"`              // what is odd about the provider, for people
}

// Variable is a part of the provider's addresses that differs between
// customers, as a tenant does. Its value is one or more letters, digits and
// any of . _ : -
type Variable struct {
	Description string `yaml:"description"` // for the operator
	Default     string `yaml:"default"`     // "": the operator must give one
}

// Token says how the token endpoint deviates from RFC 6749, section 5.1.
type Token struct {
	Format     string            `yaml:"format"`     // of the request: form (usual) or json
	Headers    map[string]string `yaml:"headers"`    // added to the request, and to that of the revocation
	Parameters map[string]string `yaml:"parameters"` // added to the exchange of a code

	// Where the answer has it; "": at the top, by its usual name.
	AccessToken  Path `yaml:"access_token"`
	RefreshToken Path `yaml:"refresh_token"`
	ExpiresIn    Path `yaml:"expires_in"` // seconds
	Scope        Path `yaml:"scope"`      // a text or a list

	Types        []string      `yaml:"types"`         // token types that are as good as Bearer
	TypeOptional bool          `yaml:"type_optional"` // the answer may have no token_type
	Lifetime     time.Duration `yaml:"lifetime"`      // where the answer has no expires_in; 0: it does not expire
}

// Refresh says how tokens are renewed. Whether refresh tokens rotate needs no
// word: a new one is kept, and without one the old one is.
type Refresh struct {
	Unsupported bool              `yaml:"unsupported"` // the person links again when the token expires
	Endpoint    string            `yaml:"endpoint"`    // "": the token endpoint
	Parameters  map[string]string `yaml:"parameters"`  // added to the request
	DeadErrors  []string          `yaml:"dead_errors"` // error codes that mean invalid_grant, beside it
}

// Request is a request with the access token, authorised as the API's are.
type Request struct {
	URL     string            `yaml:"url"`
	Method  string            `yaml:"method"` // GET (usual) or POST
	Headers map[string]string `yaml:"headers"`
	Body    string            `yaml:"body"` // of a POST: JSON, as a GraphQL query
	Dead    Dead              `yaml:"dead"` // an answer that means that the token is dead, beside 401
}

// Dead recognises an answer by a value in its JSON, whatever its status.
type Dead struct {
	Path   Path     `yaml:"path"`
	Values []string `yaml:"values"`
}

// Profile says where the linked person's facts are.
type Profile struct {
	// From is id_token, userinfo, token (the token endpoint's own answer) or
	// url. "": url where there is a request's url, else userinfo where the
	// scopes have openid or there is a userinfo_endpoint.
	From    string `yaml:"from"`
	Request `yaml:",inline"`

	// The facts. Their usual places are the standard claims.
	Subject  Fact `yaml:"id"`
	FullName Fact `yaml:"name"`
	Username Fact `yaml:"username"`
	Avatar   Fact `yaml:"avatar"`
}

// API says how the provider's API is called through the proxy.
type API struct {
	BaseURL       string            `yaml:"base_url"`
	BaseURLFrom   BaseURLFrom       `yaml:"base_url_from"`
	Authorization Authorization     `yaml:"authorization"`
	Headers       map[string]string `yaml:"headers"` // added to every request with the access token
}

// BaseURLFrom takes the base from the answer of the token endpoint, where each
// customer has a host of their own. The host must be one of the domains or
// below one; base_url, if it is there too, is the path below it.
type BaseURLFrom struct {
	Token   Path     `yaml:"token"`
	Domains []string `yaml:"domains"`
}

// Authorization says where the access token goes. The zero value is a bearer
// token (RFC 6750, section 2.1).
type Authorization struct {
	Header string `yaml:"header"` // in place of Authorization
	Prefix string `yaml:"prefix"` // before the token, with its space; with Header, "" is none
	Query  string `yaml:"query"`  // the parameter, where it can't be a header
}

// Revocation says how the revocation endpoint deviates from RFC 7009.
type Revocation struct {
	Unsupported    bool     `yaml:"unsupported"`     // also where the metadata names an endpoint
	Method         string   `yaml:"method"`          // POST (usual), DELETE or GET
	Format         string   `yaml:"format"`          // form (usual), json or query
	TokenParameter string   `yaml:"token_parameter"` // "": token; none: the token stands in the authorization alone
	Tokens         []string `yaml:"tokens"`          // none: refresh_token, then access_token
	Authorization  string   `yaml:"authorization"`   // client (usual), access_token or none
	Ended          []int    `yaml:"ended"`           // statuses that mean that the token was dead already, beside 2xx
}
