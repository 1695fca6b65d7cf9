package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"

	"latchkey/internal/connector"
)

// scheme is the authentication scheme of the fixtures.
const scheme = "Sandbox"

// Base returns a place that can't exist (RFC 2606 section 2): the fixtures are
// served by Handler and no request ever leaves.
func (*Connector) Base([]byte) (*url.URL, error) {
	return &url.URL{Scheme: "https", Host: "sandbox.invalid", Path: "/"}, nil
}

// Authorize adds "Authorization: Sandbox sbx_…". The error of a credential past
// its end wraps connector.ErrDead.
func (c *Connector) Authorize(out *http.Request, credential []byte) error {
	if _, err := live(string(credential), c.now()); err != nil {
		return err
	}
	out.Header.Set("Authorization", scheme+" "+string(credential))
	return nil
}

// Check returns the linked person. The error of a credential past its end wraps
// connector.ErrDead.
func (c *Connector) Check(ctx context.Context, access connector.Access) (connector.Profile, error) {
	if err := ctx.Err(); err != nil {
		return connector.Profile{}, fmt.Errorf("check sandbox credential: %w", err)
	}
	p, err := live(string(access.Credential), c.at(access.Now))
	if err != nil {
		return connector.Profile{}, err
	}
	owner := personOf(p.Seed, p.Type)
	raw, err := json.Marshal(owner)
	if err != nil {
		return connector.Profile{}, fmt.Errorf("encode sandbox profile: %w", err)
	}
	return connector.Profile{User: owner.userData(), Raw: raw}, nil
}

// Revoke does nothing and succeeds, as often as it is called: the sandbox has
// no memory, and the credential is gone when its keeper has shredded it.
func (*Connector) Revoke(ctx context.Context, _ connector.Access) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("revoke sandbox credential: %w", err)
	}
	return nil
}
