package vault_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/vault"
)

// uses is how often a secret is asked for in the tests of the audit.
const uses = 1000

func TestWithoutARecordOnDiskThereIsNoSecret(t *testing.T) {
	b := open(t, latchtest.Options{}, func(p *latchtest.Provider) { p.Expire(time.Minute) })
	b.Clock.Move(time.Minute) // so that each use would also renew
	b.shelf.auditFails = func() error { return errors.New("no space left on device") }
	out := 0
	for range uses {
		opened, err := b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy)
		if opened != nil || err == nil {
			out++
			continue
		}
		if code := latchkey.CodeOf(err); code != latchkey.Internal {
			t.Fatalf("the error is %s", code)
		}
	}
	renewed := b.Provider.Refreshes()
	fmt.Printf("RESULT V-7.secrets %d of %d 0\n", out+renewed, uses)
	if out != 0 || renewed != 0 || len(b.records(b.connection)) != 0 {
		t.Errorf("%d secrets and %d renewals of %d uses without a record", out, renewed, uses)
	}
}

// The database itself refuses the record, as a full disk makes it.
func TestWithADatabaseThatTakesNoRecordThereIsNoSecret(t *testing.T) {
	b := open(t, latchtest.Options{Idle: true}, nil)
	b.exec("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END")
	out := 0
	for range uses {
		if opened, err := b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy); err == nil {
			out++
			opened.Close()
		}
	}
	answer := b.Call("GET", "/v2/access/proxy/me", nil, "x-connection-id", b.connection)
	b.exec("DROP TRIGGER full")
	fmt.Printf("RESULT V-7.uses_without_a_durable_record %d of %d 0\n", out, uses)
	if out != 0 || answer.Status != http.StatusInternalServerError {
		t.Errorf("%d secrets, and the app answers %d", out, answer.Status)
	}
	if err := b.use(b.config.Keys); err != nil {
		t.Errorf("when there is room again: %v", err)
	}
	covered, err := b.App.Store().VerifyAudit(t.Context(), b.caller.OrganisationID)
	if err != nil || covered == 0 {
		t.Errorf("the chains cover %d records, %v", covered, err)
	}
	b.exec("DELETE FROM audit WHERE position = (SELECT MAX(position) FROM audit)")
	_, err = b.App.Store().VerifyAudit(t.Context(), b.caller.OrganisationID)
	fmt.Printf("RESULT V-7.truncation_found %t true\n", err != nil)
	if err == nil {
		t.Error("a record that was cut off is not missed")
	}
}

func TestEverySecretHasItsRecordWhenTheDiskComesAndGoes(t *testing.T) {
	b := open(t, latchtest.Options{}, nil)
	turn := 0
	b.shelf.auditFails = func() error {
		if turn++; turn%3 != 0 {
			return errors.New("no space left on device")
		}
		return nil
	}
	out := 0
	for range 150 {
		opened, err := b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy)
		if err == nil {
			out++
			opened.Close()
		}
		b.Clock.Move(time.Minute) // no use shares a record
	}
	if records := len(b.records(b.connection)); out != 50 || records != out {
		t.Errorf("%d secrets, %d records, want 50 of each", out, records)
	}
}

func TestUsesWithinAMinuteShareARecordOfKeyConnectionAndPurpose(t *testing.T) {
	b := open(t, latchtest.Options{}, nil)
	second := b.link("bob")
	other := b.caller
	other.KeyID = "key_other"
	use := func() {
		t.Helper()
		for range 5 {
			for _, caller := range []latchkey.Caller{b.caller, other} {
				for _, connection := range []string{b.connection, second} {
					for _, purpose := range []vault.Purpose{vault.PurposeProxy, vault.PurposeProfile} {
						opened, err := b.vault.Open(t.Context(), caller, connection, purpose)
						if err != nil {
							t.Fatal(err)
						}
						opened.Close()
					}
				}
			}
		}
	}
	use()
	if first, other := len(b.records(b.connection)), len(b.records(second)); first != 4 || other != 4 {
		t.Errorf("%d and %d records, want 4 of each", first, other)
	}
	b.Clock.Move(time.Minute)
	use()
	records := b.records(b.connection)
	if len(records) != 8 {
		t.Errorf("%d records after a minute, want 8", len(records))
	}
	for _, record := range records {
		known := record.Actor == b.caller.KeyID || record.Actor == other.KeyID
		if !known || record.Subject != b.connection || record.Environment != latchkey.Sandbox || record.CreatedAt.IsZero() ||
			!strings.Contains(record.Detail, `"provider":"tester"`) || !strings.Contains(record.Detail, `"purpose":"pro`) {
			t.Errorf("the record says %+v", record)
		}
		for _, token := range b.Provider.Tokens() {
			if strings.Contains(fmt.Sprint(record), token) {
				t.Error("the record holds the secret")
			}
		}
	}
}
