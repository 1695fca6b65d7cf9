package api

import (
	"net/http"
	"time"

	"latchkey"
	"latchkey/internal/account"
	"latchkey/internal/web"
)

// apiKeyRequest is the body of POST and PATCH of API keys.
type apiKeyRequest struct {
	Environment web.Optional[latchkey.Environment] `json:"environment"`
	Name        web.Optional[string]               `json:"name"`
	Scopes      web.Optional[[]latchkey.Scope]     `json:"scopes"`
	ExpiresAt   web.Nullable[*string]              `json:"expiresAt"` // "" is no time, and not none
}

func (r apiKeyRequest) change() (account.APIKeyChange, error) {
	change := account.APIKeyChange{
		Environment: r.Environment.Pointer(), Name: r.Name.Pointer(), Scopes: r.Scopes.Pointer(),
	}
	switch text := r.ExpiresAt.Pointer(); {
	case text == nil:
	case *text == nil: // null: never
		change.ExpiresAt = &time.Time{}
	default:
		expires, err := web.ParseTime("expiresAt", **text)
		if err != nil {
			return change, err
		}
		change.ExpiresAt = &expires
	}
	return change, nil
}

// apiKeyBody is an API key as the API tells of it. The key itself is there once,
// in the answer that made it.
type apiKeyBody struct {
	ID          string               `json:"id"`
	Name        string               `json:"name"`
	Environment latchkey.Environment `json:"environment"`
	Scopes      []latchkey.Scope     `json:"scopes"`
	Prefix      string               `json:"prefix"`
	ExpiresAt   *string              `json:"expiresAt"`
	LastUsedAt  *string              `json:"lastUsedAt"`
	CreatedAt   string               `json:"createdAt"`
	Key         string               `json:"key,omitzero"`
}

func describeAPIKey(key latchkey.APIKey) apiKeyBody {
	return apiKeyBody{
		ID: key.ID, Name: key.Name, Environment: key.Environment, Scopes: key.Scopes, Prefix: key.Prefix,
		ExpiresAt: latchkey.FormatOptionalTime(key.ExpiresAt), LastUsedAt: latchkey.FormatOptionalTime(key.LastUsedAt),
		CreatedAt: latchkey.FormatTime(key.CreatedAt),
	}
}

// decodeAPIKey reads the body of POST and PATCH.
func decodeAPIKey(w http.ResponseWriter, r *http.Request) (account.APIKeyChange, error) {
	var body apiKeyRequest
	if err := web.Decode(w, r, &body); err != nil {
		return account.APIKeyChange{}, err
	}
	return body.change()
}

// apiKeyCreate answers POST /v2/api-keys.
func (d *door) apiKeyCreate(w http.ResponseWriter, r *http.Request) error {
	asked, err := decodeAPIKey(w, r)
	if err != nil {
		return err
	}
	key, text, err := d.config.Accounts.CreateAPIKey(r.Context(), web.Caller(r.Context()), asked)
	if err != nil {
		return err
	}
	answer := describeAPIKey(key)
	answer.Key = text
	return web.WriteJSON(w, http.StatusCreated, answer)
}

// apiKeysList answers GET /v2/api-keys.
func (d *door) apiKeysList(w http.ResponseWriter, r *http.Request) error {
	limit, offset, err := web.Paging(r)
	if err != nil {
		return err
	}
	keys, more, err := d.config.Accounts.APIKeys(r.Context(), web.Caller(r.Context()), limit, offset)
	if err != nil {
		return err
	}
	list := make([]apiKeyBody, len(keys))
	for i, key := range keys {
		list[i] = describeAPIKey(key)
	}
	return web.WriteList(w, list, more, offset)
}

// apiKeyGet answers GET /v2/api-keys/{id}.
func (d *door) apiKeyGet(w http.ResponseWriter, r *http.Request) error {
	key, err := d.config.Accounts.APIKey(r.Context(), web.Caller(r.Context()), r.PathValue("id"))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, describeAPIKey(key))
}

// apiKeyUpdate answers PATCH /v2/api-keys/{id}.
func (d *door) apiKeyUpdate(w http.ResponseWriter, r *http.Request) error {
	asked, err := decodeAPIKey(w, r)
	if err != nil {
		return err
	}
	key, err := d.config.Accounts.UpdateAPIKey(r.Context(), web.Caller(r.Context()), r.PathValue("id"), asked)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, describeAPIKey(key))
}

// apiKeyRevoke answers DELETE /v2/api-keys/{id}.
func (d *door) apiKeyRevoke(w http.ResponseWriter, r *http.Request) error {
	if err := d.config.Accounts.RevokeAPIKey(r.Context(), web.Caller(r.Context()), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
