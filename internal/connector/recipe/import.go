package recipe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/connector"
)

// maxUserAgent bounds an imported user agent, in bytes.
const maxUserAgent = 512

// Imports reports whether proxied requests carry cookies: then a session is
// one, and can be taken over.
func (c *Connector) Imports() bool { return c.recipe.Proxy.Cookies }

// Import takes over the session of a Cookie header, if the provider says whose
// it is. The user agent goes with every later request, since sites tie their
// sessions to it.
func (c *Connector) Import(ctx context.Context, flow connector.Flow, cookies, userAgent latchkey.Secret) (connector.Done, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	refused := &connector.Failure{Code: latchkey.FailureInvalidCredentials, Reason: "the provider does not know the session"}
	m, err := c.importMemory(string(cookies.Reveal()), string(userAgent.Reveal()))
	if err != nil {
		return connector.Done{}, refused
	}
	visit := c.visit(flow.HTTP, flow.Now, m)
	profile, err := visit.check(ctx)
	if errors.Is(err, connector.ErrDead) || errors.Is(err, errMissing) {
		return connector.Done{}, refused
	}
	if err != nil {
		return connector.Done{}, fmt.Errorf("import: %w", err)
	}
	visit.since = c.recipe.began(flow.Now)
	credential, err := visit.credential()
	if err != nil {
		return connector.Done{}, fmt.Errorf("import: %w", err)
	}
	return connector.Done{User: profile.User, Credential: credential}, nil
}

func (c *Connector) importMemory(header, userAgent string) (memory, error) {
	m := memory{Recipe: c.recipe.ID(), UserAgent: userAgent}
	if len(userAgent) > maxUserAgent || strings.ContainsFunc(userAgent, func(r rune) bool { return r < ' ' || r > '~' }) {
		return m, errors.New("malformed user agent")
	}
	if len(header) > maxCookieBytes {
		return m, errors.New("too many cookies")
	}
	parsed, err := http.ParseCookie(header)
	if err != nil || len(parsed) > maxCookies {
		return m, errors.New("malformed cookies")
	}
	for _, part := range parsed {
		m.Cookies = append(m.Cookies, cookie{Name: part.Name, Value: part.Value, Path: "/", Quoted: part.Quoted})
	}
	return m, nil
}

// exported is a session as an app may have it.
type exported struct {
	Cookies []exportedCookie  `json:"cookies"`
	Saved   map[string]string `json:"saved,omitzero"`
}

type exportedCookie struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Path  string `json:"path"`
}

// Export returns the session's cookies and saved values.
func (c *Connector) Export(credential []byte) ([]byte, error) {
	m, err := c.recipe.remember(credential)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	defer m.forget()
	session := exported{Cookies: []exportedCookie{}, Saved: m.Saved}
	for _, kept := range m.Cookies {
		session.Cookies = append(session.Cookies, exportedCookie{Name: kept.Name, Value: kept.Value, Path: kept.Path})
	}
	encoded, err := json.Marshal(session)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return encoded, nil
}
