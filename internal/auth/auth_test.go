package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
)

// shelf keeps keys in memory and counts how often it is asked.
type shelf struct {
	mu    sync.Mutex
	keys  map[string]latchkey.APIKey
	reads int
	fails error
}

// APIKeyByHash finds a key.
func (s *shelf) APIKeyByHash(_ context.Context, hash string) (latchkey.APIKey, latchkey.Organisation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	key, ok := s.keys[hash]
	switch {
	case s.fails != nil:
		return latchkey.APIKey{}, latchkey.Organisation{}, s.fails
	case !ok:
		return latchkey.APIKey{}, latchkey.Organisation{}, latchkey.Errorf(latchkey.NotFound, "there is no such API key")
	}
	return key, latchkey.Organisation{ID: key.OrganisationID, Name: "Acme"}, nil
}

// add keeps a new key, changed before by change, and returns its text.
func (s *shelf) add(environment latchkey.Environment, change func(*latchkey.APIKey)) string {
	key, text := NewKey(rand.Reader, "org_1", environment, "first", latchkey.AllScopes(), moment)
	if change != nil {
		change(&key)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[key.Hash] = key
	return text
}

// revoke ends a key.
func (s *shelf) revoke(text string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := s.keys[latchkey.HashSecret(text)]
	key.RevokedAt = at
	s.keys[key.Hash] = key
}

// moment is when the tests begin.
var moment = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// room returns the room on an empty shelf, and its clock.
func room() (*Auth, *shelf, *time.Time) {
	now := moment
	kept := &shelf{keys: map[string]latchkey.APIKey{}}
	return New(Config{Store: kept, Now: func() time.Time { return now }}), kept, &now
}

func TestAKeyIsResolvedToItsCaller(t *testing.T) {
	keys, kept, _ := room()
	for environment, prefix := range map[latchkey.Environment]string{
		latchkey.Sandbox: latchkey.PrefixSandboxKey, latchkey.Live: latchkey.PrefixLiveKey,
	} {
		text := kept.add(environment, nil)
		if !strings.HasPrefix(text, prefix) {
			t.Errorf("the key of %s does not begin with %s", environment, prefix)
		}
		caller, err := keys.Caller(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		want := latchkey.Caller{
			KeyID: caller.KeyID, OrganisationID: "org_1", Organisation: "Acme", Environment: environment,
			Scopes: latchkey.AllScopes(),
		}
		if diff := cmp.Diff(want, caller); diff != "" || !latchkey.ValidID(caller.KeyID, latchkey.PrefixKey) {
			t.Errorf("caller (-want +got):\n%s", diff)
		}
	}
}

func TestEveryReasonToRefuseAKeyLooksTheSame(t *testing.T) {
	keys, kept, _ := room()
	other := latchkey.NewSecretID(rand.Reader, latchkey.PrefixSandboxKey)
	swapped := kept.add(latchkey.Live, func(key *latchkey.APIKey) { key.Environment = latchkey.Sandbox })
	refused := map[string]string{
		"unknown":                         other,
		"unknown too":                     latchkey.NewSecretID(rand.Reader, latchkey.PrefixLiveKey),
		"revoked":                         kept.add(latchkey.Sandbox, func(key *latchkey.APIKey) { key.RevokedAt = moment.Add(-time.Second) }),
		"expired":                         kept.add(latchkey.Live, func(key *latchkey.APIKey) { key.ExpiresAt = moment.Add(-time.Second) }),
		"expired now":                     kept.add(latchkey.Live, func(key *latchkey.APIKey) { key.ExpiresAt = moment }),
		"prefix of the other environment": swapped,
		"another prefix on a good key":    latchkey.PrefixLiveKey + strings.TrimPrefix(kept.add(latchkey.Sandbox, nil), latchkey.PrefixSandboxKey),
		"a good key cut short":            cut(kept.add(latchkey.Sandbox, nil)),
		"a good key and more":             kept.add(latchkey.Sandbox, nil) + "0",
	}
	for i, malformed := range []string{
		"", " ", "sk_", "sk_sandbox_", "sk_live_", "sk_test_abc", "sk_sandbox_" + strings.Repeat("a", 65), "sk_sandbox_a b",
		"sk_sandbox_a\x00", "sk_sandbox_'--", "SK_SANDBOX_abc", " " + other, other + "\n", strings.Repeat("a", 1<<20), "sk_live_sk_sandbox_a",
	} {
		refused[fmt.Sprintf("malformed %d", i)] = malformed
	}
	want, err := keys.Caller(t.Context(), other)
	if err == nil || latchkey.CodeOf(err) != latchkey.Unauthorized {
		t.Fatalf("an unknown key: %v, %v", want, err)
	}
	for name, text := range refused {
		for range 2 { // also from memory
			caller, got := keys.Caller(t.Context(), text)
			if got == nil || cmp.Diff(err, got) != "" || cmp.Diff(latchkey.Caller{}, caller) != "" {
				t.Errorf("%s: %v, %v, want %v", name, caller, got, err)
			}
		}
	}
}

// cut takes the last letter away.
func cut(text string) string { return text[:len(text)-1] }

func TestWhatCannotBeAKeyIsNotLookedUp(t *testing.T) {
	keys, kept, _ := room()
	for _, text := range []string{"", "Bearer x", "sk_sandbox_" + strings.Repeat("a", 1<<16), "sk_live_ä"} {
		if _, err := keys.Caller(t.Context(), text); err == nil {
			t.Errorf("%.20q was accepted", text)
		}
	}
	if kept.reads != 0 {
		t.Errorf("the store was asked %d times", kept.reads)
	}
}

func TestAnAnswerIsAtMostEightTenthsOfASecondOld(t *testing.T) {
	keys, kept, now := room()
	text := kept.add(latchkey.Sandbox, nil)
	accepted := func() bool {
		_, err := keys.Caller(t.Context(), text)
		return err == nil
	}
	for _, step := range []struct {
		at    time.Duration
		reads int
	}{{0, 1}, {400 * time.Millisecond, 1}, {799 * time.Millisecond, 1}, {800 * time.Millisecond, 2}, {1599 * time.Millisecond, 2}, {1600 * time.Millisecond, 3}} {
		*now = moment.Add(step.at)
		if !accepted() || kept.reads != step.reads {
			t.Errorf("after %v the store was asked %d times, want %d", step.at, kept.reads, step.reads)
		}
	}
	kept.revoke(text, *now)
	*now = now.Add(800 * time.Millisecond)
	if accepted() {
		t.Error("a key is alive 0.8 s after its revocation")
	}
	*now = moment.Add(-time.Hour)
	if accepted() {
		t.Error("an answer from the future is trusted when the clock goes back")
	}
}

func TestAKeyExpiresToTheMomentAlsoFromMemory(t *testing.T) {
	keys, kept, now := room()
	text := kept.add(latchkey.Sandbox, func(key *latchkey.APIKey) { key.ExpiresAt = moment.Add(time.Millisecond) })
	if _, err := keys.Caller(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	*now = moment.Add(time.Millisecond)
	if _, err := keys.Caller(t.Context(), text); err == nil || kept.reads != 1 {
		t.Errorf("after its end: %v, the store was asked %d times", err, kept.reads)
	}
}

func TestForgettingTakesEffectAtOnce(t *testing.T) {
	keys, kept, _ := room()
	text := kept.add(latchkey.Sandbox, nil)
	if _, err := keys.Caller(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	kept.revoke(text, moment)
	keys.Forget("")
	if _, err := keys.Caller(t.Context(), text); latchkey.CodeOf(err) != latchkey.Unauthorized {
		t.Errorf("after its revocation: %v", err)
	}
}

func TestAStoreThatFailsIsNotARefusal(t *testing.T) {
	keys, kept, _ := room()
	text := kept.add(latchkey.Sandbox, nil)
	kept.fails = errors.New("disk full")
	if _, err := keys.Caller(t.Context(), text); !errors.Is(err, kept.fails) || latchkey.CodeOf(err) != latchkey.Internal {
		t.Errorf("the error is %v", err)
	}
	kept.fails = nil
	if _, err := keys.Caller(t.Context(), text); err != nil {
		t.Errorf("when it works again: %v", err)
	}
}

func TestANewKeyIsShownOnceAndKeptNowhere(t *testing.T) {
	key, text := NewKey(rand.Reader, "org_1", latchkey.Live, "first", []latchkey.Scope{latchkey.ScopeLink}, moment)
	if key.Hash != latchkey.HashSecret(text) || key.Prefix != text[:len(latchkey.PrefixLiveKey)+6] || len(text)-len(key.Prefix) < 37 {
		t.Errorf("%s… has the prefix %q", text[:len(latchkey.PrefixLiveKey)], key.Prefix)
	}
	if strings.Contains(fmt.Sprintf("%+v", key), text) {
		t.Error("the whole key is in what is kept")
	}
}
