package latchkey_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	latchkey "latchkey/sdk/go"
)

// pages serves a list of so many connections.
func pages(total int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		limit, offset := 10, 0
		if text := r.FormValue("limit"); text != "" {
			limit, _ = strconv.Atoi(text)
		}
		if text := r.FormValue("offset"); text != "" {
			offset, _ = strconv.Atoi(text)
		}
		page := latchkey.Page[latchkey.Connection]{List: []latchkey.Connection{}}
		for i := offset; i < min(total, offset+limit); i++ {
			page.List = append(page.List, latchkey.Connection{ID: fmt.Sprintf("conn_%d", i)})
		}
		if page.HasMore = offset+limit < total; page.HasMore {
			page.NextOffset = new(offset + limit)
		}
		_ = json.NewEncoder(w).Encode(page)
	}
}

func TestAllReadsEveryPageOnce(t *testing.T) {
	for _, total := range []int{0, 1, 6, 7, 8, 25, 26, 27, 100, 250} {
		for _, limit := range []int{0, 1, 7, 100} {
			server := serve(t, pages(total))
			var ids []string
			for connection, err := range server.client(t, nil).Connections.All(t.Context(), latchkey.ConnectionFilter{Limit: limit, Provider: "sandbox"}) {
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, connection.ID)
			}
			slices.Sort(ids)
			if len(slices.Compact(ids)) != total {
				t.Errorf("%d of %d connections in pages of %d", len(ids), total, limit)
			}
			requests, _ := server.came()
			size := limit
			if limit == 0 {
				size = 100
			}
			if want := max(1, (total+size-1)/size); len(requests) != want {
				t.Errorf("%d requests for %d connections in pages of %d, want %d", len(requests), total, limit, want)
			}
			for _, request := range requests {
				if request.FormValue("provider") != "sandbox" {
					t.Error("a page was asked for without the filter")
				}
			}
		}
	}
}

func TestAllStopsWhenToldTo(t *testing.T) {
	server := serve(t, pages(1000))
	for connection, err := range server.client(t, nil).Connections.All(t.Context(), latchkey.ConnectionFilter{Limit: 10, Offset: 15}) {
		if err != nil {
			t.Fatal(err)
		}
		if connection.ID == "conn_27" {
			break
		}
	}
	if requests, _ := server.came(); len(requests) != 2 || requests[0].FormValue("offset") != "15" || requests[1].FormValue("offset") != "25" {
		t.Errorf("%d requests, want two", len(requests))
	}
}

func TestAllEndsWithTheFirstError(t *testing.T) {
	server := serve(t, pages(20), says(http.StatusForbidden, `{"type":"FORBIDDEN","code":"FORBIDDEN"}`))
	count, errs := 0, 0
	for _, err := range server.client(t, nil).Connections.All(t.Context(), latchkey.ConnectionFilter{Limit: 10}) {
		if err != nil {
			errs++
			continue
		}
		count++
	}
	if count != 10 || errs != 1 {
		t.Errorf("%d connections and %d errors, want 10 and 1", count, errs)
	}
}

func TestAServerWithoutEndDoesNotHoldUsForEver(t *testing.T) {
	client := serve(t, says(http.StatusOK, `{"list":[],"hasMore":true,"cursor":"7"}`)).client(t, nil)
	for range client.ClientApps.All(t.Context()) {
		t.Error("an object of an empty list")
	}
	count := 0
	for range client.Events.Pages(t.Context(), "7") {
		count++
	}
	if count != 1 {
		t.Errorf("%d pages of the same cursor, want 1", count)
	}
}

func TestEventsAreReadFromTheCursor(t *testing.T) {
	server := serve(t,
		says(http.StatusOK, `{"list":[{"id":"evt_1"},{"id":"evt_2"}],"hasMore":true,"cursor":"2"}`),
		says(http.StatusOK, `{"list":[{"id":"evt_3"}],"hasMore":true,"cursor":"3"}`),
		says(http.StatusOK, `{"list":[],"hasMore":false,"cursor":"3"}`))
	var ids []string
	for event, err := range server.client(t, nil).Events.All(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, event.ID)
	}
	var asked []string
	requests, _ := server.came()
	for _, request := range requests {
		asked = append(asked, request.URL.RawQuery)
	}
	if fmt.Sprint(ids) != "[evt_1 evt_2 evt_3]" || fmt.Sprint(asked) != "[limit=100 after=2&limit=100 after=3&limit=100]" {
		t.Errorf("events %v by %v", ids, asked)
	}
}

func TestFiltersGoIntoTheQuery(t *testing.T) {
	server := serve(t)
	client := server.client(t, nil)
	at := time.Date(2026, 11, 24, 12, 0, 0, 5e6, time.FixedZone("", 3600))
	_, _ = client.Link.Sessions(t.Context(), latchkey.SessionFilter{
		Status: latchkey.StatusFailed, ClientAppID: "app_1", ClientReferenceID: "a&b", From: at, To: at.Add(time.Hour), Limit: 5, Offset: 7,
	})
	_, _ = client.Connections.List(t.Context(), latchkey.ConnectionFilter{Status: latchkey.ConnectionActive, Imported: new(false)})
	_, _ = client.Audit.List(t.Context(), latchkey.AuditFilter{Actor: "key_1", Action: latchkey.AuditAPIKeyCreated, Subject: "key_2", From: at})
	_, _ = client.WebhookEndpoints.Deliveries(t.Context(), "we_1", latchkey.DeliveryFilter{State: latchkey.DeliveryPending})
	_, _ = client.ClientApps.List(t.Context(), latchkey.ListOptions{})
	requests, _ := server.came()
	for i, want := range []string{
		"clientAppId=app_1&clientReferenceId=a%26b&from=2026-11-24T11%3A00%3A00.005Z&limit=5&offset=7&status=failed&to=2026-11-24T12%3A00%3A00.005Z",
		"imported=false&status=active", "action=api_key.created&actor=key_1&from=2026-11-24T11%3A00%3A00.005Z&subject=key_2", "state=pending", "",
	} {
		if got := requests[i].URL.RawQuery; got != want {
			t.Errorf("query %q, want %q", got, want)
		}
	}
}

func TestAChangeSaysWhatItLeaves(t *testing.T) {
	for name, test := range map[string]struct {
		patch any
		want  string
	}{
		"nothing":         {latchkey.ClientAppPatch{}, `{}`},
		"null":            {latchkey.ClientAppPatch{LogoURL: latchkey.Null[string]()}, `{"logoUrl":null}`},
		"a value":         {latchkey.ClientAppPatch{LogoURL: latchkey.Set("https://x"), Name: new("Shop")}, `{"name":"Shop","logoUrl":"https://x"}`},
		"an empty value":  {latchkey.ClientAppPatch{AccentColor: latchkey.Set("")}, `{"accentColor":""}`},
		"an empty list":   {latchkey.ClientAppPatch{RedirectURIs: []string{}}, `{"redirectUris":[]}`},
		"false":           {latchkey.ClientAppPatch{Suspended: new(false)}, `{"suspended":false}`},
		"no end":          {latchkey.APIKeyPatch{ExpiresAt: latchkey.Null[time.Time]()}, `{"expiresAt":null}`},
		"no settings":     {latchkey.SettingsPatch{}, `{}`},
		"a null in depth": {latchkey.SettingsPatch{Defaults: &latchkey.DefaultsPatch{Locale: latchkey.Null[string]()}}, `{"defaults":{"locale":null}}`},
		"no metadata":     {latchkey.ConnectionSettingsPatch{Metadata: map[string]string{}}, `{"metadata":{}}`},
		"old metadata":    {latchkey.ConnectionSettingsPatch{RateLimit: &latchkey.RateLimitPatch{Burst: new(5)}}, `{"rateLimit":{"burst":5}}`},
	} {
		got, err := json.Marshal(test.patch)
		if err != nil || string(got) != test.want {
			t.Errorf("%s: %s, want %s, %v", name, got, test.want, err)
		}
	}
}
