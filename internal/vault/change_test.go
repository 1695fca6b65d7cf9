package vault_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/vault"
)

// configure changes the connection's settings, as its app may at any time.
func configure(b *bench) {
	b.Helper()
	b.Want(http.StatusOK, "PATCH", "/v2/account/connections/"+b.connection+"/settings", map[string]any{
		"metadata": map[string]string{"at": b.Clock.Now().String()},
	})
}

func TestASettingThatChangesMeanwhileLosesNoRenewal(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		b := open(t, options, lasting)
		b.Clock.Move(life)
		b.shelf.auditFails = func() error {
			if b.shelf.records == 1 { // the renewal is under way
				configure(b)
			}
			return nil
		}
		for range 2 {
			opened, err := b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy)
			if err != nil {
				t.Fatal(err)
			}
			if string(opened.Credential) != b.Provider.Tokens()[0] || b.Provider.Refreshes() != 1 {
				t.Errorf("after %d renewals the credential is not the provider's", b.Provider.Refreshes())
			}
			opened.Close()
		}
	})
}

func TestASettingThatChangesMeanwhileIsNoRenewal(t *testing.T) {
	b := open(t, latchtest.Options{Idle: true}, lasting)
	b.Clock.Move(life)
	leased(b, 40*time.Second)
	looks := 0
	b.shelf.credential = func(c latchkey.Connection, sealed latchkey.SealedCredential) (latchkey.Connection, latchkey.SealedCredential) {
		if looks++; looks == 2 { // it is being waited for
			configure(b)
		}
		return c, sealed
	}
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	if opened, err := b.vault.Open(ctx, b.caller, b.connection, vault.PurposeProxy); opened != nil || err == nil {
		t.Error("a stale credential came out while another caller renews it")
	}
	if looks < 3 {
		t.Errorf("there were %d looks, none after the change", looks)
	}
}

func TestASettingThatChangesMeanwhileLosesNoCookie(t *testing.T) {
	b := open(t, latchtest.Options{Idle: true}, nil)
	opened, err := b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	configure(b)
	if err := b.vault.Keep(t.Context(), opened, []byte("newer")); err != nil {
		t.Fatal(err)
	}
	if got := use(b); got != "newer" {
		t.Error("what the provider's answer changed was lost")
	}
	b.Want(http.StatusOK, "POST", "/v2/account/connections/"+b.connection+"/invalidate", nil)
	if err := b.vault.Keep(t.Context(), opened, []byte("late")); err != nil {
		t.Error(err)
	}
	if _, err := b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy); latchkey.CodeOf(err) != latchkey.SessionExpired {
		t.Errorf("an ended connection is open again: %v", err)
	}
}
