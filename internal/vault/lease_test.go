package vault_test

import (
	"context"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/vault"
)

// leased takes the lease of a renewal as another replica would that then dies.
func leased(b *bench, until time.Duration) {
	b.Helper()
	connection, _, err := b.App.Store().Credential(b.Context(), b.caller.OrganisationID, b.caller.Environment, b.connection)
	if err != nil {
		b.Fatal(err)
	}
	now := b.Clock.Now()
	if err := b.App.Store().LeaseRefresh(b.Context(), connection, now, now.Add(until)); err != nil {
		b.Fatal(err)
	}
}

func TestALeaseOfADeadReplicaIsWaitedForAndThenTaken(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		b := open(t, options, lasting)
		b.Clock.Move(life)
		leased(b, 40*time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
		defer cancel()
		opened, err := b.vault.Open(ctx, b.caller, b.connection, vault.PurposeProxy)
		if opened != nil || err == nil {
			t.Fatal("a stale credential came out while another caller renews it")
		}
		if b.Provider.Refreshes() != 0 || len(b.dead) != 0 {
			t.Errorf("%d renewals beside the lease, %d reported dead", b.Provider.Refreshes(), len(b.dead))
		}
		b.Clock.Move(40 * time.Second)
		opened, err = b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy)
		if err != nil {
			t.Fatalf("after the lease: %v", err)
		}
		opened.Close()
		if b.Provider.Refreshes() != 1 {
			t.Errorf("%d renewals", b.Provider.Refreshes())
		}
	})
}

func TestARenewalThatFailsLeavesTheLeaseOfAnotherAlone(t *testing.T) {
	b := open(t, latchtest.Options{}, lasting)
	b.Clock.Move(life)
	b.Provider.Down(true)
	b.shelf.auditFails = func() error { // the lease ends while the renewal is under way, and another replica takes it
		if b.shelf.records == 1 {
			b.Clock.Move(time.Minute)
			leased(b, time.Minute)
		}
		return nil
	}
	if _, err := b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy); latchkey.CodeOf(err) != latchkey.NetworkFailed {
		t.Fatalf("the error is %v", err)
	}
	b.shelf.auditFails = nil
	b.Provider.Down(false)
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	if _, err := b.vault.Open(ctx, b.caller, b.connection, vault.PurposeProxy); err == nil || b.Provider.Refreshes() != 0 {
		t.Errorf("the other replica's lease was ended: %v, %d renewals", err, b.Provider.Refreshes())
	}
}

func TestWhoStoodStillUntilTheLeaseWasNearItsEndDoesNotAsk(t *testing.T) {
	for name, still := range map[string]time.Duration{"past it": time.Minute, "near it": 25 * time.Second} {
		t.Run(name, func(t *testing.T) {
			b := open(t, latchtest.Options{}, lasting)
			b.Clock.Move(life)
			b.shelf.auditFails = func() error { // between the lease and the question
				if b.shelf.records == 1 {
					b.Clock.Move(still)
				}
				return nil
			}
			opened, err := b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy)
			if opened != nil || latchkey.CodeOf(err) != latchkey.NetworkFailed || b.Provider.Refreshes() != 0 {
				t.Fatalf("the provider was asked %d times: %v", b.Provider.Refreshes(), err)
			}
			opened, err = b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy)
			if err != nil || b.Provider.Refreshes() != 1 || len(b.dead) != 0 {
				t.Fatalf("the next caller: %v, %d renewals, %d reported dead", err, b.Provider.Refreshes(), len(b.dead))
			}
			opened.Close()
		})
	}
}
