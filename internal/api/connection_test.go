package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/latchtest"
)

// page is a page of a list of connections.
type page struct {
	List       []latchtest.Connection `json:"list"`
	HasMore    bool                   `json:"hasMore"`
	NextOffset *int                   `json:"nextOffset"`
}

func (h house) page(query string) page {
	h.Helper()
	return latchtest.Decode[page](h.Server, h.Want(http.StatusOK, "GET", "/v2/account/connections?"+query, nil))
}

// usernames are those of the connections on the page, sorted.
func (p page) usernames() []string {
	names := []string{}
	for _, connection := range p.List {
		names = append(names, connection.UserData.Username)
	}
	slices.Sort(names)
	return names
}

func TestConnectionsAreListed(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		wantJSON(t, h.Call("GET", "/v2/account/connections", nil), http.StatusOK, `{"list":[],"hasMore":false}`)
		for i := range 11 {
			h.linked(fmt.Sprintf("user%02d", i), "clientReferenceId", fmt.Sprintf("ref%d", i%3))
		}
		h.linked("loose")
		h.Want(http.StatusOK, "POST", "/v2/account/connections/"+h.page("limit=1").List[0].ID+"/invalidate", nil)

		t.Run("page by page, each once", func(t *testing.T) {
			var seen []string
			for offset := 0; ; {
				got := h.page(fmt.Sprintf("limit=5&offset=%d", offset))
				for _, connection := range got.List {
					seen = append(seen, connection.ID)
				}
				if !got.HasMore {
					if got.NextOffset != nil {
						t.Errorf("the last page says that it goes on at %d", *got.NextOffset)
					}
					break
				}
				if *got.NextOffset != offset+5 {
					t.Fatalf("after offset %d it goes on at %d", offset, *got.NextOffset)
				}
				offset = *got.NextOffset
			}
			slices.Sort(seen)
			if len(slices.Compact(seen)) != 12 {
				t.Errorf("%d connections, want 12, each once", len(seen))
			}
			if got := h.page(""); len(got.List) != 10 || !got.HasMore {
				t.Errorf("without limit: %d connections, more: %t", len(got.List), got.HasMore)
			}
			if got := h.page("offset=1000000"); len(got.List) != 0 || got.HasMore {
				t.Errorf("past the end: %d connections, more: %t", len(got.List), got.HasMore)
			}
		})
		t.Run("by filters", func(t *testing.T) {
			for query, want := range map[string][]string{
				"status=expired": {"loose"}, "status=pending": {}, "status=awaiting_2fa": {}, "imported=true": {},
				"clientReferenceId=ref2": {"user02", "user05", "user08"}, "clientReferenceId=REF2": {}, "clientReferenceId=ref%25": {},
				"clientReferenceId=ref2&status=expired": {}, "provider=sandbox": {}, "provider=" + canary: {},
				"clientReferenceId=ref1&provider=tester&imported=false&status=active": {"user01", "user04", "user07", "user10"},
				"clientReferenceId=" + url.QueryEscape("' OR 1=1 --"):                 {},
			} {
				if diff := cmp.Diff(want, h.page("limit=100&"+query).usernames()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", query, diff)
				}
			}
			if got := h.page("limit=100&imported=false&provider=tester&status=&clientReferenceId="); len(got.List) != 12 {
				t.Errorf("filters that narrow nothing leave %d of 12", len(got.List))
			}
		})
		t.Run("the alias answers the same", func(t *testing.T) {
			const query = "?limit=3&clientReferenceId=ref0"
			one, other := h.Call("GET", "/v2/account/connections"+query, nil), h.Call("GET", "/v2/connections"+query, nil)
			if string(one.Body) != string(other.Body) {
				t.Errorf("the alias answers\n%s\nand not\n%s", other.Body, one.Body)
			}
		})
		for query, field := range map[string]string{
			"limit=0": "limit", "limit=101": "limit", "limit=x": "limit", "offset=-1": "offset", "status=" + canary: "status",
			"status=ACTIVE": "status", "imported=yes": "imported", "imported=1": "imported", "clientReferenceId=a%00b": "clientReferenceId",
			"clientReferenceId=%ff": "clientReferenceId", "provider=%00": "provider", "provider=%c3": "provider",
		} {
			said := h.refused(h.Call("GET", "/v2/account/connections?"+query, nil), http.StatusBadRequest, latchkey.Invalid)
			if said.Details.Field != field {
				t.Errorf("%s: field %q, want %q", query, said.Details.Field, field)
			}
		}
	})
}

func TestTheLifeOfAConnection(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		reference := `a "quoted" \ reference/é`
		id := h.linked("ada", "clientReferenceId", reference, "permissions", []string{"posts:read"}, "metadata", map[string]string{"k": "v\x00"})
		path := "/v2/account/connections/" + id
		type moments struct {
			CreatedAt string `json:"createdAt"`
			UpdatedAt string `json:"updatedAt"`
		}
		times := func() moments { return latchtest.Decode[moments](h.Server, h.Want(http.StatusOK, "GET", path, nil)) }
		const body = `{"id":%q,"status":%q,"userData":{"id":"id-of-ada","name":"Name of ada","username":"ada","avatar":null},
			"permissions":["posts:read"],"expiredAt":%s,"createdAt":%q,"updatedAt":%q,"clientReferenceId":"a \"quoted\" \\ reference/é",
			"imported":false,"lastCheckedAt":null,"provider":"tester","metadata":{"k":"v\u0000"},"expiry":%s}`
		at := times()
		wantJSON(t, h.Call("GET", path, nil), http.StatusOK, body, id, "active", "null", at.CreatedAt, at.CreatedAt, "null")
		if live := len(h.Provider.Tokens()); live != 1 {
			t.Fatalf("%d sessions at the provider, want 1", live)
		}

		for range 2 { // the second time nothing happens
			wantJSON(t, h.Call("POST", path+"/invalidate", nil), http.StatusOK, `{}`)
		}
		ended := times()
		wantJSON(t, h.Call("GET", path, nil), http.StatusOK, body, id, "expired", `"`+ended.UpdatedAt+`"`, at.CreatedAt, ended.UpdatedAt,
			`{"reason":"invalidated","canReauth":true}`)
		if live := len(h.Provider.Tokens()); live != 0 {
			t.Errorf("%d sessions at the provider after invalidation, want none", live)
		}
		h.refused(h.Call("GET", "/v2/access/proxy/me", nil, "x-connection-id", id), http.StatusUnauthorized, latchkey.SessionExpired)
		records, err := h.App.Store().AuditOf(t.Context(), h.mine.id, id)
		if err != nil || len(records) != 3 || records[0].Action != latchkey.AuditInvalidated ||
			records[0].Actor != h.mine.keyIDs[h.mine.key] || records[1].Action != latchkey.AuditCredentialOpened ||
			records[2].Action != latchkey.AuditRevoked {
			t.Errorf("audit %+v, %v, want one invalidation by the key, and that it was revoked", records, err)
		}

		if again := h.linked("ada", "clientReferenceId", reference); again != id {
			t.Errorf("linked again as %s, want %s", again, id)
		}
		wantJSON(t, h.Call("DELETE", path, nil), http.StatusOK, `{}`)
		if live := len(h.Provider.Tokens()); live != 0 {
			t.Errorf("%d sessions at the provider after deletion, want none", live)
		}
		h.refused(h.Call("GET", path, nil), http.StatusNotFound, latchkey.NotFound)
		h.refused(h.Call("DELETE", path, nil), http.StatusNotFound, latchkey.NotFound)
		h.refused(h.Call("POST", path+"/invalidate", nil), http.StatusNotFound, latchkey.NotFound)
		h.refused(h.Call("GET", "/v2/access/proxy/me", nil, "x-connection-id", id), http.StatusUnauthorized, latchkey.SessionNotProvided)
		if got := h.page("limit=100"); len(got.List) != 0 {
			t.Errorf("%d connections after deletion, want none", len(got.List))
		}
		if fresh := h.linked("ada", "clientReferenceId", reference); fresh == id {
			t.Error("a deleted connection's id is used again")
		}
	})
}

func TestAnUnknownConnectionIsNotFound(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		for _, id := range []string{
			"conn_unknown", "conn_", "x", canary, "conn_%00", "conn_%ff", "conn_a%2Fb", "conn_" + strings.Repeat("x", 5000),
			"ls_1", "%27%20OR%201=1", "conn_%25", "..%2Fwhoami",
		} {
			h.untouched(id, func() {
				for _, call := range []string{"GET ", "DELETE ", "POST /invalidate"} {
					method, rest, _ := strings.Cut(call, " ")
					h.refused(h.Call(method, "/v2/account/connections/"+id+rest, nil), http.StatusNotFound, latchkey.NotFound)
				}
			})
		}
	})
}
