package latchkey

import (
	"context"
	"fmt"
	"io"
)

// ImportRequest is an account that was linked elsewhere. It has either a
// Cookie and the UserAgent that it was issued to, or Credentials and the
// Provider that they belong to.
type ImportRequest struct {
	Provider          string            `json:"provider,omitempty"`
	Cookie            string            `json:"cookie,omitempty"`
	UserAgent         string            `json:"userAgent,omitempty"`
	Credentials       map[string]string `json:"credentials,omitempty"` // up to 20, named as the provider's fields are
	Permissions       []string          `json:"permissions,omitempty"`
	ClientReferenceID string            `json:"clientReferenceId,omitempty"`
}

// Format keeps the credentials out of logs, for every verb of fmt.
func (ImportRequest) Format(state fmt.State, _ rune) {
	_, _ = io.WriteString(state, "latchkey.ImportRequest{…}")
}

// ReimportRequest is new credentials of an imported account: a Cookie with the
// UserAgent that it was issued to, or Credentials.
type ReimportRequest struct {
	Cookie      string            `json:"cookie,omitempty"`
	UserAgent   string            `json:"userAgent,omitempty"`
	Credentials map[string]string `json:"credentials,omitempty"`
}

// Format keeps the credentials out of logs, for every verb of fmt.
func (ReimportRequest) Format(state fmt.State, _ rune) {
	_, _ = io.WriteString(state, "latchkey.ReimportRequest{…}")
}

// Import makes a connection of an account that was linked elsewhere. The
// provider is asked first whether the credentials work. It is never sent
// twice.
func (s *ConnectionsService) Import(ctx context.Context, request ImportRequest) (*Connection, error) {
	return get[Connection](ctx, s.client, call{pattern: "POST /v2/account/connections/import", body: request})
}

// Reimport gives an imported connection new credentials of the same person;
// another person's are a conflict. It is never sent twice.
func (s *ConnectionsService) Reimport(ctx context.Context, id string, request ReimportRequest) (*Connection, error) {
	return get[Connection](ctx, s.client,
		call{pattern: "PATCH /v2/account/connections/import/{id}", id: id, body: request, once: true})
}
