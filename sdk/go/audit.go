package latchkey

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
	"time"
)

// AuditService tells who did what. Its calls need the scope ADMIN.
type AuditService struct{ client *Client }

// AuditAction names what was done.
type AuditAction string

// The actions that leave a record.
const (
	AuditConsentGiven                 AuditAction = "consent.given"
	AuditCredentialOpened             AuditAction = "credential.opened"
	AuditCredentialReturned           AuditAction = "credential.returned"
	AuditCredentialRevoked            AuditAction = "credential.revoked"           // the provider has confirmed it
	AuditCredentialNotRevocable       AuditAction = "credential.not_revocable"     // the provider knows no way
	AuditCredentialRevocationFailed   AuditAction = "credential.revocation_failed" // not yet: it is tried again
	AuditConnectionImported           AuditAction = "connection.imported"
	AuditConnectionDisconnected       AuditAction = "connection.disconnected"
	AuditConnectionInvalidated        AuditAction = "connection.invalidated"
	AuditClientAppCreated             AuditAction = "client_app.created"
	AuditClientAppUpdated             AuditAction = "client_app.updated"
	AuditClientAppDeleted             AuditAction = "client_app.deleted"
	AuditAPIKeyCreated                AuditAction = "api_key.created"
	AuditAPIKeyUpdated                AuditAction = "api_key.updated"
	AuditAPIKeyRevoked                AuditAction = "api_key.revoked"
	AuditWebhookEndpointCreated       AuditAction = "webhook_endpoint.created"
	AuditWebhookEndpointUpdated       AuditAction = "webhook_endpoint.updated"
	AuditWebhookEndpointDeleted       AuditAction = "webhook_endpoint.deleted"
	AuditWebhookEndpointSecretRotated AuditAction = "webhook_endpoint.secret_rotated" //nolint:gosec // a name
	AuditSettingsUpdated              AuditAction = "settings.updated"
)

// AuditRecord is one line of the record, which is only ever added to.
type AuditRecord struct {
	Actor     string          `json:"actor"` // a key's id, or the session of the person
	Action    AuditAction     `json:"action"`
	Subject   string          `json:"subject"` // the id of what it was done to
	Detail    json.RawMessage `json:"detail"`  // an object
	CreatedAt time.Time       `json:"createdAt"`
	Chain     AuditChain      `json:"chain"`
}

// AuditChain is the record's place in a chain of hashes: a line that is
// removed or altered later shows.
type AuditChain struct {
	Lane   int    `json:"lane"`
	Number int64  `json:"number"` // in the lane, without gaps
	Hash   string `json:"hash"`   // hex SHA-256
}

// AuditFilter narrows a list of records; zero fields do not narrow.
type AuditFilter struct {
	Actor         string
	Action        AuditAction
	Subject       string
	From          time.Time // written at or after
	To            time.Time // written before
	Limit, Offset int       // as in ListOptions
}

func (f AuditFilter) query() url.Values {
	return query{}.text("actor", f.Actor).text("action", string(f.Action)).text("subject", f.Subject).
		time("from", f.From).time("to", f.To).page(f.Limit, f.Offset)
}

// List returns one page of the records, newest first.
func (s *AuditService) List(ctx context.Context, filter AuditFilter) (*Page[AuditRecord], error) {
	return get[Page[AuditRecord]](ctx, s.client, call{pattern: "GET /v2/audit", query: filter.query()})
}

// All reads all records, newest first, page by page.
func (s *AuditService) All(ctx context.Context, filter AuditFilter) iter.Seq2[AuditRecord, error] {
	return all(filter.Limit, filter.Offset, func(limit, offset int) (*Page[AuditRecord], error) {
		filter.Limit, filter.Offset = limit, offset
		return s.List(ctx, filter)
	})
}
