package proxy

import (
	"net/http"

	"latchkey/internal/connector"
	"latchkey/internal/vault"
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
func (d *door) answered(r *http.Request, opened *vault.Opened, answer *http.Response) error {
	if keeper, ok := opened.Connector.(connector.Keeper); ok && answer.Header.Get("Set-Cookie") != "" {
		changed, ok := keeper.Keep(opened.Credential, answer)
		if ok {
			err := d.config.Vault.Keep(r.Context(), opened, changed)
			clear(changed)
			if err != nil {
				return err
			}
		}
	}
	if answer.StatusCode < http.StatusBadRequest {
		d.config.Vault.Prove(r.Context(), opened)
	}
	for _, name := range withheld {
		answer.Header.Del(name)
	}
	return nil
}
