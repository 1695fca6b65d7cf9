package oauth2

import "latchkey"

// Conceal names the tokens.
func (c callable) Conceal(secret []byte) []latchkey.Secret {
	held, err := openCredential(secret)
	if err != nil {
		return nil
	}
	return []latchkey.Secret{held.Access, held.Refresh}
}
