package latchkey

import (
	"context"
	"iter"
	"time"
)

// APIKeysService manages keys. Its calls need the scope ADMIN.
type APIKeysService struct{ client *Client }

// APIKey is the record of a key that a backend calls with.
type APIKey struct {
	ID          string      `json:"id"` // key_…
	Name        string      `json:"name"`
	Environment Environment `json:"environment"`
	Scopes      []Scope     `json:"scopes"`
	Prefix      string      `json:"prefix"` // the first characters, to recognise it by
	ExpiresAt   *time.Time  `json:"expiresAt"`
	LastUsedAt  *time.Time  `json:"lastUsedAt"`
	CreatedAt   time.Time   `json:"createdAt"`
}

// APIKeyCreated is the record of a new key, with the key.
type APIKeyCreated struct {
	APIKey
	Key string `json:"key"` // shown this once
}

// NewAPIKey describes a key to be made.
type NewAPIKey struct {
	Name      string     `json:"name"`   // 1 to 100 characters
	Scopes    []Scope    `json:"scopes"` // at least one
	ExpiresAt *time.Time `json:"expiresAt,omitempty"`
}

// APIKeyPatch changes what it names and leaves the rest.
type APIKeyPatch struct {
	Name      *string             `json:"name,omitempty"`
	Scopes    []Scope             `json:"scopes,omitempty"`
	ExpiresAt Nullable[time.Time] `json:"expiresAt,omitzero"` // null: never
}

// List returns one page of the keys' records.
func (s *APIKeysService) List(ctx context.Context, options ListOptions) (*Page[APIKey], error) {
	return get[Page[APIKey]](ctx, s.client, call{pattern: "GET /v2/api-keys", query: options.query()})
}

// All reads the records of all keys, page by page.
func (s *APIKeysService) All(ctx context.Context) iter.Seq2[APIKey, error] {
	return all(0, 0, func(limit, offset int) (*Page[APIKey], error) {
		return s.List(ctx, ListOptions{Limit: limit, Offset: offset})
	})
}

// Get returns one key's record.
func (s *APIKeysService) Get(ctx context.Context, id string) (*APIKey, error) {
	return get[APIKey](ctx, s.client, call{pattern: "GET /v2/api-keys/{id}", id: id})
}

// Create makes a key of the client's own environment. Keep the Key of the
// answer: it is not shown again. Create is never sent twice.
func (s *APIKeysService) Create(ctx context.Context, key NewAPIKey) (*APIKeyCreated, error) {
	return get[APIKeyCreated](ctx, s.client, call{pattern: "POST /v2/api-keys", body: key})
}

// Update changes a key's record.
func (s *APIKeysService) Update(ctx context.Context, id string, patch APIKeyPatch) (*APIKey, error) {
	return get[APIKey](ctx, s.client, call{pattern: "PATCH /v2/api-keys/{id}", id: id, body: patch})
}

// Delete revokes a key: within a second nothing takes it any more.
func (s *APIKeysService) Delete(ctx context.Context, id string) error {
	_, err := s.client.do(ctx, call{pattern: "DELETE /v2/api-keys/{id}", id: id}, nil)
	return err
}
