package account

import (
	"context"
	"slices"
	"strconv"
	"time"

	"latchkey"
)

// maxKeyName bounds a key's name, in characters.
const maxKeyName = 100

// APIKeyChange is what is asked of an API key; nil fields stay as they are.
type APIKeyChange struct {
	Environment *latchkey.Environment // the caller's, or an error
	Name        *string
	Scopes      *[]latchkey.Scope
	ExpiresAt   *time.Time // the zero time: never
}

// APIKeys returns the caller's keys that are not revoked, newest first, and
// whether there are more.
func (a *Account) APIKeys(ctx context.Context, caller latchkey.Caller, limit, offset int,
) ([]latchkey.APIKey, bool, error) {
	return a.config.Keys.APIKeys(ctx, caller.OrganisationID, caller.Environment, limit, offset)
}

// APIKey returns one of the caller's keys.
func (a *Account) APIKey(ctx context.Context, caller latchkey.Caller, id string) (latchkey.APIKey, error) {
	if !latchkey.ValidID(id, latchkey.PrefixKey) {
		return latchkey.APIKey{}, notFound("API key")
	}
	return a.config.Keys.APIKey(ctx, caller.OrganisationID, caller.Environment, id)
}

// CreateAPIKey makes a key for the caller's environment. Its text is returned
// this once.
func (a *Account) CreateAPIKey(ctx context.Context, caller latchkey.Caller, asked APIKeyChange,
) (latchkey.APIKey, string, error) {
	wanted := latchkey.APIKey{Environment: caller.Environment}
	if err := fixed("environment", wanted.Environment, asked.Environment); err != nil {
		return wanted, "", err
	}
	given, err := a.changeKey(&wanted, asked)
	if err != nil {
		return wanted, "", err
	}
	key, text := a.config.NewKey(a.config.Random, caller.OrganisationID, caller.Environment, wanted.Name, wanted.Scopes,
		a.config.Now())
	key.ExpiresAt = wanted.ExpiresAt
	record, err := a.record(caller, latchkey.AuditKeyCreated, key.ID, given)
	if err != nil {
		return wanted, "", err
	}
	if err := a.config.Keys.CreateAPIKey(ctx, key, record); err != nil {
		return wanted, "", err
	}
	return key, text, nil
}

// UpdateAPIKey changes one of the caller's keys and returns it as it then is. A
// change of nothing leaves no trace.
func (a *Account) UpdateAPIKey(ctx context.Context, caller latchkey.Caller, id string, asked APIKeyChange,
) (latchkey.APIKey, error) {
	before, err := a.APIKey(ctx, caller, id)
	if err != nil {
		return before, err
	}
	if err := fixed("environment", before.Environment, asked.Environment); err != nil {
		return before, err
	}
	after := before
	changed, err := a.changeKey(&after, asked)
	if err != nil || len(changed) == 0 {
		return before, err
	}
	record, err := a.record(caller, latchkey.AuditKeyUpdated, id, changed)
	if err != nil {
		return before, err
	}
	if err := a.config.Keys.UpdateAPIKey(ctx, before, after, record); err != nil {
		return before, err
	}
	return after, nil
}

// RevokeAPIKey ends one of the caller's keys for good: here at once, in other
// processes within a second.
func (a *Account) RevokeAPIKey(ctx context.Context, caller latchkey.Caller, id string) error {
	if !latchkey.ValidID(id, latchkey.PrefixKey) {
		return notFound("API key")
	}
	record, err := a.record(caller, latchkey.AuditKeyRevoked, id, nil)
	if err != nil {
		return err
	}
	err = a.config.Keys.RevokeAPIKey(ctx, caller.OrganisationID, caller.Environment, id, record.CreatedAt, record)
	if err != nil {
		return err
	}
	return nil
}

// changeKey lays a change over a key, holds it against the rules and returns
// the names of the fields that are now different.
func (a *Account) changeKey(key *latchkey.APIKey, asked APIKeyChange) ([]string, error) {
	var changed fields
	assign(&changed, "name", &key.Name, asked.Name)
	assignList(&changed, "scopes", &key.Scopes, asked.Scopes)
	if asked.ExpiresAt != nil && !asked.ExpiresAt.Equal(key.ExpiresAt) {
		key.ExpiresAt = *asked.ExpiresAt
		changed.names = append(changed.names, "expiresAt")
		if !key.ExpiresAt.IsZero() && !key.ExpiresAt.After(a.config.Now()) {
			return nil, latchkey.InvalidField("expiresAt", "must be in the future, or null for never")
		}
	}
	if err := broken("name", textRule(key.Name, maxKeyName)); err != nil {
		return nil, err
	}
	return changed.names, checkScopes(key.Scopes)
}

func checkScopes(scopes []latchkey.Scope) error {
	if len(scopes) == 0 {
		return latchkey.InvalidField("scopes", "must have at least one of LINK, ACCOUNT, ACCESS and ADMIN")
	}
	for i, scope := range scopes {
		if !slices.Contains(latchkey.AllScopes(), scope) {
			return latchkey.InvalidField("scopes."+strconv.Itoa(i), "must be LINK, ACCOUNT, ACCESS or ADMIN")
		}
		if slices.Contains(scopes[:i], scope) {
			return latchkey.InvalidField("scopes."+strconv.Itoa(i), "is there already")
		}
	}
	return nil
}
