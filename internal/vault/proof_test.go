package vault_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
	"latchkey/internal/vault"
)

// stored reads the fleet's connection with its sealed credential.
func (f *rotatingFleet) stored() (latchkey.Connection, latchkey.SealedCredential) {
	f.Helper()
	first := f.servers[0]
	connection, sealed, err := first.App.Store().Credential(f.Context(), first.Trial.OrganisationID, latchkey.Sandbox, f.connection)
	if err != nil {
		f.Fatal(err)
	}
	return connection, sealed
}

// check lets the monitor of the only replica look at what is due.
func (f *rotatingFleet) check() {
	f.Helper()
	links := f.servers[0].App.Links()
	due, err := links.ClaimChecks(f.Context(), 10)
	if err != nil {
		f.Fatal(err)
	}
	for _, check := range due {
		links.CheckConnection(f.Context(), check)
	}
}

func TestTheCredentialBeforeIsKeptUntilTheNewOneHasWorked(t *testing.T) {
	f := newRotatingFleet(t, latchtest.Options{Idle: true}, 1)
	f.servers[0].Clock.Move(tokenLife)
	if status := f.call(0); status != http.StatusOK {
		t.Fatalf("the use is answered with %d", status)
	}
	if _, sealed := f.stored(); sealed.Unproved || f.provider.Refreshes() != 1 {
		t.Errorf("after a use that worked: unproved %t, %d refreshes", sealed.Unproved, f.provider.Refreshes())
	}
}

// relapsing is a provider that does not know the first few credentials that it
// gave at a refresh.
type relapsing struct {
	*latchtest.Provider
	unknown int
	given   []string // credentials that were refreshed
}

// Refresh gives another credential and leaves the old one alone.
func (r *relapsing) Refresh(_ context.Context, access connector.Access) (connector.Credential, error) {
	r.given = append(r.given, string(access.Credential))
	return connector.Credential{Secret: fmt.Appendf(nil, "%02d", len(r.given)), ExpiresAt: access.Now.Add(life)}, nil
}

// Check knows the credentials after those.
func (r *relapsing) Check(_ context.Context, access connector.Access) (connector.Profile, error) {
	if string(access.Credential) <= fmt.Sprintf("%02d", r.unknown) {
		return connector.Profile{}, &connector.Dead{Reason: connector.DeadRevoked}
	}
	return connector.Profile{}, nil
}

func TestARefreshThatBroughtNothingGoodIsDoneOnceMoreAndNotTwice(t *testing.T) {
	for unknown, want := range map[int][]latchkey.Code{
		0: {""}, 1: {latchkey.NetworkFailed, ""}, 2: {latchkey.NetworkFailed, latchkey.SessionExpired},
	} {
		t.Run(fmt.Sprint(unknown, " of them"), func(t *testing.T) {
			b := open(t, latchtest.Options{Idle: true}, lasting)
			provider := &relapsing{Provider: b.Provider, unknown: unknown}
			b.config.Connector = func(string) (connector.Connector, bool) { return provider, true }
			before, relapsed := use(b), vault.New(b.config)
			connection := latchkey.Connection{ID: b.connection, OrganisationID: b.caller.OrganisationID, Environment: b.caller.Environment}
			b.Clock.Move(life)
			for i, code := range want {
				confirmed, err := relapsed.Check(t.Context(), connection)
				if confirmed != (code == "") || err != nil && latchkey.CodeOf(err) != code {
					t.Errorf("check %d: %t, %v", i, confirmed, err)
				}
			}
			for _, given := range provider.given {
				if given != before {
					t.Error("it was not the credential before that was refreshed")
				}
			}
			dead := want[len(want)-1] == latchkey.SessionExpired
			if len(provider.given) != len(want) || (len(b.dead) == 1) != dead {
				t.Errorf("%d refreshes, %d reported dead", len(provider.given), len(b.dead))
			}
		})
	}
}

func TestWhatARefreshBringsToAnEndedConnectionIsRevokedToo(t *testing.T) {
	f := newRotatingFleet(t, latchtest.Options{Idle: true}, 1)
	first := f.servers[0]
	first.Clock.Move(tokenLife)
	f.provider.Answered = func() {
		f.provider.Answered = nil
		f.provider.Down(true) // so that nothing is revoked yet
		first.Want(http.StatusOK, "DELETE", "/v2/account/connections/"+f.connection, nil)
	}
	if status := f.call(0); status != http.StatusUnauthorized {
		t.Errorf("the use is answered with %d", status)
	}
	first.Clock.Move(time.Hour)
	pending, err := first.App.Links().ClaimRevocations(t.Context(), 10)
	if err != nil || len(pending) != 2 {
		t.Fatalf("%d credentials are to be ended, want the old one and the fresh one; %v", len(pending), err)
	}
	f.provider.Down(false)
	for _, revocation := range pending {
		first.App.Links().Revoke(t.Context(), revocation)
	}
	if live := f.provider.Live(); live != 0 {
		t.Errorf("%d grants live on", live)
	}
}

func TestACallerThatLeavesDuringARefreshCostsNothing(t *testing.T) {
	f := newRotatingFleet(t, latchtest.Options{Idle: true}, 1)
	f.servers[0].Clock.Move(tokenLife)
	ctx, leave := context.WithCancel(t.Context())
	f.provider.Answered = func() {
		f.provider.Answered = nil
		leave()
	}
	request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v2/access/proxy/me", nil)
	request.Header.Set("apikey", f.servers[0].Trial.APIKey)
	request.Header.Set("x-connection-id", f.connection)
	f.servers[0].App.Handler().ServeHTTP(httptest.NewRecorder(), request)
	if status := f.call(0); status != http.StatusOK {
		t.Errorf("the next use is answered with %d", status)
	}
	if f.provider.Refreshes() != 1 || f.provider.Alarms() != 0 {
		t.Errorf("%d refreshes, %d alarms", f.provider.Refreshes(), f.provider.Alarms())
	}
}

func TestARefusedRefreshExpiresForItsReasonUnlessTheLastAnswerWasLost(t *testing.T) {
	for name, lost := range map[string]bool{"revoked": false, "session_expired": true} {
		t.Run(name, func(t *testing.T) {
			f := newRotatingFleet(t, latchtest.Options{Idle: true}, 1)
			first := f.servers[0]
			first.Clock.Move(tokenLife)
			if lost {
				connection, _ := f.stored()
				now := first.Clock.Now()
				if err := first.App.Store().LeaseRefresh(t.Context(), connection, now, now.Add(time.Minute)); err != nil {
					t.Fatal(err)
				}
				first.Clock.Move(time.Minute)
				f.provider.Withdraw()
				f.check() // nobody uses it, and it is found all the same
			} else {
				f.provider.Withdraw()
				if status := f.call(0); status != http.StatusUnauthorized {
					t.Errorf("the use is answered with %d", status)
				}
			}
			if connection, _ := f.stored(); connection.Status != latchkey.ConnectionExpired || connection.ExpiryReason != name {
				t.Errorf("it is %s for %q", connection.Status, connection.ExpiryReason)
			}
			if logged := strings.Contains(first.Log.Text(), "cut short"); logged != lost {
				t.Errorf("the operator is told of a lost refresh: %t", logged)
			}
		})
	}
}

// walled is a provider that takes refreshes for a machine's.
type walled struct{ *latchtest.Provider }

// Refresh is refused.
func (walled) Refresh(context.Context, connector.Access) (connector.Credential, error) {
	return connector.Credential{}, fmt.Errorf("a captcha: %w", connector.ErrBlocked)
}

func TestARefreshThatIsBlockedIsTold(t *testing.T) {
	b := open(t, latchtest.Options{Idle: true}, lasting)
	var told []string
	config := b.config
	config.Connector = func(string) (connector.Connector, bool) { return walled{b.Provider}, true }
	config.Blocked = func(provider string, cause error) {
		if errors.Is(cause, connector.ErrBlocked) {
			told = append(told, provider)
		}
	}
	b.Clock.Move(life)
	_, err := vault.New(config).Open(t.Context(), b.caller, b.connection, vault.PurposeProxy)
	if latchkey.CodeOf(err) != latchkey.NetworkFailed || !slices.Equal(told, []string{latchtest.ProviderID}) || len(b.dead) != 0 {
		t.Errorf("%v, told %v, %d reported dead", err, told, len(b.dead))
	}
}
