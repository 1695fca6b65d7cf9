package latchkey

import (
	"context"
	"iter"
	"net/url"
	"time"
)

// ConnectionsService keeps the linked accounts. Its calls need the scope
// ACCOUNT.
type ConnectionsService struct{ client *Client }

// ConnectionStatus is how a connection stands.
type ConnectionStatus string

// The statuses of a connection.
const (
	ConnectionActive      ConnectionStatus = "active"
	ConnectionExpired     ConnectionStatus = "expired" // the person must link again
	ConnectionAwaiting2FA ConnectionStatus = "awaiting_2fa"
	ConnectionPending     ConnectionStatus = "pending"
)

// Connection is a linked account.
type Connection struct {
	ID                string            `json:"id"` // conn_…
	Status            ConnectionStatus  `json:"status"`
	UserData          UserData          `json:"userData"`
	Permissions       []string          `json:"permissions"`
	ExpiredAt         *time.Time        `json:"expiredAt"`
	CreatedAt         time.Time         `json:"createdAt"`
	UpdatedAt         time.Time         `json:"updatedAt"`
	ClientReferenceID *string           `json:"clientReferenceId"`
	Imported          bool              `json:"imported"`
	LastCheckedAt     *time.Time        `json:"lastCheckedAt"`
	Provider          string            `json:"provider"`
	Metadata          map[string]string `json:"metadata"`
	Expiry            *Expiry           `json:"expiry"` // nil: not expired
}

// Expiry says why a connection has expired.
type Expiry struct {
	Reason    string `json:"reason"`
	CanReauth bool   `json:"canReauth"` // it can be linked anew
	// ReconnectURL is where to send the person for that; empty where the app has
	// no pages.
	ReconnectURL string `json:"reconnectUrl,omitempty"`
}

// ConnectionFilter narrows a list of connections; zero fields do not narrow.
type ConnectionFilter struct {
	Status            ConnectionStatus
	Imported          *bool
	ClientReferenceID string
	Provider          string
	Limit, Offset     int // as in ListOptions
}

func (f ConnectionFilter) query() url.Values {
	return query{}.text("status", string(f.Status)).flag("imported", f.Imported).
		text("clientReferenceId", f.ClientReferenceID).text("provider", f.Provider).page(f.Limit, f.Offset)
}

// List returns one page of the connections, newest first.
func (s *ConnectionsService) List(ctx context.Context, filter ConnectionFilter) (*Page[Connection], error) {
	return get[Page[Connection]](ctx, s.client, call{pattern: "GET /v2/account/connections", query: filter.query()})
}

// All reads all connections, newest first, page by page.
func (s *ConnectionsService) All(ctx context.Context, filter ConnectionFilter) iter.Seq2[Connection, error] {
	return all(filter.Limit, filter.Offset, func(limit, offset int) (*Page[Connection], error) {
		filter.Limit, filter.Offset = limit, offset
		return s.List(ctx, filter)
	})
}

// Get returns one connection.
func (s *ConnectionsService) Get(ctx context.Context, id string) (*Connection, error) {
	return get[Connection](ctx, s.client, call{pattern: "GET /v2/account/connections/{id}", id: id})
}

// Invalidate ends the connection's credential and keeps its record: its status
// becomes ConnectionExpired.
func (s *ConnectionsService) Invalidate(ctx context.Context, id string) error {
	_, err := s.client.do(ctx, call{pattern: "POST /v2/account/connections/{id}/invalidate", id: id, again: true}, nil)
	return err
}

// Disconnect deletes the connection, shreds its credential and tells the
// provider.
func (s *ConnectionsService) Disconnect(ctx context.Context, id string) error {
	_, err := s.client.do(ctx, call{pattern: "DELETE /v2/account/connections/{id}", id: id}, nil)
	return err
}
