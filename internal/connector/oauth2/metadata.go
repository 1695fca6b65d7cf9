package oauth2

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	metadataLife  = time.Hour      // how long the server's metadata is believed
	metadataStale = 24 * time.Hour // how long it is when no newer can be had
)

// server is what is known about the authorization server: the file, and under
// it the server's own metadata. It never changes.
type server struct {
	issuer           string
	authorization    string
	token            string
	userinfo         string
	revocation       string
	keys             string
	pushed           string   // "": requests are not pushed
	algorithms       []string // of ID tokens
	authentications  []string // of clients, as the metadata says; nil: it does not
	issuerInResponse bool
}

// stated returns what the file says.
func (c *Connector) stated() *server {
	return &server{
		issuer: c.config.Issuer, authorization: c.config.AuthorizationEndpoint, token: c.config.TokenEndpoint,
		userinfo: c.config.UserinfoEndpoint, revocation: c.config.RevocationEndpoint, keys: c.config.JWKSURI,
		pushed:     c.config.PushedAuthorizationRequestEndpoint,
		algorithms: c.config.IDTokenAlgorithms, issuerInResponse: c.config.IssuerInResponse,
	}
}

// server returns what is known about the server, and asks it when that is
// needed. What is older than it should be still serves while the metadata
// can't be had, so that a renewal waits for one endpoint and not for two.
func (v *visit) server(ctx context.Context) (*server, error) {
	if known, ok := v.metadata.get(v.now, metadataLife); ok {
		return known, nil
	}
	s := v.stated()
	if v.config.discovers() {
		published, err := v.fetchMetadata(ctx)
		if err != nil {
			if known, ok := v.metadata.get(v.now, metadataStale); ok {
				return known, nil
			}
			return nil, err
		}
		if err := v.adopt(s, published); err != nil {
			return nil, err
		}
	}
	if len(s.algorithms) == 0 {
		s.algorithms = []string{"RS256"}
	}
	v.metadata.put(s, v.now)
	return s, nil
}

// fetchMetadata asks for the server's metadata.
func (v *visit) fetchMetadata(ctx context.Context) (object, error) {
	address, err := v.config.metadataAddress()
	if err != nil {
		return nil, err
	}
	a, err := v.fetch(ctx, request{endpoint: "metadata", method: http.MethodGet, address: address})
	if err != nil {
		return nil, err
	}
	return a.object()
}

// metadataAddress returns where the issuer's metadata is: after its path
// (OpenID Connect Discovery 1.0, section 4), or before it (RFC 8414, section
// 3.1).
func (c *Config) metadataAddress() (string, error) {
	if c.Discovery != "oauth" {
		return strings.TrimSuffix(c.Issuer, "/") + "/.well-known/openid-configuration", nil
	}
	issuer, err := url.Parse(c.Issuer)
	if err != nil {
		return "", violated("issuer: not a URL")
	}
	path := strings.TrimSuffix(issuer.EscapedPath(), "/")
	return issuer.Scheme + "://" + issuer.Host + "/.well-known/oauth-authorization-server" + path, nil
}

// adopt fills in what the file leaves out.
func (v *visit) adopt(s *server, published object) error {
	if issuer, _ := textOf(published["issuer"]); issuer != s.issuer {
		return violated("metadata: it is another issuer's")
	}
	addresses := map[string]*string{
		"authorization_endpoint": &s.authorization, "token_endpoint": &s.token, "userinfo_endpoint": &s.userinfo,
		"revocation_endpoint": &s.revocation, "jwks_uri": &s.keys,
	}
	if published["require_pushed_authorization_requests"] == true {
		addresses["pushed_authorization_request_endpoint"] = &s.pushed
	}
	for name, address := range addresses {
		if *address != "" {
			continue
		}
		*address, _ = textOf(published[name])
		if err := v.checkEndpoint(*address); err != nil {
			return violated("metadata: %s: %v", name, err)
		}
	}
	if s.authorization == "" || s.token == "" || (v.config.openID() && s.keys == "") {
		return violated("metadata: an endpoint is missing")
	}
	if challenges := texts(published["code_challenge_methods_supported"]); v.config.PKCE != unsupported && challenges != nil && !slices.Contains(challenges, "S256") {
		return violated("metadata: the server does not know S256 challenges (RFC 7636)")
	}
	if len(s.algorithms) == 0 {
		advertised := texts(published["id_token_signing_alg_values_supported"])
		s.algorithms = slices.DeleteFunc(advertised, func(name string) bool { return !slices.Contains(asymmetric, name) })
	}
	s.authentications = texts(published["token_endpoint_auth_methods_supported"])
	s.issuerInResponse = s.issuerInResponse || published["authorization_response_iss_parameter_supported"] == true
	return nil
}

// checkEndpoint refuses an address that requests must not be sent to. The
// empty one stands for none.
func (v *visit) checkEndpoint(address string) error {
	if address == "" {
		return nil
	}
	target, err := url.Parse(address)
	if err != nil {
		return innermost(err)
	}
	return safeURL(target, v.development)
}

// texts returns the strings of a list, nil when it is none.
func texts(value any) []string {
	list, _ := value.([]any)
	var found []string
	for _, element := range list {
		if element, ok := element.(text); ok {
			found = append(found, string(element))
		}
	}
	return found
}
