package vault_test

import (
	"errors"
	"net/http"
	"testing"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
	"latchkey/internal/vault"
	"latchkey/internal/vault/seal"
)

// use opens the connection and returns a copy of its secret.
func use(b *bench) string {
	b.Helper()
	opened, err := b.vault.Open(b.Context(), b.caller, b.connection, vault.PurposeProxy)
	if err != nil {
		b.Fatal(err)
	}
	defer opened.Close()
	return string(opened.Credential)
}

func TestAChangedCredentialIsWhatTheNextCallerGets(t *testing.T) {
	b := open(t, latchtest.Options{}, nil)
	first, err := b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if err := b.vault.Keep(t.Context(), first, []byte("newer")); err != nil {
		t.Fatal(err)
	}
	if got := use(b); got != "newer" {
		t.Error("the changed credential was not kept")
	}
	if err := b.vault.Keep(t.Context(), first, []byte("late")); err != nil {
		t.Errorf("an answer to an older credential: %v", err)
	}
	if got := use(b); got != "newer" {
		t.Error("an older answer replaced a newer credential")
	}
}

func TestARevocationEndsTheSessionAndIsRecordedFirst(t *testing.T) {
	b := open(t, latchtest.Options{}, nil)
	connection, sealed, err := b.App.Store().Credential(t.Context(), b.caller.OrganisationID, b.caller.Environment, b.connection)
	if err != nil {
		t.Fatal(err)
	}
	revocation := latchkey.Revocation{Connection: connection, Credential: sealed.Bytes}
	full := errors.New("no space left on device")
	b.shelf.auditFails = func() error { return full }
	if _, err := b.vault.Revoke(t.Context(), revocation); !errors.Is(err, full) || len(b.Provider.Tokens()) != 1 {
		t.Errorf("without a record: %v, %d sessions live", err, len(b.Provider.Tokens()))
	}
	b.shelf.auditFails = nil
	b.Provider.Down(true)
	if _, err := b.vault.Revoke(t.Context(), revocation); err == nil {
		t.Error("a provider that is down counts as done")
	}
	b.Provider.Down(false)
	for range 2 { // again is no matter
		if _, err := b.vault.Revoke(t.Context(), revocation); err != nil {
			t.Errorf("revoke: %v", err)
		}
	}
	if live := len(b.Provider.Tokens()); live != 0 {
		t.Errorf("%d sessions live", live)
	}
	revocation.Connection.Provider = "gone"
	if _, err := b.vault.Revoke(t.Context(), revocation); err == nil {
		t.Error("a provider that is not served here counts as done")
	}
}

func TestSealedBytesOpenOnlyAsWhatTheyAre(t *testing.T) {
	b := open(t, latchtest.Options{}, nil)
	const org, id = "org_1", "ls_1"
	flow, err := b.vault.SealFlow(org, id, []byte("state"))
	if err != nil {
		t.Fatal(err)
	}
	if state, err := b.vault.OpenFlow(org, id, flow); err != nil || string(state) != "state" {
		t.Errorf("a flow opens as %q, %v", state, err)
	}
	secret, err := b.vault.SealEndpointSecret(org, "we_1", []byte("sign"))
	if err != nil {
		t.Fatal(err)
	}
	endpoint := latchkey.WebhookEndpoint{ID: "we_1", OrganisationID: org, SealedSecret: secret}
	if opened, err := b.vault.OpenEndpointSecret(endpoint); err != nil || string(opened.Reveal()) != "sign" {
		t.Errorf("an endpoint's secret does not open: %v", err)
	}
	credential, err := b.vault.SealCredential(org, id, []byte("token"))
	if err != nil {
		t.Fatal(err)
	}
	for name, attempt := range map[string]func() error{
		"a credential as a flow": func() error { _, err := b.vault.OpenFlow(org, id, credential); return err },
		"another session's flow": func() error { _, err := b.vault.OpenFlow(org, "ls_2", flow); return err },
		"another organisation's": func() error { _, err := b.vault.OpenFlow("org_2", id, flow); return err },
		"a flow that was changed": func() error {
			changed := append([]byte(nil), flow...)
			changed[len(changed)-1] ^= 1
			_, err := b.vault.OpenFlow(org, id, changed)
			return err
		},
		"a flow as a secret": func() error {
			_, err := b.vault.OpenEndpointSecret(latchkey.WebhookEndpoint{ID: id, OrganisationID: org, SealedSecret: flow})
			return err
		},
	} {
		if err := attempt(); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestACredentialIsExportedWithARecordEachTime(t *testing.T) {
	b := open(t, latchtest.Options{Idle: true}, nil)
	returned := func() (count int) {
		records, err := b.App.Store().AuditOf(t.Context(), b.caller.OrganisationID, b.connection)
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range records {
			if record.Action == latchkey.AuditCredentialReturned && record.Actor == b.caller.KeyID {
				count++
			}
		}
		return count
	}
	for i := range 3 {
		got, err := b.vault.Export(t.Context(), b.caller, b.connection)
		if want := `{"token":"` + b.Provider.Tokens()[0] + `"}`; err != nil || string(got) != want || returned() != i+1 {
			t.Errorf("time %d: exported %s, %v, with %d records", i+1, got, err, returned())
		}
	}
	full := errors.New("no space left on device")
	b.shelf.auditFails = func() error { return full }
	if got, err := b.vault.Export(t.Context(), b.caller, b.connection); got != nil || !errors.Is(err, full) {
		t.Errorf("without a record: exported %s, %v", got, err)
	}
	b.shelf.auditFails = nil
	live := b.caller
	live.Environment = latchkey.Live
	if _, err := b.vault.Export(t.Context(), live, b.connection); latchkey.CodeOf(err) != latchkey.SessionNotProvided {
		t.Errorf("to the other environment: %v", err)
	}
	config := b.config
	config.Connector = func(string) (connector.Connector, bool) { return shy{b.Provider}, true }
	if _, err := vault.New(config).Export(t.Context(), b.caller, b.connection); latchkey.CodeOf(err) != latchkey.Forbidden {
		t.Errorf("of a provider that can't: %v", err)
	}
	b.Want(http.StatusOK, "POST", "/v2/account/connections/"+b.connection+"/invalidate", nil)
	if _, err := b.vault.Export(t.Context(), b.caller, b.connection); latchkey.CodeOf(err) != latchkey.SessionExpired {
		t.Errorf("of an ended connection: %v", err)
	}
	if returned() != 3 {
		t.Errorf("%d records of three exports", returned())
	}
}

// shy is a provider that can do nothing but link.
type shy struct{ connector.Connector }
