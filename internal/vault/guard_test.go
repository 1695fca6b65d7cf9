package vault_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"testing"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
	"latchkey/internal/vault"
	"latchkey/internal/vault/seal"
)

// shelf is the app's own store, of which a test can make parts fail or lie.
type shelf struct {
	vault.Store
	mu         sync.Mutex
	auditFails func() error // nil: works
	records    int          // audit records that are on disk
	credential func(latchkey.Connection, latchkey.SealedCredential) (latchkey.Connection, latchkey.SealedCredential)
}

// RecordAudit writes the record unless it is to fail.
func (s *shelf) RecordAudit(ctx context.Context, record latchkey.AuditRecord) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.auditFails != nil {
		if err := s.auditFails(); err != nil {
			return err
		}
	}
	s.records++
	return s.Store.RecordAudit(ctx, record)
}

// Credential reads, and lets the test change what was read.
func (s *shelf) Credential(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
) (latchkey.Connection, latchkey.SealedCredential, error) {
	connection, sealed, err := s.Store.Credential(ctx, organisationID, environment, id)
	if err == nil && s.credential != nil {
		connection, sealed = s.credential(connection, sealed)
	}
	return connection, sealed, err
}

// bench is a running app and, beside it, a vault of the test's own on the same
// database with the same key.
type bench struct {
	*latchtest.Server
	vault      *vault.Vault
	shelf      *shelf
	config     vault.Config
	caller     latchkey.Caller
	connection string
	token      string // in the connection's credential
	mu         sync.Mutex
	dead       []string // connections that were reported
}

// open starts the app, links an account and builds the vault.
func open(t *testing.T, options latchtest.Options, prepare func(*latchtest.Provider)) *bench {
	t.Helper()
	b := &bench{Server: latchtest.Start(t, options)}
	if prepare != nil {
		prepare(b.Provider)
	}
	b.connection = b.link("ada")
	b.token = b.Provider.Tokens()[0]
	ring, err := seal.OpenFile(filepath.Join(b.Data, "vault.key"))
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := b.App.Store().APIKeyByHash(t.Context(), latchkey.HashSecret(b.Trial.APIKey))
	if err != nil {
		t.Fatal(err)
	}
	b.caller = latchkey.Caller{
		KeyID: key.ID, OrganisationID: key.OrganisationID, Environment: key.Environment, Scopes: key.Scopes,
	}
	b.shelf = &shelf{Store: b.App.Store()}
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	b.config = vault.Config{
		Store: b.shelf, Refreshes: b.App.Store(), Keys: b.keysOf(ring), Client: func(latchkey.Connection) *http.Client { return client },
		Connector: func(id string) (connector.Connector, bool) { return b.Provider, id == latchtest.ProviderID },
		Dead: func(_ context.Context, connection latchkey.Connection, _ string) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.dead = append(b.dead, connection.ID)
			return nil
		},
		Now: b.Clock.Now, Log: slog.New(slog.DiscardHandler),
	}
	b.vault = vault.New(b.config)
	return b
}

// keysOf returns the data keys of the app's database as a ring sees them.
func (b *bench) keysOf(ring *seal.Ring) *vault.Keys {
	kept := b.App.Store()
	return vault.NewKeys(vault.KeysConfig{
		Store: kept, Upkeep: kept, Values: kept, Ring: ring, Now: b.Clock.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
}

// link links an account of the programmable provider.
func (b *bench) link(username string) string {
	b.Helper()
	visit := b.Visit(b.Init(map[string]any{"provider": latchtest.ProviderID}).URL).Consent().
		Submit("continue", "username", username, "password", latchtest.Password)
	if visit.Landed == nil {
		b.Fatalf("the login did not end: %s", visit.Text())
	}
	return visit.Landed.Query().Get("connection_id")
}

// records returns what the audit says of uses of a connection, as actor and
// detail.
func (b *bench) records(connection string) []latchkey.AuditRecord {
	b.Helper()
	all, err := b.App.Store().AuditOf(b.Context(), b.caller.OrganisationID, connection)
	if err != nil {
		b.Fatal(err)
	}
	var uses []latchkey.AuditRecord
	for _, record := range all {
		if record.Action == latchkey.AuditCredentialOpened {
			uses = append(uses, record)
		}
	}
	return uses
}

func TestTheSecretIsOutForAsLongAsItIsOpen(t *testing.T) {
	b := open(t, latchtest.Options{}, nil)
	opened, err := b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy)
	if err != nil {
		t.Fatal(err)
	}
	if string(opened.Credential) != b.Provider.Tokens()[0] || opened.Connection.ID != b.connection {
		t.Error("it is not the connection's credential")
	}
	access := opened.Access(b.Clock.Now())
	opened.Close()
	for i := range opened.Credential {
		if opened.Credential[i] != 0 || access.Credential[i] != 0 {
			t.Fatal("the credential is still there after Close")
		}
	}
	opened.Close() // again is no matter
}

func TestWhoMayNotOpenGetsNothing(t *testing.T) {
	b := open(t, latchtest.Options{}, nil)
	other := b.caller
	other.OrganisationID = latchkey.NewID(rand.Reader, latchkey.PrefixOrganisation)
	live := b.caller
	live.Environment = latchkey.Live
	scopeless := b.caller
	scopeless.Scopes = []latchkey.Scope{latchkey.ScopeLink, latchkey.ScopeAccount, latchkey.ScopeAdmin}
	for name, c := range map[string]struct {
		caller latchkey.Caller
		id     string
		want   latchkey.Code
	}{
		"no scope":              {scopeless, b.connection, latchkey.Forbidden},
		"nobody":                {latchkey.Caller{}, b.connection, latchkey.Forbidden},
		"another organisation":  {other, b.connection, latchkey.SessionNotProvided},
		"the other environment": {live, b.connection, latchkey.SessionNotProvided},
		"an unknown connection": {b.caller, "conn_0", latchkey.SessionNotProvided},
		"no connection":         {b.caller, "", latchkey.SessionNotProvided},
		"what is no id":         {b.caller, b.connection + "'", latchkey.SessionNotProvided},
	} {
		opened, err := b.vault.Open(t.Context(), c.caller, c.id, vault.PurposeProxy)
		if opened != nil || latchkey.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	for _, status := range []latchkey.ConnectionStatus{latchkey.ConnectionPending, latchkey.ConnectionAwaiting2FA, latchkey.ConnectionExpired} {
		b.shelf.credential = func(c latchkey.Connection, s latchkey.SealedCredential) (latchkey.Connection, latchkey.SealedCredential) {
			c.Status = status
			return c, s
		}
		want := latchkey.SessionNotProvided
		if status == latchkey.ConnectionExpired {
			want = latchkey.SessionExpired
		}
		if opened, err := b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy); opened != nil || latchkey.CodeOf(err) != want {
			t.Errorf("%s: %v, want %s", status, err, want)
		}
	}
	if b.shelf.records != 0 {
		t.Errorf("%d records of uses that did not happen", b.shelf.records)
	}
}

func TestACredentialOpensOnlyWhereItBelongs(t *testing.T) {
	b := open(t, latchtest.Options{}, nil)
	second := b.link("bob")
	_, foreign, err := b.App.Store().Credential(t.Context(), b.caller.OrganisationID, b.caller.Environment, second)
	if err != nil {
		t.Fatal(err)
	}
	own, err := seal.NewRing(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	wrongKey := b.config
	wrongKey.Keys = b.keysOf(own)
	if opened, err := vault.New(wrongKey).Open(t.Context(), b.caller, b.connection, vault.PurposeProxy); opened != nil || !errors.Is(err, seal.ErrOpen) {
		t.Errorf("with another key: %v", err)
	}
	b.shelf.credential = func(c latchkey.Connection, s latchkey.SealedCredential) (latchkey.Connection, latchkey.SealedCredential) {
		s.Bytes = foreign.Bytes
		return c, s
	}
	if opened, err := b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy); opened != nil || !errors.Is(err, seal.ErrOpen) {
		t.Errorf("the credential of another row: %v", err)
	}
	if len(b.dead) != 0 {
		t.Error("a key that does not fit ended a connection")
	}
}
