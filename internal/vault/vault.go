// Package vault is the only reader of credentials, and the guard of the half
// that can open anything. Who wants a secret says who they are and what for;
// the record of that is on disk before the secret is out.
//
//	Open(caller, connection, purpose) ─▶ authorise ─▶ audit ─▶ refresh if stale ─▶ open ─▶ Opened
//	Check(connection) ─▶ refresh if stale ─▶ audit ─▶ open ─▶ provider ─▶ zero
//	Revoke(revocation) ─▶ audit ─▶ open ─▶ provider ─▶ zero
//	SealFlow, SealCredential, SealEndpointSecret ─▶ bytes nobody else can open
package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/vault/seal"
)

// Purpose is what a secret is wanted for.
type Purpose string

// The purposes.
const (
	PurposeProxy   Purpose = "proxy"
	PurposeProfile Purpose = "profile"
	PurposeRevoke  Purpose = "revoke"
	PurposeRefresh Purpose = "refresh"
	PurposeExport  Purpose = "export"
	PurposeCheck   Purpose = "check"
)

// system is the actor of what nobody outside asked for.
const system = "latchkey"

// The fields of a binding: a ciphertext of one can't be opened as another.
const (
	fieldCredential     = "credential"
	fieldFlow           = "flow"
	fieldEndpointSecret = "endpoint_secret"
	fieldClientSecret   = "client_secret"
	schema              = 1
)

// Store is what the vault needs kept.
type Store interface {
	// Credential returns a connection with its sealed credential, or not found.
	Credential(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
	) (latchkey.Connection, latchkey.SealedCredential, error)
	// ReplaceCredential keeps a changed credential of the connection as read,
	// or fails with a conflict.
	ReplaceCredential(ctx context.Context, connection latchkey.Connection, sealed latchkey.SealedCredential,
		now time.Time) error
	// ProveCredential forgets the credential before the connection's.
	ProveCredential(ctx context.Context, connection latchkey.Connection) error
	// RestoreCredential goes back to the credential before the connection's, to
	// be refreshed once more, or fails with a conflict when there is none.
	RestoreCredential(ctx context.Context, connection latchkey.Connection, now time.Time) error
	// RecordAudit appends a record; it is on disk when nil is returned.
	RecordAudit(ctx context.Context, record latchkey.AuditRecord) error
}

// RefreshStore is what refreshing needs kept.
type RefreshStore interface {
	// LeaseRefresh gives one caller the right to refresh, the others a conflict.
	LeaseRefresh(ctx context.Context, connection latchkey.Connection, now, until time.Time) error
	// RefreshCredential keeps what a refresh under the lease brought, or fails
	// with a conflict.
	RefreshCredential(ctx context.Context, connection latchkey.Connection, until time.Time,
		sealed latchkey.SealedCredential, now time.Time) error
	// ReleaseRefresh ends a lease that brought nothing.
	ReleaseRefresh(ctx context.Context, connection latchkey.Connection, until time.Time) error
	// KeepRevocation promises to end a credential that no connection has.
	KeepRevocation(ctx context.Context, revocation latchkey.Revocation) error
}

// Config says what a vault works with.
type Config struct {
	Store     Store
	Refreshes RefreshStore
	Keys      *Keys
	Connector func(provider string) (connector.Connector, bool)
	Client    func(connection latchkey.Connection) *http.Client // the way out of that connection
	// Dead is told of a connection whose provider no longer accepts it.
	Dead func(ctx context.Context, connection latchkey.Connection, reason string) error
	// Blocked is told of a provider that refused to be asked; nil: nobody is.
	Blocked func(provider string, cause error)
	// FingerprintKey is what Fingerprint hashes with; the same in every replica.
	FingerprintKey []byte
	Now            func() time.Time
	Log            *slog.Logger
}

// Vault guards the credentials. Its methods are safe for concurrent use.
type Vault struct {
	config Config
	recent *recentUses
	proofs *recentUses // credentials that have been proved, or that a refresh has just brought
	turns  *turns      // of refreshes
	writes *turns      // of audit records
}

// New returns a vault.
func New(config Config) *Vault {
	return &Vault{config: config, recent: newRecentUses(), proofs: newRecentUses(), turns: newTurns(), writes: newTurns()}
}

// Opened is a connection with its secret out. Close it soon.
type Opened struct {
	Connection latchkey.Connection
	Connector  connector.Connector
	Credential []byte
	ExpiresAt  time.Time
	sealed     latchkey.SealedCredential // as it was stored
	client     func(latchkey.Connection) *http.Client
}

// Close zeroes the secret.
func (o *Opened) Close() { clear(o.Credential) }

// Access returns what a connector's skill works with.
func (o *Opened) Access(now time.Time) connector.Access {
	return connector.Access{ConnectionID: o.Connection.ID, Credential: o.Credential, HTTP: o.client(o.Connection), Now: now}
}

// Open returns the connection's secret to a caller with the ACCESS scope. It
// is SESSION_NOT_PROVIDED for a connection that is unknown or not the
// caller's, SESSION_EXPIRED for one that has ended; and internal, with the
// secret kept, when the audit record can't be written.
func (v *Vault) Open(ctx context.Context, caller latchkey.Caller, connectionID string, purpose Purpose) (*Opened, error) {
	if !caller.Has(latchkey.ScopeAccess) {
		return nil, latchkey.Errorf(latchkey.Forbidden, "this key does not have the scope %s", latchkey.ScopeAccess)
	}
	connection, sealed, err := v.load(ctx, caller, connectionID)
	if err != nil {
		return nil, err
	}
	provider, ok := v.config.Connector(connection.Provider)
	if !ok {
		return nil, fmt.Errorf("connection %s: provider %s is not served here", connection.ID, connection.Provider)
	}
	if err := v.audit(ctx, connection, caller.KeyID, purpose); err != nil {
		return nil, err
	}
	connection, sealed, err = v.refreshIfStale(ctx, caller, provider, connection, sealed)
	if err != nil {
		return nil, err
	}
	return v.opened(provider, connection, sealed)
}

// opened takes the secret out. The record of that must be on disk.
func (v *Vault) opened(provider connector.Connector, connection latchkey.Connection, sealed latchkey.SealedCredential,
) (*Opened, error) {
	secret, err := v.openCredential(connection, sealed)
	if err != nil {
		return nil, err
	}
	return &Opened{
		Connection: connection, Connector: provider, Credential: secret,
		ExpiresAt: sealed.ExpiresAt, sealed: sealed, client: v.config.Client,
	}, nil
}

// openCredential opens the credential that the connection has now. An older one
// that was put back into its row is refused: its digest, in another table, is
// not that of the newest. Releases that kept no digest sealed otherwise.
func (v *Vault) openCredential(connection latchkey.Connection, sealed latchkey.SealedCredential) ([]byte, error) {
	_, unmarked := seal.KeyIDOf(sealed.Bytes)
	if digest := sha256.Sum256(sealed.Bytes); !bytes.Equal(digest[:], sealed.Digest) && (unmarked != nil || sealed.Digest != nil) {
		return nil, fmt.Errorf("open credential of %s: it is not the newest: %w", connection.ID, seal.ErrOpen)
	}
	secret, err := v.config.Keys.Open(credentialBinding(connection.OrganisationID, connection.ID), sealed.Bytes)
	if err != nil {
		return nil, fmt.Errorf("open credential of %s: %w", connection.ID, err)
	}
	return secret, nil
}

// load finds the connection for the caller and refuses one that has ended.
func (v *Vault) load(ctx context.Context, caller latchkey.Caller, id string,
) (latchkey.Connection, latchkey.SealedCredential, error) {
	if !latchkey.ValidID(id, latchkey.PrefixConnection) {
		return latchkey.Connection{}, latchkey.SealedCredential{}, notProvided()
	}
	connection, sealed, err := v.config.Store.Credential(ctx, caller.OrganisationID, caller.Environment, id)
	switch {
	case latchkey.CodeOf(err) == latchkey.NotFound:
		return connection, sealed, notProvided()
	case err != nil:
		return connection, sealed, err
	case connection.AppSuspended:
		return connection, sealed, latchkey.Errorf(latchkey.Forbidden, "the connection's client app is suspended")
	case connection.Status == latchkey.ConnectionExpired:
		return connection, sealed, expired()
	case connection.Status != latchkey.ConnectionActive, sealed.Bytes == nil:
		return connection, sealed, notProvided()
	}
	return connection, sealed, nil
}

// Keep seals and stores a credential that the provider's answer changed. That
// another credential has come meanwhile is no error: the newer one stays.
func (v *Vault) Keep(ctx context.Context, opened *Opened, changed []byte) error {
	sealed, err := v.SealCredential(opened.Connection.OrganisationID, opened.Connection.ID, changed)
	if err != nil {
		return err
	}
	err = v.replace(ctx, opened.Connection, opened.sealed.Bytes,
		latchkey.SealedCredential{Bytes: sealed, ExpiresAt: opened.ExpiresAt})
	if latchkey.CodeOf(err) == latchkey.Conflict {
		return nil
	}
	return err
}

// replaceRounds bounds how often a credential is stored again because its
// connection was changed meanwhile.
const replaceRounds = 5

// replace stores a credential in the place of the one before. A connection of
// which only something else has changed, as its settings, does not lose it.
func (v *Vault) replace(ctx context.Context, connection latchkey.Connection, before []byte,
	sealed latchkey.SealedCredential,
) error {
	var err error
	for range replaceRounds {
		err = v.config.Store.ReplaceCredential(ctx, connection, sealed, v.config.Now())
		if latchkey.CodeOf(err) != latchkey.Conflict {
			break
		}
		current, stored, loadErr := v.config.Store.Credential(ctx, connection.OrganisationID, connection.Environment, connection.ID)
		if loadErr != nil || !v.isSame(connection, stored.Bytes, before) {
			break
		}
		connection = current
	}
	return err
}

// isSame reports whether sealed bytes hold the credential that others held: they
// may have been sealed anew meanwhile.
func (v *Vault) isSame(connection latchkey.Connection, stored, before []byte) bool {
	if bytes.Equal(stored, before) {
		return true
	}
	binding := credentialBinding(connection.OrganisationID, connection.ID)
	one, err := v.config.Keys.Open(binding, stored)
	if err != nil {
		return false
	}
	defer clear(one)
	other, err := v.config.Keys.Open(binding, before)
	defer clear(other)
	return err == nil && subtle.ConstantTimeCompare(one, other) == 1
}

// expire ends a connection that the provider no longer accepts, and returns the
// error for the caller.
func (v *Vault) expire(ctx context.Context, connection latchkey.Connection, reason string) error {
	if err := v.config.Dead(ctx, connection, reason); err != nil {
		return fmt.Errorf("expire connection %s: %w", connection.ID, err)
	}
	return expired()
}

func notProvided() error {
	return latchkey.Errorf(latchkey.SessionNotProvided, "x-connection-id does not name a connection of this key")
}

func expired() error {
	return latchkey.Errorf(latchkey.SessionExpired, "the connection has expired: the user must link again")
}
