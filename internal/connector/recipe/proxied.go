package recipe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"latchkey/internal/connector"
)

// Base returns where proxied requests go. It is the same for every credential.
func (c *Connector) Base([]byte) (*url.URL, error) {
	base := *c.recipe.base
	base.Path += c.recipe.Proxy.Path
	return &base, nil
}

// Authorize adds the cookies that are due and the recipe's headers. It refuses
// a request that goes anywhere but to the recipe's own origin.
func (c *Connector) Authorize(out *http.Request, credential []byte) error {
	m, err := c.recipe.remember(credential)
	if err != nil {
		return fmt.Errorf("authorise: %w", err)
	}
	defer m.forget()
	if !sameOrigin(out.URL, c.recipe.base) {
		return errors.New("authorise: the request does not go to the recipe's own origin")
	}
	now := c.now()
	cookies := &jar{cookies: m.Cookies}
	v := values{saved: m.Saved, cookies: cookies.named(out.URL, now)}
	if err := setHeaders(out.Header, c.recipe.Proxy.Headers, v); err != nil {
		return fmt.Errorf("authorise: %w", errors.Join(err, connector.ErrDead))
	}
	if m.UserAgent != "" {
		out.Header.Set("User-Agent", m.UserAgent)
	}
	if c.recipe.Proxy.Cookies {
		out.Header.Del("Cookie")
		cookies.addTo(out, now)
	}
	return nil
}

// Keep takes the cookies that an answer of the recipe's own origin set.
func (c *Connector) Keep(credential []byte, answer *http.Response) (changed []byte, ok bool) {
	set := answer.Cookies()
	if len(set) == 0 {
		return nil, false
	}
	from := c.recipe.base
	if answer.Request != nil && answer.Request.URL != nil {
		from = answer.Request.URL
	}
	m, err := c.recipe.remember(credential)
	if err != nil || !sameOrigin(from, c.recipe.base) {
		return nil, false
	}
	defer m.forget()
	cookies := &jar{cookies: m.Cookies}
	if !cookies.store(from, set, c.now()) {
		return nil, false
	}
	m.Cookies = cookies.cookies
	changed, err = m.encode()
	return changed, err == nil
}

// Revoke logs out. A credential that the provider no longer knows is revoked
// already; where the recipe has no logout there is no way.
func (c *Connector) Revoke(ctx context.Context, access connector.Access) error {
	if len(c.recipe.Logout.Requests) == 0 {
		return connector.ErrNoRevocation
	}
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	m, err := c.recipe.remember(access.Credential)
	if err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	defer m.forget()
	gone := func(a *answer) bool {
		return a.status == http.StatusUnauthorized || (c.recipe.Logout.Gone != nil && c.recipe.Logout.Gone.holds(a))
	}
	a, err := c.visit(access.HTTP, access.Now, m).requests(ctx, c.recipe.Logout.Requests, gone)
	switch {
	case errors.Is(err, errMissing):
		return nil
	case err != nil:
		return fmt.Errorf("log out: %w", err)
	case a.status >= http.StatusBadRequest && !gone(a):
		return fmt.Errorf("log out: %w", a.unexpected())
	}
	return nil
}
