package atproto

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"latchkey/internal/connector/jsonapi"
)

// errUnknown is returned for a name behind which there is nobody: no DID, no
// document, or one that does not name the handle in turn.
var errUnknown = errors.New("the handle or DID leads to no account")

// maxWellKnown bounds the answer of /.well-known/atproto-did, in bytes.
const maxWellKnown = 4 << 10

// account is who a name leads to, and where their data lives.
type account struct {
	DID    string
	Handle string // confirmed in both directions; "" when there is none
	PDS    *url.URL
}

// find resolves what a person is called. A handle that its DID does not name in
// turn is nobody's; a DID may be without one.
func (c *Connector) find(ctx context.Context, client *http.Client, who identifier) (account, error) {
	did := who.did
	if who.handle != "" {
		var err error
		if did, err = c.resolveHandle(ctx, client, who.handle); err != nil {
			return account{}, err
		}
	}
	doc, err := c.document(ctx, client, did)
	if err != nil {
		return account{}, err
	}
	found := account{DID: did}
	if found.PDS, err = c.server(doc); err != nil {
		return account{}, err
	}
	claimed := c.handleOf(doc)
	switch {
	case who.handle != "" && claimed != who.handle:
		return account{}, fmt.Errorf("%w: the DID document does not name the handle", errUnknown)
	case who.handle != "":
		found.Handle = claimed
	case claimed != "" && c.confirms(ctx, client, claimed, did):
		found.Handle = claimed
	}
	return found, ctx.Err()
}

// confirms reports whether the handle leads to the DID.
func (c *Connector) confirms(ctx context.Context, client *http.Client, handle, did string) bool {
	resolved, err := c.resolveHandle(ctx, client, handle)
	return err == nil && resolved == did
}

// resolveHandle returns the DID of a handle: DNS is asked first and believed,
// then the web server of the handle's own domain
// (atproto.com/specs/handle, "Handle Resolution").
func (c *Connector) resolveHandle(ctx context.Context, client *http.Client, handle string) (string, error) {
	did, dnsErr := c.askDNS(ctx, client, handle)
	if dnsErr == nil && did != "" {
		return did, nil
	}
	did, err := c.askWellKnown(ctx, client, handle)
	switch {
	case err == nil:
		return did, nil
	case ctx.Err() != nil:
		return "", fmt.Errorf("resolve the handle: %w", ctx.Err())
	case dnsErr != nil:
		return "", fmt.Errorf("resolve the handle: %w", errors.Join(dnsErr, err))
	}
	// DNS has answered that it knows no DID: that the domain's web server is
	// not there either makes the handle unknown, and nothing unreachable.
	return "", errUnknown
}

// askWellKnown asks the web server of the handle's domain.
func (c *Connector) askWellKnown(ctx context.Context, client *http.Client, handle string) (string, error) {
	answer, err := jsonapi.Do(ctx, client, jsonapi.Request{
		URL:    &url.URL{Scheme: "https", Host: handle, Path: "/.well-known/atproto-did"},
		Accept: "text/plain", Limit: maxWellKnown,
	})
	if err != nil {
		return "", err
	}
	did := strings.TrimSpace(string(answer.Body))
	if !answer.OK() || !c.isDID(did) {
		return "", errUnknown
	}
	return did, nil
}
