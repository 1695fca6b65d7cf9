package sandbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/sandbox"
)

// imported takes over the session of a Cookie header.
func imported(t *testing.T, header string) (connector.Done, error) {
	t.Helper()
	return sandbox.New(sandbox.Config{}).Import(t.Context(), connector.Flow{SessionID: "conn_1", Now: time.Now()},
		latchkey.NewSecret([]byte(header)), latchkey.NewSecret([]byte("Mozilla/5.0")))
}

func TestASandboxSessionIsImported(t *testing.T) {
	if !sandbox.New(sandbox.Config{}).Imports() {
		t.Error("it says that it can't be")
	}
	for _, address := range []string{jo, "jo@creator-otp.sandbox.com", "jo@fan.sandbox.com", "jo@push.sandbox.com"} {
		done, err := imported(t, "theme=dark; session="+address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		profile, err := sandbox.New(sandbox.Config{}).Check(t.Context(), connector.Access{Credential: done.Credential.Secret, Now: time.Now()})
		if err != nil || profile.User != done.User || done.User.ID == "" {
			t.Errorf("%s is %+v, and checked %+v, %v", address, done.User, profile.User, err)
		}
	}
	done, err := imported(t, "session="+jo)
	if linked := mustLink(t, jo); err != nil || done.User != linked.User {
		t.Errorf("imported it is %+v and linked %+v", done.User, linked.User)
	}
}

func TestASandboxSessionIsRefused(t *testing.T) {
	for _, header := range []string{
		"", "session", "session=", "session=nobody", "session=jo@example.org", "Session=" + jo, "other=" + jo,
		"session=jo@locked.sandbox.com",
	} {
		_, err := imported(t, header)
		wantFailure(t, err, latchkey.FailureInvalidCredentials)
	}
	_, err := imported(t, "session=jo@down.sandbox.com")
	if failure, refused := errors.AsType[*connector.Failure](err); err == nil || refused {
		t.Errorf("of a sandbox that is down: %v, %v", err, failure)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = sandbox.New(sandbox.Config{}).Import(over, connector.Flow{}, latchkey.NewSecret([]byte("session="+jo)), latchkey.Secret{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled import says %v", err)
	}
}

func TestASandboxCredentialIsExported(t *testing.T) {
	provider, credential := sandbox.New(sandbox.Config{}), mustLink(t, jo).Credential.Secret
	got, err := provider.Export(credential)
	if want := `{"token":"` + string(credential) + `"}`; err != nil || string(got) != want {
		t.Errorf("exported %s, %v", got, err)
	}
	if got, err := provider.Export([]byte("no credential")); err == nil {
		t.Errorf("what is no credential was exported: %s", got)
	}
}
