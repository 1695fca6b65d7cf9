package vault_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/vault"
)

// parallel is how many callers find a credential stale at once.
const parallel = 64

// life is how long a credential of these tests lasts.
const life = 10 * time.Minute

func lasting(p *latchtest.Provider) { p.Expire(life) }

// openAtOnce lets that many callers open the connection at once, half through
// each of the vaults, as replicas would, and returns their errors and secrets.
func openAtOnce(b *bench, vaults ...*vault.Vault) (errs []error, secrets map[string]int) {
	secrets = map[string]int{}
	var mu sync.Mutex
	var callers sync.WaitGroup
	begin := make(chan struct{})
	for i := range parallel {
		callers.Go(func() {
			<-begin
			opened, err := vaults[i%len(vaults)].Open(b.Context(), b.caller, b.connection, vault.PurposeProxy)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
				return
			}
			secrets[string(opened.Credential)]++
			opened.Close()
		})
	}
	close(begin)
	callers.Wait()
	return errs, secrets
}

func TestManyCallersOfAStaleCredentialRenewItOnce(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		b := open(t, options, lasting)
		replica := vault.New(b.config)
		for round := 1; round <= 3; round++ {
			before := b.Provider.Tokens()[0]
			b.Clock.Move(life)
			errs, secrets := openAtOnce(b, b.vault, replica)
			if len(errs) != 0 {
				t.Fatalf("%d of %d callers failed, the first with %v", len(errs), parallel, errs[0])
			}
			if renewed := b.Provider.Refreshes(); renewed != round {
				t.Errorf("the credential was renewed %d times in %d rounds", renewed, round)
			}
			after := b.Provider.Tokens()[0]
			if len(secrets) != 1 || secrets[after] != parallel || after == before {
				t.Errorf("%d callers of %d got the new credential", secrets[after], parallel)
			}
		}
		if len(b.dead) != 0 {
			t.Errorf("%d connections were reported dead", len(b.dead))
		}
		fmt.Printf("RESULT V.refresh-once %d refreshes 3 rounds\n", b.Provider.Refreshes())
	})
}

func TestACredentialIsRenewedHalfAMinuteBeforeItsEnd(t *testing.T) {
	b := open(t, latchtest.Options{}, lasting)
	use := func() {
		t.Helper()
		opened, err := b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy)
		if err != nil {
			t.Fatal(err)
		}
		opened.Close()
	}
	b.Clock.Move(life - time.Minute)
	use()
	if got := b.Provider.Refreshes(); got != 0 {
		t.Errorf("it was renewed %d times a minute before its end", got)
	}
	b.Clock.Move(30 * time.Second)
	use()
	use()
	if got := b.Provider.Refreshes(); got != 1 {
		t.Errorf("it was renewed %d times half a minute before its end, want once", got)
	}
	var actors []string
	for _, record := range b.records(b.connection) {
		if strings.Contains(record.Detail, `"refresh"`) {
			actors = append(actors, record.Actor)
		}
	}
	if len(actors) != 1 || actors[0] != "latchkey" {
		t.Errorf("records of the renewal are by %v", actors)
	}
}

func TestARenewalThatFailsInTheNetworkEndsNothing(t *testing.T) {
	b := open(t, latchtest.Options{}, lasting)
	b.Clock.Move(life)
	b.Provider.Down(true)
	for range 5 {
		began := time.Now()
		opened, err := b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy)
		if opened != nil || latchkey.CodeOf(err) != latchkey.NetworkFailed {
			t.Fatalf("the error is %v", err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the caller waited %v for a renewal that had failed already", took)
		}
	}
	if status := b.Connections()[0].Status; len(b.dead) != 0 || status != "active" {
		t.Errorf("%d connections were reported dead, the connection is %s", len(b.dead), status)
	}
	b.Provider.Down(false)
	opened, err := b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy)
	if err != nil {
		t.Fatalf("when the provider works again: %v", err)
	}
	defer opened.Close()
	if string(opened.Credential) != b.Provider.Tokens()[0] || b.Provider.Refreshes() != 1 {
		t.Errorf("it was renewed %d times", b.Provider.Refreshes())
	}
}

func TestACallerThatLeavesLosesNoRenewal(t *testing.T) {
	b := open(t, latchtest.Options{}, lasting)
	b.Clock.Move(life)
	ctx, leave := context.WithCancel(t.Context())
	b.shelf.auditFails = func() error {
		leave() // before the provider is asked
		return nil
	}
	if _, err := b.vault.Open(ctx, b.caller, b.connection, vault.PurposeProxy); err == nil {
		t.Error("who has left got a secret")
	}
	b.shelf.auditFails = nil
	opened, err := b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy)
	if err != nil {
		t.Fatalf("the next caller: %v", err)
	}
	opened.Close()
}

func TestADeadRenewalExpiresTheConnectionWithOneEvent(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		s := latchtest.Start(t, options)
		lasting(s.Provider)
		sink := latchtest.NewSink(t)
		s.Listen(sink, "connection.expired")
		b := &bench{Server: s}
		connection := b.link("ada")
		s.Provider.Kill()
		s.Clock.Move(life)
		for range 3 {
			answer := s.Want(http.StatusUnauthorized, "GET", "/v2/access/proxy/me", nil, "x-connection-id", connection)
			if !strings.Contains(string(answer.Body), `"SESSION_EXPIRED"`) {
				t.Errorf("the answer is %s", answer.Body)
			}
		}
		if status := s.Connections()[0].Status; status != "expired" {
			t.Errorf("the connection is %s", status)
		}
		latchtest.Eventually(t, "the event arrives", func() bool { return len(sink.Hooks()) > 0 })
		s.Stop() // and delivers what is left
		if hooks := sink.Hooks(); len(hooks) != 1 || !strings.Contains(string(hooks[0].Body), connection) {
			t.Errorf("%d events arrived", len(hooks))
		}
	})
}
