package link_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/latchtest"
)

// initWith asks for a link with an Idempotency-Key and more headers in pairs.
func (h house) initWith(key string, body map[string]any, headers ...string) latchtest.Answer {
	h.Helper()
	return h.Call("POST", "/v2/link/init", body, append([]string{"Idempotency-Key", key}, headers...)...)
}

// sessions counts the sessions of the caller.
func (h house) sessions(headers ...string) int {
	h.Helper()
	type list struct {
		List []struct{} `json:"list"`
	}
	return len(latchtest.Decode[list](h.Server, h.Want(http.StatusOK, "GET", "/v2/link/sessions?limit=100", nil, headers...)).List)
}

func TestAnInitIsRepeatedWithoutAnotherSession(t *testing.T) {
	t.Parallel()
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		for name, body := range map[string]map[string]any{
			"of a page": {
				"clientAppId": h.Trial.ClientApps[latchkey.AppRedirect], "clientReferenceId": "u", "metadata": map[string]string{"a": "1", "b": "2"},
			},
			"of JSON": {"clientAppId": h.Trial.ClientApps[latchkey.AppWhitelabel]},
			"of all":  {},
		} {
			t.Run(name, func(t *testing.T) {
				before := h.sessions()
				first := h.initWith(name, body)
				if first.Status != http.StatusOK || first.Header.Get("Idempotent-Replayed") != "" {
					t.Fatalf("answer %d %v: %s", first.Status, first.Header, first.Body)
				}
				secret := latchtest.Decode[latchtest.Link](h.Server, first).Secret()
				for range 2 {
					h.Clock.Move(11*time.Hour + 59*time.Minute)
					again := h.initWith(name, body)
					if again.Status != http.StatusOK || again.Header.Get("Idempotent-Replayed") != "true" {
						t.Errorf("again: answer %d %v", again.Status, again.Header)
					}
					if diff := cmp.Diff(string(first.Body), string(again.Body)); diff != "" {
						t.Error(diff)
					}
				}
				if got := h.sessions() - before; got != 1 {
					t.Errorf("%d sessions were made", got)
				}
				h.Clock.Move(3 * time.Minute) // a day is over
				later := h.initWith(name, body)
				if latchtest.Decode[latchtest.Link](h.Server, later).Secret() == secret || later.Header.Get("Idempotent-Replayed") != "" {
					t.Error("after a day the old answer is given")
				}
			})
		}
		t.Run("but not for another request", func(t *testing.T) {
			reference := map[string]any{"clientReferenceId": "u"}
			h.initWith("k", reference)
			for name, body := range map[string]map[string]any{
				"nothing": {}, "another reference": {"clientReferenceId": "v"}, "more": {"clientReferenceId": "u", "locale": "de"},
				"no permissions": {"clientReferenceId": "u", "permissions": []string{}},
			} {
				wantRefusal(t, name, h.refused(h.initWith("k", body)), http.StatusConflict, latchkey.Conflict, "")
			}
			if answer := h.initWith("k", map[string]any{"clientReferenceId": "u", "unknown": true}); answer.Status != http.StatusOK {
				t.Errorf("what we do not know makes another request of it: %d", answer.Status)
			}
			if answer := h.initWith("K", map[string]any{"clientReferenceId": "v"}); answer.Status != http.StatusOK {
				t.Errorf("a key in capitals is the same key: %d", answer.Status)
			}
		})
		t.Run("nor for one that was refused", func(t *testing.T) {
			if answer := h.initWith("bad", map[string]any{"clientAppId": "app_unknown"}); answer.Status != http.StatusBadRequest {
				t.Fatalf("answer %d", answer.Status)
			}
			if answer := h.initWith("bad", map[string]any{}); answer.Status != http.StatusOK {
				t.Errorf("a refused request has used up its key: %d", answer.Status)
			}
		})
		t.Run("a used link does not come back to life", func(t *testing.T) {
			body := map[string]any{"clientAppId": h.Trial.ClientApps[latchkey.AppWhitelabel]}
			b := begun{h, latchtest.Decode[latchtest.Link](h.Server, h.initWith("used", body))}
			b.login("ada")
			again := begun{h, latchtest.Decode[latchtest.Link](h.Server, h.initWith("used", body))}
			if again.Secret() != b.Secret() || again.looked().Status != "completed" {
				t.Errorf("it is %+v", again.looked())
			}
		})
	})
}

func TestAnIdempotencyKeyIsItsOwners(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	made, err := h.App.Setup(t.Context(), latchtest.Setup{
		Organisation: "Other", AppName: "Shop", Domain: "shop.example", Providers: []string{latchtest.ProviderID},
		RedirectURIs: []string{"https://shop.example/back"},
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, key := range []string{h.Trial.APIKey, made[0].Key, made[1].Key} {
		answer := h.initWith("one key", map[string]any{"provider": latchtest.ProviderID}, "apikey", key)
		link := latchtest.Decode[latchtest.Link](h.Server, answer)
		if seen[link.Secret()] || answer.Header.Get("Idempotent-Replayed") != "" || h.sessions("apikey", key) != 1 {
			t.Errorf("another organisation or environment gets the same link: %d %v", answer.Status, answer.Header)
		}
		seen[link.Secret()] = true
	}
}

func TestInitsWithOneKeyAtOnceAreOne(t *testing.T) {
	t.Parallel()
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		const callers = 32
		answers := make([]latchtest.Answer, callers)
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				answers[i] = h.initWith("key "+fmt.Sprint(i%2), map[string]any{"clientReferenceId": fmt.Sprint(i % 4)})
			})
		}
		all.Wait()
		bodies, fresh := map[string]int{}, 0
		for i, answer := range answers {
			switch {
			case answer.Status == http.StatusOK:
				bodies[string(answer.Body)]++
				if answer.Header.Get("Idempotent-Replayed") == "" {
					fresh++
				}
			case answer.Status != http.StatusConflict: // half of them lost to the other body
				t.Errorf("caller %d: %d %s", i, answer.Status, answer.Body)
			}
		}
		if len(bodies) != 2 || fresh != 2 || h.sessions() != 2 {
			t.Errorf("%d answers, %d of them fresh, %d sessions, want 2 each", len(bodies), fresh, h.sessions())
		}
		for body, n := range bodies {
			if n != callers/4 {
				t.Errorf("%d callers got %s, want %d", n, body, callers/4)
			}
		}
	})
}

func TestAMalformedIdempotencyKeyIsRefused(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	for name, key := range map[string]string{
		"a long one": strings.Repeat("x", 256), "control characters": "a\tb", "other letters": "schlüssel",
	} {
		got := h.refused(h.initWith(key, map[string]any{}))
		wantRefusal(t, name, got, http.StatusBadRequest, latchkey.Invalid, "Idempotency-Key")
	}
	if answer := h.initWith(strings.Repeat("~", 255), map[string]any{}); answer.Status != http.StatusOK {
		t.Errorf("the longest is refused: %s", answer.Body)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL+"/v2/link/init", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{
		"Apikey": {h.Trial.APIKey}, "Content-Type": {"application/json"}, "Idempotency-Key": {"a", "b"},
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var got struct{ Code string }
	if err := json.UnmarshalRead(response.Body, &got, json.MatchCaseInsensitiveNames(true)); err != nil || response.StatusCode != http.StatusBadRequest {
		t.Errorf("two keys are answered %d %s, %v", response.StatusCode, got.Code, err)
	}
}
