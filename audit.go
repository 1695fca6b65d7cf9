package latchkey

import "time"

// AuditRecord is one line of the append-only record of who did what.
type AuditRecord struct {
	OrganisationID string
	Environment    Environment
	Actor          string // a key's id, or the session of the person
	Action         AuditAction
	Subject        string // the id of what it was done to
	Detail         string // a JSON object; never a secret
	CreatedAt      time.Time
	Chain          ChainLink // where it stands in the chain; set by the store
}

// ChainLink is a record's place in its organisation's hash chain. Records are
// spread over lanes, so that those of different subjects need not wait for
// each other; within a lane each hash covers the one before.
type ChainLink struct {
	Lane   int    `json:"lane"`   // 0 to 15
	Number int64  `json:"number"` // within the lane, from 1; 0: written before there were chains
	Hash   string `json:"hash"`   // SHA-256, in hexadecimal
}

// AuditHead is the last record of one chain at some moment. Kept outside of the
// database, it tells later whether records were cut off since.
type AuditHead struct {
	OrganisationID string `json:"organisation"`
	Lane           int    `json:"lane"`
	Number         int64  `json:"number"`
	Hash           string `json:"hash"`
}

// AuditFilter narrows a list of records; zero fields do not narrow.
type AuditFilter struct {
	OrganisationID string
	Environment    Environment
	Actor          string
	Action         AuditAction
	Subject        string
	From, To       time.Time // created at or after, and before
	Limit, Offset  int
}

// AuditAction names what was done.
type AuditAction string

// The actions that leave a record.
const (
	AuditConsent          AuditAction = "consent.given"
	AuditCredentialOpened AuditAction = "credential.opened"
	AuditDisconnected     AuditAction = "connection.disconnected"
	AuditInvalidated      AuditAction = "connection.invalidated"

	// The receipts of credentials that are to be ended at their providers.
	AuditRevoked          AuditAction = "credential.revoked"           // the provider has confirmed it
	AuditNotRevocable     AuditAction = "credential.not_revocable"     // the provider knows no way
	AuditRevocationFailed AuditAction = "credential.revocation_failed" // not yet: it is tried again

	AuditCredentialReturned AuditAction = "credential.returned" // to an app that may have it
	AuditImported           AuditAction = "connection.imported"
	AuditAppCreated         AuditAction = "client_app.created"
	AuditAppUpdated         AuditAction = "client_app.updated"
	AuditAppDeleted         AuditAction = "client_app.deleted"
	AuditKeyCreated         AuditAction = "api_key.created"
	AuditKeyUpdated         AuditAction = "api_key.updated"
	AuditKeyRevoked         AuditAction = "api_key.revoked"
	AuditEndpointCreated    AuditAction = "webhook_endpoint.created"
	AuditEndpointUpdated    AuditAction = "webhook_endpoint.updated"
	AuditEndpointDeleted    AuditAction = "webhook_endpoint.deleted"
	AuditSecretRotated      AuditAction = "webhook_endpoint.secret_rotated"
	AuditSettingsUpdated    AuditAction = "settings.updated"
)

// AuditActions lists every action, for filters.
func AuditActions() []AuditAction {
	return []AuditAction{
		AuditConsent, AuditCredentialOpened, AuditCredentialReturned, AuditRevoked, AuditNotRevocable, AuditRevocationFailed, AuditImported, AuditDisconnected, AuditInvalidated,
		AuditAppCreated, AuditAppUpdated, AuditAppDeleted, AuditKeyCreated, AuditKeyUpdated, AuditKeyRevoked,
		AuditEndpointCreated, AuditEndpointUpdated, AuditEndpointDeleted, AuditSecretRotated, AuditSettingsUpdated,
	}
}
