package auth

import (
	"io"
	"time"

	"latchkey"
)

// shownLength is how much of a key stays readable, to recognise it by.
const shownLength = 6

// NewKey makes a key for an organisation. The text is shown once and kept
// nowhere.
func NewKey(random io.Reader, organisationID string, environment latchkey.Environment, name string,
	scopes []latchkey.Scope, now time.Time,
) (key latchkey.APIKey, text string) {
	prefix := latchkey.PrefixSandboxKey
	if environment == latchkey.Live {
		prefix = latchkey.PrefixLiveKey
	}
	text = latchkey.NewSecretID(random, prefix)
	return latchkey.APIKey{
		ID: latchkey.NewID(random, latchkey.PrefixKey), OrganisationID: organisationID, Environment: environment,
		Name: name, Prefix: text[:len(prefix)+shownLength], Hash: latchkey.HashSecret(text), Scopes: scopes,
		CreatedAt: now,
	}, text
}
