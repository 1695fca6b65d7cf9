package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
)

// apiKey is an API key as the API tells of it.
type apiKey struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Scopes     []string `json:"scopes"`
	Prefix     string   `json:"prefix"`
	ExpiresAt  *string  `json:"expiresAt"`
	LastUsedAt *string  `json:"lastUsedAt"`
	CreatedAt  string   `json:"createdAt"`
	Key        string   `json:"key"`
}

const apiKeys = "/v2/api-keys"

// makeKey makes a key with a body that must be taken.
func (h house) makeKey(body string, headers ...string) apiKey {
	h.Helper()
	return latchtest.Decode[apiKey](h.Server, h.Want(http.StatusCreated, "POST", apiKeys, body, headers...))
}

func TestTheLifeOfAnAPIKey(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		h.Clock.Move(time.Minute)
		expires := latchkey.FormatTime(h.Clock.Now().Add(time.Hour))
		answer := h.Call("POST", apiKeys, map[string]any{
			"name": "Häuptschlüssel 🔑", "scopes": []string{"ACCOUNT", "LINK"}, "expiresAt": expires, "environment": "sandbox",
		})
		made := latchtest.Decode[apiKey](h.Server, answer)
		body := fmt.Sprintf(`{"id":%q,"name":"Häuptschlüssel 🔑","environment":"sandbox","scopes":["ACCOUNT","LINK"],"prefix":%q,
			"expiresAt":%q,"lastUsedAt":null,"createdAt":%q`, made.ID, made.Prefix, expires, made.CreatedAt)
		wantJSON(t, answer, http.StatusCreated, `%s,"key":%q}`, body, made.Key)
		if !latchkey.ValidID(made.ID, "key_") || !strings.HasPrefix(made.Key, made.Prefix) || len(made.Key)-len(made.Prefix) < 30 {
			t.Errorf("key %s with the prefix %s", made.ID, made.Prefix)
		}
		path := apiKeys + "/" + made.ID
		wantJSON(t, h.Call("GET", path, nil), http.StatusOK, "%s}", body)
		wantJSON(t, h.Call("GET", "/v2/account/whoami", nil, "apikey", made.Key), http.StatusOK,
			`{"id":%q,"name":"Tenant","permissions":["ACCOUNT","LINK"]}`, h.mine.id)

		changed := h.Call("PATCH", path, `{"name":"Other","scopes":["ADMIN"],"expiresAt":null}`)
		wantJSON(t, changed, http.StatusOK, `{"id":%q,"name":"Other","environment":"sandbox","scopes":["ADMIN"],"prefix":%q,
			"expiresAt":null,"lastUsedAt":null,"createdAt":%q}`, made.ID, made.Prefix, made.CreatedAt)
		h.refused(h.Call("GET", "/v2/account/whoami", nil, "apikey", made.Key), http.StatusForbidden, latchkey.Forbidden)
		h.untouched("a change of nothing", func() {
			if same := h.Call("PATCH", path, `{"name":"Other","expiresAt":null}`); string(same.Body) != string(changed.Body) {
				t.Errorf("a change of nothing answers %s", same.Body)
			}
		})
		list := latchtest.Decode[pageOf[apiKey]](h.Server, h.Want(http.StatusOK, "GET", apiKeys+"?limit=1", nil))
		if len(list.List) != 1 || list.List[0].ID != made.ID || list.List[0].Key != "" || !list.HasMore || list.NextOffset != 1 {
			t.Errorf("listed %+v", list)
		}

		h.Want(http.StatusNoContent, "DELETE", path, nil)
		h.refused(h.Call("GET", "/v2/account/whoami", nil, "apikey", made.Key), http.StatusUnauthorized, latchkey.Unauthorized)
		for _, id := range []string{made.ID, h.mine.keyIDs[h.mine.revoked], "key_unknown", "x", "key_%00", "key_%ff", canary} {
			h.refused(h.Call("GET", apiKeys+"/"+id, nil), http.StatusNotFound, latchkey.NotFound)
			h.refused(h.Call("PATCH", apiKeys+"/"+id, `{"name":"Other"}`), http.StatusNotFound, latchkey.NotFound)
			h.refused(h.Call("DELETE", apiKeys+"/"+id, nil), http.StatusNotFound, latchkey.NotFound)
		}
		if text := string(h.Want(http.StatusOK, "GET", apiKeys+"?limit=100", nil).Body); strings.Contains(text, made.ID) ||
			strings.Contains(text, h.mine.keyIDs[h.mine.revoked]) {
			t.Errorf("a revoked key is listed: %s", text)
		}
		h.wantRecords(made.ID, "api_key.revoked {}", `api_key.updated {"fields":["name","scopes","expiresAt"]}`,
			`api_key.created {"fields":["name","scopes","expiresAt"]}`)
		if strings.Contains(h.Log.Text(), made.Key) {
			t.Error("the log has the key in it")
		}
	})
}

func TestAnAPIKeyRefuses(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	past := latchkey.FormatTime(h.Clock.Now().Add(-time.Second))
	for field, bodies := range map[string][]string{
		"name": {
			`{"scopes":["LINK"]}`, `{"name":"","scopes":["LINK"]}`, `{"name":" ","scopes":["LINK"]}`, `{"name":null,"scopes":["LINK"]}`,
			`{"name":"` + strings.Repeat("é", 101) + `","scopes":["LINK"]}`, `{"name":"a\nb","scopes":["LINK"]}`, `{"name":"a\u0000","scopes":["LINK"]}`,
		},
		"scopes":      {`{"name":"a"}`, `{"name":"a","scopes":[]}`, `{"name":"a","scopes":null}`, `{"name":"a","scopes":"LINK"}`},
		"scopes.1":    {`{"name":"a","scopes":["LINK","` + canary + `"]}`, `{"name":"a","scopes":["LINK","LINK"]}`, `{"name":"a","scopes":["LINK","link"]}`},
		"environment": {`{"name":"a","scopes":["LINK"],"environment":"live"}`},
		"expiresAt": {
			`{"name":"a","scopes":["LINK"],"expiresAt":"` + past + `"}`, `{"name":"a","scopes":["LINK"],"expiresAt":"0001-01-01T00:00:00Z"}`,
			`{"name":"a","scopes":["LINK"],"expiresAt":"1970-01-01T00:00:00Z"}`, `{"name":"a","scopes":["LINK"],"expiresAt":""}`,
			`{"name":"a","scopes":["LINK"],"expiresAt":"` + canary + `"}`, `{"name":"a","scopes":["LINK"],"expiresAt":1769853600}`,
		},
	} {
		for _, body := range bodies {
			h.untouched(body, func() {
				if said := h.refused(h.Call("POST", apiKeys, body), http.StatusBadRequest, latchkey.Invalid); said.Details.Field != field {
					t.Errorf("%s: field %q, want %q", body, said.Details.Field, field)
				}
			})
		}
	}
	path := apiKeys + "/" + h.mine.keyIDs[h.mine.key]
	for body, field := range map[string]string{
		`{"scopes":[]}`: "scopes", `{"name":""}`: "name", `{"expiresAt":"` + past + `"}`: "expiresAt", `{"environment":"live"}`: "environment",
	} {
		h.untouched(body, func() {
			if said := h.refused(h.Call("PATCH", path, body), http.StatusBadRequest, latchkey.Invalid); said.Details.Field != field {
				t.Errorf("%s: field %q, want %q", body, said.Details.Field, field)
			}
		})
	}
}

func TestAnExpiredKeyMayBeRenamedAndRenewed(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	path := apiKeys + "/" + h.mine.keyIDs[h.mine.expired]
	h.Want(http.StatusOK, "PATCH", path, `{"name":"Old"}`)
	h.refused(h.Call("GET", "/v2/account/whoami", nil, "apikey", h.mine.expired), http.StatusUnauthorized, latchkey.Unauthorized)
	h.Want(http.StatusOK, "PATCH", path, `{"expiresAt":null}`)
	h.Want(http.StatusOK, "GET", "/v2/account/whoami", nil, "apikey", h.mine.expired)
}

func TestAKeyMayRevokeItself(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	made := h.makeKey(`{"name":"short-lived","scopes":["ADMIN"]}`)
	h.Want(http.StatusNoContent, "DELETE", apiKeys+"/"+made.ID, nil, "apikey", made.Key)
	h.refused(h.Call("GET", apiKeys, nil, "apikey", made.Key), http.StatusUnauthorized, latchkey.Unauthorized)
}

func TestAKeySaysWhenItWasLastUsed(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Data, options.Idle = t.TempDir(), true
		h := newHouse(t, options)
		made := h.makeKey(`{"name":"used","scopes":["ACCOUNT"]}`)
		last := func() string {
			t.Helper()
			got := latchtest.Decode[apiKey](h.Server, h.Want(http.StatusOK, "GET", apiKeys+"/"+made.ID, nil)).LastUsedAt
			if got == nil {
				return "never"
			}
			return *got
		}
		write := func() {
			t.Helper()
			if err := h.App.WriteUses(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		write()
		if got := last(); got != "never" {
			t.Errorf("before its first use: %s", got)
		}
		before := h.Clock.Now()
		h.untouched("calls", func() {
			for range 20 {
				h.Want(http.StatusOK, "GET", "/v2/account/whoami", nil, "apikey", made.Key)
			}
		})
		if _, facts := h.Calls(write); facts != 1 {
			t.Errorf("%d facts for the uses of two keys, want 1", facts)
		}
		got, err := time.Parse(time.RFC3339, last())
		if err != nil || got.Second() != 0 || got.Before(before.Add(-time.Minute)) || got.After(h.Clock.Now()) {
			t.Errorf("last used at %v, %v; it is %v", got, err, before)
		}

		// What the minute's turn has not written, the end does.
		h.Clock.Move(time.Hour)
		h.Want(http.StatusOK, "GET", "/v2/account/whoami", nil, "apikey", made.Key)
		h.Stop()
		again := house{Server: latchtest.Start(t, options), mine: h.mine}
		kept, err := again.App.Store().APIKey(t.Context(), h.mine.id, latchkey.Sandbox, made.ID)
		if err != nil || kept.LastUsedAt.Before(got.Add(59*time.Minute)) {
			t.Errorf("after the end: %v, %v", kept.LastUsedAt, err)
		}
	})
}
