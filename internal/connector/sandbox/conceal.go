package sandbox

import (
	"bytes"

	"latchkey"
)

// Conceal names the credential, which is one token.
func (*Connector) Conceal(credential []byte) []latchkey.Secret {
	return []latchkey.Secret{latchkey.NewSecret(bytes.Clone(credential))}
}
