package latchkey

import "time"

// AuditRecord is one line of the append-only record of who did what.
type AuditRecord struct {
	OrganisationID string
	Environment    Environment
	Actor          string // a key's id, or the session of the person
	Action         AuditAction
	Subject        string // the id of what it was done to
	Detail         string // JSON; never a secret
	CreatedAt      time.Time
}

// AuditAction names what was done.
type AuditAction string

// The actions that leave a record.
const (
	AuditConsent          AuditAction = "consent.given"
	AuditCredentialOpened AuditAction = "credential.opened"
	AuditDisconnected     AuditAction = "connection.disconnected"
	AuditInvalidated      AuditAction = "connection.invalidated"
)
