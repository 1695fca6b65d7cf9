package oauth2

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"
)

// callable is a provider with an API.
type callable struct{ *Connector }

// Base returns where proxied requests go.
func (c callable) Base(secret []byte) (*url.URL, error) {
	address := c.config.API.BaseURL
	if c.config.API.BaseURLFrom.Token != "" {
		held, err := openCredential(secret)
		if err != nil {
			return nil, err
		}
		defer held.close()
		if address = held.Base; address == "" {
			return nil, errors.New("the provider has not told where its API is")
		}
	}
	base, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the base of the API is not a URL")
	}
	return base, nil
}

// Authorize adds the access token to a request.
func (c callable) Authorize(out *http.Request, secret []byte) error {
	held, err := openCredential(secret)
	if err != nil {
		return err
	}
	defer held.close()
	for name, value := range c.config.API.Headers {
		out.Header.Set(name, value)
	}
	how := c.config.API.Authorization
	if how.Query != "" {
		out.URL.RawQuery = withToken(out.URL.RawQuery, how.Query, held.Access.Reveal())
		return nil
	}
	name, value := how.header(held.Access.Reveal())
	out.Header.Set(name, value)
	return nil
}

// header returns the header with which a token is sent.
func (a Authorization) header(token []byte) (name, value string) {
	if a.Header == "" {
		return "Authorization", orElse(a.Prefix, "Bearer ") + string(token)
	}
	return a.Header, a.Prefix + string(token)
}

// withToken adds a token to a query, in place of what the caller sent by its
// name.
func withToken(query, name string, token []byte) string {
	return joinQuery(query, parameters{{name, token}})
}

// addQuery adds parameters to an address.
func addQuery(address string, added parameters) string {
	target, err := url.Parse(address)
	if err != nil {
		return address // fetch refuses it
	}
	target.RawQuery = joinQuery(target.RawQuery, added)
	return target.String()
}

// authorised returns a request with the access token, as the API's are.
func (v *visit) authorised(endpoint, address string, q Request, token []byte) request {
	out := request{endpoint: endpoint, method: orElse(q.Method, http.MethodGet), address: address, header: http.Header{}}
	for _, headers := range []map[string]string{v.config.API.Headers, q.Headers} {
		for name, value := range headers {
			out.header.Set(name, value)
		}
	}
	if q.Body != "" {
		out.header.Set("Content-Type", "application/json")
		out.body = []byte(q.Body)
	}
	how := v.config.API.Authorization
	if how.Query != "" {
		out.address = addQuery(address, parameters{{how.Query, token}})
		return out
	}
	name, value := how.header(token)
	out.header.Set(name, value)
	return out
}

// Export returns the access token and what is known of it. The refresh token
// stays here: if an app used it, a provider that rotates refresh tokens would
// take the next renewal for a theft.
func (c *Connector) Export(secret []byte) ([]byte, error) {
	held, err := openCredential(secret)
	if err != nil {
		return nil, err
	}
	defer held.close()
	exported := struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		Scope       string `json:"scope,omitzero"`
		ExpiresAt   string `json:"expires_at,omitzero"` // RFC 3339, UTC
	}{AccessToken: string(held.Access.Reveal()), TokenType: "Bearer", Scope: held.Scope}
	if expires := held.expires(); !expires.IsZero() {
		exported.ExpiresAt = expires.UTC().Format(time.RFC3339)
	}
	encoded, err := json.Marshal(exported)
	if err != nil {
		return nil, fmt.Errorf("encode the access token: %w", err)
	}
	return encoded, nil
}
