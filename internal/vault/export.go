package vault

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/connector"
)

// Export returns a connection's credential as its app may have it: a JSON
// object. Each time leaves a record of its own, which is on disk before the
// credential is out. Who may have it is the caller's to judge.
func (v *Vault) Export(ctx context.Context, caller latchkey.Caller, connectionID string) ([]byte, error) {
	connection, sealed, err := v.load(ctx, caller, connectionID)
	if err != nil {
		return nil, err
	}
	provider, _ := v.config.Connector(connection.Provider)
	exporter, ok := provider.(connector.Exporter)
	if !ok {
		return nil, latchkey.Errorf(latchkey.Forbidden, "this provider's sessions can't be returned")
	}
	detail, err := json.Marshal(map[string]string{"purpose": string(PurposeExport), "provider": connection.Provider})
	if err != nil {
		return nil, fmt.Errorf("encode audit record: %w", err)
	}
	err = v.config.Store.RecordAudit(ctx, latchkey.AuditRecord{
		OrganisationID: connection.OrganisationID, Environment: connection.Environment, Actor: caller.KeyID,
		Action: latchkey.AuditCredentialReturned, Subject: connection.ID, Detail: string(detail), CreatedAt: v.config.Now(),
	})
	if err != nil {
		return nil, fmt.Errorf("record the return of %s: %w", connection.ID, err)
	}
	secret, err := v.openCredential(connection, sealed)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	exported, err := exporter.Export(secret)
	if err != nil {
		return nil, fmt.Errorf("export %s: %w", connection.ID, err)
	}
	return exported, nil
}
