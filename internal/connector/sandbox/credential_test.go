package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"latchkey/internal/connector"
	"latchkey/internal/connector/sandbox"
)

func TestAnExpiringCredentialDiesAfterAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		credential := mustLink(t, "jo@expiring.sandbox.com").Credential
		if !credential.ExpiresAt.Equal(time.Now().Add(time.Minute)) {
			t.Errorf("expires at %s", credential.ExpiresAt)
		}
		request := authorized(t, "jo@expiring.sandbox.com", http.MethodGet, "/me", "")
		time.Sleep(time.Minute - time.Millisecond)
		for name, err := range useAll(t.Context(), credential.Secret) {
			if err != nil {
				t.Errorf("%s before the end: %v", name, err)
			}
		}
		if got := serve(request); got.Code != http.StatusOK {
			t.Errorf("status %d before the end", got.Code)
		}
		time.Sleep(time.Millisecond)
		for name, err := range useAll(t.Context(), credential.Secret) {
			if !errors.Is(err, connector.ErrDead) || strings.Contains(err.Error(), "sbx_") {
				t.Errorf("%s after the end: %v", name, err)
			}
		}
		if got := serve(request); got.Code != http.StatusUnauthorized {
			t.Errorf("status %d after the end", got.Code)
		}
	})
}

// useAll tries every skill that wants a live credential.
func useAll(ctx context.Context, credential []byte) map[string]error {
	provider := sandbox.New(sandbox.Config{})
	access := connector.Access{Credential: credential, Now: time.Now()}
	_, checked := provider.Check(ctx, access)
	out := httptest.NewRequestWithContext(ctx, http.MethodGet, "/me", nil)
	return map[string]error{"check": checked, "authorize": provider.Authorize(out, credential)}
}

func TestACredential(t *testing.T) {
	credential := mustLink(t, jo).Credential
	t.Run("can't be renewed", func(t *testing.T) {
		if _, can := newSandbox(time.Now).(connector.Refresher); can {
			t.Error("it can: an expiring connection would be kept alive, or renewed at every call")
		}
	})
	t.Run("of any other account never expires", func(t *testing.T) {
		if !credential.ExpiresAt.IsZero() {
			t.Errorf("expires at %s", credential.ExpiresAt)
		}
	})
	t.Run("looks like a token and names nobody", func(t *testing.T) {
		if !bytes.HasPrefix(credential.Secret, []byte("sbx_")) || bytes.ContainsAny(credential.Secret, "@ \r\n") {
			t.Error("it does not, or it names the address")
		}
	})
	t.Run("of another session is another one", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { // the time is the same for both
			secrets := make([][]byte, 2)
			for i, session := range []string{"ls_a", "ls_b"} {
				secrets[i] = linkAs(t, session)
			}
			if bytes.Equal(secrets[0], secrets[1]) {
				t.Error("two sessions share a credential")
			}
		})
	})
	t.Run("is damaged, not dead, when it can't be read", func(t *testing.T) {
		for name, err := range useAll(t.Context(), append([]byte("x"), credential.Secret...)) {
			if err == nil || errors.Is(err, connector.ErrDead) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// linkAs links the same account in a session.
func linkAs(t *testing.T, session string) []byte {
	t.Helper()
	provider := newSandbox(time.Now)
	flow := connector.Flow{SessionID: session, Now: time.Now()}
	step, err := provider.Advance(t.Context(), flow, connector.Input{})
	flow.State = want[connector.Prompt](t, step, err).State
	step, err = provider.Advance(t.Context(), flow, connector.Input{
		Action: "continue",
		Fields: secrets(map[string]string{"username": jo, "password": "good-password"}),
	})
	return want[connector.Done](t, step, err).Credential.Secret
}

func TestACancelledSkillFails(t *testing.T) {
	provider := sandbox.New(sandbox.Config{})
	access := connector.Access{Credential: mustLink(t, jo).Credential.Secret}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, checked := provider.Check(ctx, access)
	for name, err := range map[string]error{"check": checked, "revoke": provider.Revoke(ctx, access)} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
