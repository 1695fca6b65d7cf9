package oauth2

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"latchkey"
	"latchkey/internal/connector"
)

// problem is something wrong with a field of a file.
type problem struct{ field, text string }

func (p problem) String() string { return p.field + ": " + p.text }

// problems collects what is wrong.
type problems []problem

// add notes an error of a field; nil is none.
func (p *problems) add(field string, err error) {
	if err != nil {
		*p = append(*p, problem{field, err.Error()})
	}
}

// require notes that a condition does not hold.
func (p *problems) require(holds bool, field, text string) {
	if !holds {
		*p = append(*p, problem{field, text})
	}
}

// oneOf notes a value that is none of the known ones. The empty one is.
func (p *problems) oneOf(field, value string, known ...string) {
	p.require(value == "" || slices.Contains(known, value), field, fmt.Sprintf("%q: want %s", value, strings.Join(known, ", ")))
}

var (
	idPattern       = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	domainPattern   = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
	variablePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	valuePattern    = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,253}$`)
	namePattern     = regexp.MustCompile(`^[A-Za-z0-9_.\[\]-]{1,64}$`) // of a parameter
	scopePattern    = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]{1,255}$`)
	headerPattern   = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
)

// problems returns what is wrong with the file.
func (c *Config) problems() problems {
	var p problems
	p.require(idPattern.MatchString(c.ID), "id", "want small letters, digits and hyphens, at most 32")
	p.require(strings.TrimSpace(c.Name) != "" && len(c.Name) <= 64, "name", "want 1 to 64 bytes")
	p.require(domainPattern.MatchString(filling.ReplaceAllString(c.Domain, "x.x.xx")), "domain", "want a host name in small letters")
	p.add("domain", c.checkPlaces(c.Domain))
	p.add("logo", connector.CheckLogo(c.Logo))
	for _, environment := range c.Environments {
		p.oneOf("environments", string(environment), string(latchkey.Sandbox), string(latchkey.Live))
	}
	for name, variable := range c.Variables {
		p.require(variablePattern.MatchString(name) && name != "client_id", "variables."+name, "want small letters, digits and _")
		p.require(variable.Default == "" || valuePattern.MatchString(variable.Default), "variables."+name, "the default has characters that no value may have")
	}
	c.checkServer(&p)
	c.checkScopes(&p)
	c.checkToken(&p)
	c.checkProfile(&p)
	c.checkAPI(&p)
	c.checkRevocation(&p)
	p.require(c.CheckEvery >= 0, "check_every", "want a duration, as 6h")
	p.require(c.RequestsPerMinute >= 0, "requests_per_minute", "want a number from 0")
	return p
}

// checkServer checks how the authorization server is found and spoken to.
func (c *Config) checkServer(p *problems) {
	for field, address := range c.endpoints() {
		if *address != "" {
			p.add(field, c.checkURL(*address))
		}
	}
	if c.Documentation != "" {
		p.add("documentation", c.checkURL(c.Documentation))
	}
	p.oneOf("discovery", c.Discovery, "openid", "oauth", "none")
	if !c.discovers() {
		p.require(c.AuthorizationEndpoint != "", "authorization_endpoint", "missing, and there is no issuer that tells it")
		p.require(c.TokenEndpoint != "", "token_endpoint", "missing, and there is no issuer that tells it")
		p.require(!c.openID() || c.JWKSURI != "", "jwks_uri", "missing, and there is no issuer that tells it")
		p.require(!c.openID() || c.Issuer != "", "issuer", "missing: an ID token can't be checked without")
	}
	p.require(c.Issuer == "" || !strings.ContainsAny(c.Issuer, "?#"), "issuer", "want no query and no fragment")
	p.require(!c.IssuerInResponse || c.Issuer != "", "issuer", "missing: answers can't be compared with it")
	for _, algorithm := range c.IDTokenAlgorithms {
		p.require(slices.Contains(asymmetric, algorithm), "id_token_signing_alg_values_supported", algorithm+" is not one of "+strings.Join(asymmetric, ", "))
	}
	p.oneOf("client_authentication", c.ClientAuthentication, clientAuthentications...)
	p.oneOf("client_assertion_audience", c.ClientAssertionAudience, "issuer", "token_endpoint")
	p.oneOf("pkce", c.PKCE, "S256", unsupported)
	p.require(c.PKCE != unsupported || c.confidential(), "pkce", "without it, want a client_authentication that is not none")
	p.oneOf("id_token", c.IDToken, "checked", ignored)
	p.require(c.ClientIDParameter == "" || namePattern.MatchString(c.ClientIDParameter), "client_id_parameter", "not a parameter's name")
}

// reservedParameters are the engine's own.
var reservedParameters = []string{
	"response_type", "client_id", "client_secret", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
	"code", "code_verifier", "grant_type", "refresh_token", "client_assertion", "client_assertion_type", "request_uri", "request", "response_mode",
}

// checkScopes checks what is asked for.
func (c *Config) checkScopes(p *problems) {
	all := slices.Clone(c.Scopes)
	for name, scopes := range c.Permissions {
		p.require(name != "" && len(name) <= 64, "permissions", "a permission's name has 1 to 64 bytes")
		p.require(len(scopes) > 0, "permissions."+name, "no scopes")
		all = append(all, scopes...)
	}
	for _, scope := range all {
		legal := scopePattern.MatchString(scope) && (c.ScopeSeparator == "" || !strings.Contains(scope, c.ScopeSeparator))
		p.require(legal, "scopes", fmt.Sprintf("%q is not a scope", scope))
	}
	for name, scopes := range c.Permissions {
		p.require(slices.Contains(c.Scopes, "openid") || !slices.Contains(scopes, "openid"), "permissions."+name, "openid belongs into scopes: it is asked for always or never")
	}
	p.require(len(c.ScopeSeparator) <= 1, "scope_separator", "want one character")
	p.require(c.ScopeParameter == "" || namePattern.MatchString(c.ScopeParameter), "scope_parameter", "not a parameter's name")
	c.checkParameters(p, "authorization_parameters", c.AuthorizationParameters)
}

// checkToken checks the token endpoint's deviations.
func (c *Config) checkToken(p *problems) {
	p.oneOf("token.format", c.Token.Format, "form", "json")
	c.checkHeaders(p, "token.headers", c.Token.Headers)
	c.checkParameters(p, "token.parameters", c.Token.Parameters)
	p.add("token.access_token", c.Token.AccessToken.check())
	p.add("token.refresh_token", c.Token.RefreshToken.check())
	p.add("token.expires_in", c.Token.ExpiresIn.check())
	p.add("token.scope", c.Token.Scope.check())
	p.require(c.Token.Lifetime >= 0, "token.lifetime", "want a duration, as 1h")
	if c.Refresh.Endpoint != "" {
		p.add("refresh.endpoint", c.checkURL(c.Refresh.Endpoint))
	}
	c.checkParameters(p, "refresh.parameters", c.Refresh.Parameters)
}

// checkProfile checks where a person's facts come from.
func (c *Config) checkProfile(p *problems) {
	p.oneOf("profile.from", c.Profile.From, fromIDToken, fromUserinfo, fromToken, fromURL)
	from := c.profileFrom()
	p.require(from != "", "profile", "want a url or a from, as there is no openid and no userinfo_endpoint")
	p.require(from != fromURL || c.Profile.URL != "", "profile.url", "missing")
	p.require(from != fromIDToken || c.openID(), "profile.from", "there is no ID token without the scope openid")
	p.require(from != fromToken || c.Check.URL != "", "check.url", "missing: the token endpoint's answer can't be asked for again")
	knowsUserinfo := c.UserinfoEndpoint != "" || c.discovers()
	p.require(from != fromUserinfo || knowsUserinfo, "userinfo_endpoint", "missing")
	p.require(from != fromIDToken || knowsUserinfo || c.Check.URL != "", "check.url", "missing: without a userinfo_endpoint nobody can be asked whether a token is alive")
	c.checkRequest(p, "profile", &c.Profile.Request)
	c.checkRequest(p, "check", &c.Check)
	standard := from == fromIDToken || from == fromUserinfo
	p.require(standard || len(c.Profile.Subject) > 0, "profile.id", "missing")
	p.add("profile.id", c.Profile.Subject.check())
	p.add("profile.name", c.Profile.FullName.check())
	p.add("profile.username", c.Profile.Username.check())
	p.add("profile.avatar", c.Profile.Avatar.check())
}

// checkRequest checks a request with the access token.
func (c *Config) checkRequest(p *problems, field string, r *Request) {
	if r.URL != "" {
		p.add(field+".url", c.checkURL(r.URL))
	}
	p.oneOf(field+".method", r.Method, http.MethodGet, http.MethodPost)
	c.checkHeaders(p, field+".headers", r.Headers)
	if r.Body != "" {
		p.require(r.Method == http.MethodPost, field+".body", "only a POST has one")
		p.require(jsontext.Value(r.Body).IsValid(), field+".body", "want JSON")
	}
	p.add(field+".dead.path", r.Dead.Path.check())
	p.require((r.Dead.Path == "") == (len(r.Dead.Values) == 0), field+".dead", "want a path and values")
}

// checkAPI checks how the provider's API is called.
func (c *Config) checkAPI(p *problems) {
	a := &c.API
	from := a.BaseURLFrom
	p.add("api.base_url_from.token", from.Token.check())
	p.require((from.Token == "") == (len(from.Domains) == 0), "api.base_url_from", "want token and domains")
	for _, domain := range from.Domains {
		p.require(domainPattern.MatchString(domain), "api.base_url_from.domains", fmt.Sprintf("%q is not a host name", domain))
	}
	switch {
	case from.Token != "":
		p.require(a.BaseURL == "" || strings.HasPrefix(a.BaseURL, "/"), "api.base_url", "beside base_url_from, want a path")
	case a.BaseURL != "":
		p.add("api.base_url", c.checkURL(a.BaseURL))
		p.require(!strings.ContainsAny(a.BaseURL, "?#"), "api.base_url", "want no query and no fragment")
	}
	how := a.Authorization
	p.require(how.Query == "" || (how.Header == "" && how.Prefix == ""), "api.authorization", "want a header or a query")
	p.require(how.Query == "" || namePattern.MatchString(how.Query), "api.authorization.query", "not a parameter's name")
	p.require(how.Header == "" || headerPattern.MatchString(how.Header), "api.authorization.header", "not a header's name")
	p.require(printable(how.Prefix), "api.authorization.prefix", "want letters, digits and a space")
	c.checkHeaders(p, "api.headers", a.Headers)
}

// checkRevocation checks how tokens are ended.
func (c *Config) checkRevocation(p *problems) {
	r := &c.Revocation
	p.oneOf("revocation.method", r.Method, http.MethodPost, http.MethodDelete, http.MethodGet)
	p.oneOf("revocation.format", r.Format, "form", "json", "query")
	p.oneOf("revocation.authorization", r.Authorization, "client", "access_token", "none")
	p.require(r.TokenParameter == "" || namePattern.MatchString(r.TokenParameter), "revocation.token_parameter", "not a parameter's name")
	p.require(r.TokenParameter != noParameter || r.Authorization == "access_token", "revocation.token_parameter", "none needs the authorization access_token")
	for _, token := range r.Tokens {
		p.oneOf("revocation.tokens", token, "refresh_token", "access_token")
	}
	for _, status := range r.Ended {
		p.require(status >= 400 && status <= 499 && status != http.StatusTooManyRequests, "revocation.ended", "want statuses from 400 to 499, not 429")
	}
}

// reservedHeaders belong to the engine or to the transport.
var reservedHeaders = []string{
	"Authorization", "Host", "Cookie", "Connection", "Content-Length", "Content-Type", "Transfer-Encoding", "Accept-Encoding",
	"Upgrade", "Te", "Trailer", "Keep-Alive", "Expect", "Proxy-Authorization", "Proxy-Connection",
}

// checkHeaders checks headers that a file adds.
func (c *Config) checkHeaders(p *problems, field string, headers map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		p.require(headerPattern.MatchString(name) && !slices.Contains(reservedHeaders, http.CanonicalHeaderKey(name)), field+"."+name, "a header that a file can't set")
		p.require(printable(headers[name]), field+"."+name, "want printable ASCII")
		p.add(field+"."+name, c.checkPlaces(headers[name]))
	}
}

// checkParameters checks parameters that a file adds.
func (c *Config) checkParameters(p *problems, field string, parameters map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		p.require(namePattern.MatchString(name) && !slices.Contains(reservedParameters, name), field+"."+name, "a parameter that a file can't set")
		p.require(len(parameters[name]) <= 2048, field+"."+name, "want at most 2048 bytes")
		p.add(field+"."+name, c.checkPlaces(parameters[name]))
	}
}

// checkURL checks an address in which variables may stand: https, or http to
// this machine, which New allows in development only.
func (c *Config) checkURL(address string) error {
	if err := c.checkPlaces(address); err != nil {
		return err
	}
	filled := filling.ReplaceAllString(address, "x")
	target, err := url.Parse(filled)
	if err != nil {
		return errors.New("not a URL")
	}
	return safeURL(target, true)
}

// printable reports whether a text is printable ASCII.
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}
