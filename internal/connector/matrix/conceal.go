package matrix

import "latchkey"

// Conceal names the tokens.
func (c *Connector) Conceal(encoded []byte) []latchkey.Secret {
	kept, err := c.readCredential(encoded)
	if err != nil {
		return nil
	}
	return []latchkey.Secret{kept.Access, kept.Refresh}
}
