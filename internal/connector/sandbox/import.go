package sandbox

import (
	"context"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/connector"
)

// sessionCookie is the cookie of a session at the sandbox: its value is the
// account's address, since a sandbox has nothing to protect.
const sessionCookie = "session"

// Imports reports that the sandbox's sessions can be imported.
func (*Connector) Imports() bool { return true }

// Import takes over the session of a Cookie header such as
// "session=you@creator.sandbox.com".
func (c *Connector) Import(ctx context.Context, flow connector.Flow, cookie, _ latchkey.Secret) (connector.Done, error) {
	if err := ctx.Err(); err != nil {
		return connector.Done{}, fmt.Errorf("import sandbox session: %w", err)
	}
	unknown := &connector.Failure{Code: latchkey.FailureInvalidCredentials, Reason: "there is no such sandbox session"}
	cookies, err := http.ParseCookie(string(cookie.Reveal()))
	if err != nil {
		return connector.Done{}, unknown
	}
	for _, part := range cookies {
		if part.Name != sessionCookie {
			continue
		}
		who, known := parseAddress([]byte(part.Value))
		switch {
		case !known || who.Behaviour == locked:
			return connector.Done{}, unknown
		case who.Behaviour == down:
			return connector.Done{}, fmt.Errorf("reach the sandbox: it is down, as asked")
		}
		issued, err := issue(who, flow.SessionID, c.at(flow.Now))
		if err != nil {
			return connector.Done{}, err
		}
		return connector.Done{User: personOf(who.Seed, who.Type).userData(), Credential: issued}, nil
	}
	return connector.Done{}, unknown
}

// Export returns {"token":"sbx_…"}.
func (*Connector) Export(credential []byte) ([]byte, error) {
	if _, err := parseCredential(string(credential)); err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(map[string]string{"token": string(credential)})
	if err != nil {
		return nil, fmt.Errorf("encode sandbox session: %w", err)
	}
	return encoded, nil
}
