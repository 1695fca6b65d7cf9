package oauth2

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"latchkey/internal/connector"
)

// begin returns the redirect to the authorization endpoint (RFC 6749, section
// 4.1.1), with PKCE where the provider has it and, for OpenID Connect, a nonce.
func (v *visit) begin(ctx context.Context, flow connector.Flow) (connector.Step, error) {
	if flow.RedirectState == "" || flow.CallbackURL == "" {
		return nil, errors.New("the flow has no state or no callback for a redirect")
	}
	s, err := v.server(ctx)
	if err != nil {
		return nil, err
	}
	m := memory{Verifier: random(), RedirectURI: flow.CallbackURL}
	if v.config.openID() {
		m.Nonce = random()
	}
	scopes := v.config.scopes(flow.Permissions)
	m.Scope = strings.Join(scopes, " ")
	asked := v.authorizationRequest(flow, m, scopes)
	if s.pushed != "" {
		if asked, err = v.push(ctx, s, asked); err != nil {
			return nil, err
		}
	}
	target, err := url.Parse(s.authorization)
	if err != nil {
		return nil, errors.New("authorization endpoint: not a URL")
	}
	target.RawQuery = joinQuery(target.RawQuery, asked)
	state, err := m.encode()
	if err != nil {
		return nil, fmt.Errorf("encode the state of the login: %w", err)
	}
	return connector.Redirect{URL: target.String(), State: state}, nil
}

// authorizationRequest returns the request's parameters.
func (v *visit) authorizationRequest(flow connector.Flow, m memory, scopes []string) parameters {
	var asked parameters
	asked.add("response_type", "code")
	asked.add(v.config.clientIDParameter(), v.client.ID)
	asked.add("redirect_uri", flow.CallbackURL)
	if len(scopes) > 0 {
		asked.add(orElse(v.config.ScopeParameter, "scope"), strings.Join(scopes, orElse(v.config.ScopeSeparator, " ")))
	}
	asked.add("state", flow.RedirectState)
	if v.config.PKCE != unsupported {
		asked.add("code_challenge", m.challenge())
		asked.add("code_challenge_method", "S256")
	}
	if m.Nonce != "" {
		asked.add("nonce", m.Nonce)
	}
	asked.addAll(v.config.AuthorizationParameters)
	return asked
}

// scopes returns the scopes to ask for, each once: those of always, then those
// of the permissions. A permission that the file does not know adds none.
func (c *Config) scopes(permissions []string) []string {
	all := slices.Clone(c.Scopes)
	for _, permission := range permissions {
		all = append(all, c.Permissions[permission]...)
	}
	var once []string
	for _, scope := range all {
		if !slices.Contains(once, scope) {
			once = append(once, scope)
		}
	}
	return once
}

// joinQuery adds parameters to an endpoint's own query, of which those that
// the request sets are dropped.
func joinQuery(query string, added parameters) string {
	kept, _ := url.ParseQuery(query)
	for _, parameter := range added {
		kept.Del(parameter.name)
	}
	var all parameters
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		for _, value := range kept[name] {
			all.add(name, value)
		}
	}
	return string(append(all, added...).form())
}

// requestURIPattern is what a server may call a pushed request.
var requestURIPattern = regexp.MustCompile(`^[\x21-\x7e]{1,1000}$`)

// push hands the request to the server beforehand (RFC 9126) and returns the
// parameters that stand for it.
func (v *visit) push(ctx context.Context, s *server, asked parameters) (parameters, error) {
	a, err := v.ask(ctx, s, clientRequest{endpoint: "pushed authorization request endpoint", address: s.pushed, parameters: asked, named: true})
	if err != nil {
		return nil, err
	}
	defer a.close()
	members, err := a.object()
	if err != nil {
		return nil, err
	}
	uri, _ := textOf(members["request_uri"])
	if a.status != http.StatusCreated && a.status != http.StatusOK || !requestURIPattern.MatchString(uri) {
		return nil, fmt.Errorf("%s: no request_uri", a.endpoint)
	}
	var short parameters
	short.add(v.config.clientIDParameter(), v.client.ID)
	short.add("request_uri", uri)
	return short, nil
}

// clientIDParameter returns what the provider calls the client's id.
func (c *Config) clientIDParameter() string { return orElse(c.ClientIDParameter, "client_id") }

// orElse returns the value, or the other where it is empty.
func orElse(value, other string) string {
	if value == "" {
		return other
	}
	return value
}
