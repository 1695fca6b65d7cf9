// Package account is what an organisation owns: client apps, API keys, its
// settings and the record of who did what. What may be registered is decided
// here and nowhere else.
//
//	door ─▶ Create, Update ─▶ change laid over what is stored ─▶ rules ─▶ store: object, domain claim and audit record, one fact
//	     └▶ Delete, Revoke ─▶ store: one fact                       └▶ InvalidField, which names the field
package account

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// AppStore keeps client apps. A change takes the app as it was read and fails
// with a conflict when that has moved on, or when another organisation has the
// registrable domain.
type AppStore interface {
	ClientApp(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
	) (latchkey.ClientApp, error)
	ClientApps(ctx context.Context, organisationID string, environment latchkey.Environment, limit, offset int,
	) ([]latchkey.ClientApp, bool, error)
	CreateClientApp(ctx context.Context, app latchkey.ClientApp, record latchkey.AuditRecord) error
	UpdateClientApp(ctx context.Context, before, after latchkey.ClientApp, record latchkey.AuditRecord) error
	DeleteClientApp(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
		record latchkey.AuditRecord) error
}

// KeyStore keeps API keys. Revoked ones are not found.
type KeyStore interface {
	APIKey(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
	) (latchkey.APIKey, error)
	APIKeys(ctx context.Context, organisationID string, environment latchkey.Environment, limit, offset int,
	) ([]latchkey.APIKey, bool, error)
	CreateAPIKey(ctx context.Context, key latchkey.APIKey, record latchkey.AuditRecord) error
	UpdateAPIKey(ctx context.Context, before, after latchkey.APIKey, record latchkey.AuditRecord) error
	RevokeAPIKey(ctx context.Context, organisationID string, environment latchkey.Environment, id string, at time.Time,
		record latchkey.AuditRecord) error
}

// SettingsStore keeps what an organisation decided for itself.
type SettingsStore interface {
	Settings(ctx context.Context, organisationID string) (latchkey.Organisation, error)
	UpdateSettings(ctx context.Context, before, after latchkey.Organisation, record latchkey.AuditRecord) error
}

// AuditStore keeps the record of who did what.
type AuditStore interface {
	Audit(ctx context.Context, filter latchkey.AuditFilter) ([]latchkey.AuditRecord, bool, error)
}

// Config says what the room works with.
type Config struct {
	Apps     AppStore
	Keys     KeyStore
	Settings SettingsStore
	Records  AuditStore

	// NewKey makes a key; the text is given out once.
	NewKey func(random io.Reader, organisationID string, environment latchkey.Environment, name string,
		scopes []latchkey.Scope, now time.Time) (key latchkey.APIKey, text string)
	// Served returns the ids of the providers that serve an environment.
	Served func(environment latchkey.Environment) []string

	Now    func() time.Time
	Random io.Reader
}

// Account is the room. Its methods are safe for concurrent use.
type Account struct{ config Config }

// New returns the room.
func New(config Config) *Account { return &Account{config: config} }

// auditDetail is what a record says beside who, what and when: never a value.
type auditDetail struct {
	Fields []string `json:"fields,omitempty"` // that were given or changed
}

// record returns the audit record of something that the caller does now.
func (a *Account) record(caller latchkey.Caller, action latchkey.AuditAction, subject string, fields []string,
) (latchkey.AuditRecord, error) {
	detail, err := json.Marshal(auditDetail{Fields: fields})
	if err != nil {
		return latchkey.AuditRecord{}, fmt.Errorf("encode audit detail of %s: %w", subject, err)
	}
	return latchkey.AuditRecord{
		OrganisationID: caller.OrganisationID, Environment: caller.Environment, Actor: caller.KeyID, Action: action,
		Subject: subject, Detail: string(detail), CreatedAt: a.config.Now(),
	}, nil
}

// notFound is the answer to an id that can't be one of ours.
func notFound(noun string) error { return latchkey.Errorf(latchkey.NotFound, "no such %s", noun) }
