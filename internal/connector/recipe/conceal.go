package recipe

import (
	"bytes"

	"latchkey"
)

// Conceal names the cookies, the saved values and what is kept to log in again.
func (c *Connector) Conceal(credential []byte) []latchkey.Secret {
	m, err := c.recipe.remember(credential)
	if err != nil {
		return nil
	}
	defer m.forget()
	var secrets []latchkey.Secret
	for _, kept := range m.Cookies {
		secrets = append(secrets, latchkey.NewSecret([]byte(kept.Value)))
	}
	for _, value := range m.Saved {
		secrets = append(secrets, latchkey.NewSecret([]byte(value)))
	}
	for _, value := range m.Kept {
		secrets = append(secrets, latchkey.NewSecret(bytes.Clone(value)))
	}
	return secrets
}
