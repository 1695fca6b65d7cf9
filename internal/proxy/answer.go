package proxy

import (
	"net/http"

	"latchkey/internal/connector"
)

// withheld are the provider's headers that the caller never sees: what could
// hold a credential, and what is ours to say.
var withheld = []string{
	"Set-Cookie", "Set-Cookie2", "Authorization", "Proxy-Authorization", "Proxy-Authenticate", "Authentication-Info",
	"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset", "X-Request-Id", "Strict-Transport-Security",
	"Content-Security-Policy", "Cache-Control", "Alt-Svc", "Clear-Site-Data", "Access-Control-Allow-Origin",
	"Access-Control-Allow-Credentials", "Public-Key-Pins", "X-Content-Type-Options", "Referrer-Policy",
}

// answered lets the vault keep what the answer changed of the credential, tells
// it when the credential was taken, and takes out of the answer what the caller
// may not see.
func (c *call) answered(answer *http.Response) error {
	if keeper, ok := c.opened.Connector.(connector.Keeper); ok && len(answer.Header.Values("Set-Cookie")) != 0 {
		changed, ok := keeper.Keep(c.opened.Credential, answer)
		if ok {
			err := c.config.Vault.Keep(c.request.Context(), c.opened, changed)
			clear(changed)
			if err != nil {
				return err
			}
		}
	}
	if answer.StatusCode < http.StatusBadRequest {
		c.config.Vault.Prove(c.request.Context(), c.opened)
	}
	c.hidden.set(answer)
	for _, name := range withheld {
		delete(answer.Header, name) // they are written as the header's keys are
	}
	if err := plain(answer); err != nil {
		return err
	}
	c.hidden.mask.header(answer.Header)
	answer.Body = c.hidden.mask.body(answer.Body, &c.lent)
	return nil
}
