package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/latchtest"
)

func TestAPatchChangesWhatItNamesAndRecordsIt(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		made := latchtest.Decode[endpoint](h.Server, h.Want(http.StatusCreated, "POST", "/v2/webhook-endpoints",
			map[string]any{"url": "https://hooks.example.com/in?token=" + canary, "description": "old"}))
		want := map[string]any{
			"id": made.ID, "url": "https://hooks.example.com/in?token=" + canary, "events": []any{"*"}, "description": "old",
			"status": "enabled", "rateLimit": nil, "createdAt": made.CreatedAt,
		}
		for _, step := range []map[string]any{
			{}, {"url": nil, "events": nil, "description": nil, "status": nil}, {"unknown": 7},
			{"description": "new"}, {"description": ""}, {"events": []any{"connection.expired"}},
			{"url": "https://hooks.example.com/new?token=" + canary + "2", "status": "disabled"}, {"status": "enabled"},
			{"events": []any{}}, {"rateLimit": 50.0}, {"rateLimit": nil},
		} {
			got := latchtest.Decode[map[string]any](h.Server, h.Want(http.StatusOK, "PATCH", made.path(), step))
			for name, value := range step {
				if name == "rateLimit" || value != nil && name != "unknown" {
					want[name] = value
				}
			}
			if len(want["events"].([]any)) == 0 {
				want["events"] = []any{"*"}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%v (-want +got):\n%s", step, diff)
			}
			read := latchtest.Decode[map[string]any](h.Server, h.Want(http.StatusOK, "GET", made.path(), nil))
			if diff := cmp.Diff(got, read); diff != "" {
				t.Errorf("%v is read as:\n%s", step, diff)
			}
		}
		h.Want(http.StatusNoContent, "DELETE", made.path(), nil)
		h.recorded(made, `created {"fields":["url","events","description"]}`,
			`updated {"fields":["description"]}`, `updated {"fields":["description"]}`, `updated {"fields":["events"]}`,
			`updated {"fields":["url","status"]}`, `updated {"fields":["status"]}`, `updated {"fields":["events"]}`,
			`updated {"fields":["rateLimit"]}`, `updated {"fields":["rateLimit"]}`, `deleted {}`)
		if records := fmt.Sprint(h.records(made)); strings.Contains(records, canary) || strings.Contains(h.Log.Text(), canary) {
			t.Error("a URL's token is in the records or the log")
		}
		h.refused(h.Call("PATCH", made.path(), map[string]any{"description": "x"}), http.StatusNotFound, latchkey.NotFound)
		for _, id := range []string{"we_unknown", "x", "we_%00", canary} {
			for _, body := range []map[string]any{{}, {"description": "x"}} {
				h.refused(h.Call("PATCH", "/v2/webhook-endpoints/"+id, body), http.StatusNotFound, latchkey.NotFound)
			}
		}
	})
}

func TestAPatchRefuses(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	made := h.listen(latchtest.NewSink(t))
	before := h.state()
	bodies := map[string][]map[string]any{
		"status":      {{"status": "parked"}, {"status": ""}, {"status": "Enabled"}, {"status": canary}, {"status": true}},
		"events":      {{"events": []string{canary}}, {"events": "*"}, {"events": []string{"connection.*"}}},
		"description": {{"description": strings.Repeat("é", 256)}, {"description": "a\x00b"}, {"description": 7}},
		"url":         nil,
	}
	for _, body := range hostileURLs() {
		if body["url"] != nil {
			bodies["url"] = append(bodies["url"], body)
		}
	}
	for field, list := range bodies {
		for _, body := range list {
			h.untouched(fmt.Sprint(body), func() {
				said := h.refused(h.Call("PATCH", made.path(), body), http.StatusBadRequest, latchkey.Invalid)
				if said.Details.Field != field && !strings.HasPrefix(said.Details.Field, field+".") {
					t.Errorf("%v: field %q, want %q", body, said.Details.Field, field)
				}
			})
		}
	}
	if after := h.state(); after != before {
		t.Errorf("it changed from %s to %s", before, after)
	}
}

func TestWhatIsPostedGoesWhereTheLastPatchSays(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		h := newHouse(t, options)
		first, second := latchtest.NewSink(t), latchtest.NewSink(t)
		first.Answer(func(int) int { return http.StatusInternalServerError })
		e := h.listen(first, "connection.created")
		connection := h.linked("ada")
		h.hooks(first, 1)
		h.patch(e, map[string]any{"url": second.URL})
		h.Clock.Move(time.Minute)
		if diff := cmp.Diff(map[string][]string{connection: {"created"}}, h.sent(second, 1)); diff != "" {
			t.Error(diff)
		}
		h.patch(e, map[string]any{"status": "disabled"})
		h.linked("bob")
		h.patch(e, map[string]any{"status": "enabled", "events": []string{"connection.disconnected"}})
		h.linked("eve") // is not wanted any more
		h.Want(http.StatusOK, "DELETE", "/v2/account/connections/"+connection, nil)
		if diff := cmp.Diff(map[string][]string{connection: {"created", "disconnected"}}, h.sent(second, 2)); diff != "" {
			t.Error(diff)
		}
		h.hooks(first, 1)
	})
}

func TestAParkedEndpointResumesInOrder(t *testing.T) {
	for name, resume := range map[string]func(house, endpoint){
		"by a patch": func(h house, e endpoint) { h.patch(e, map[string]any{"status": "enabled"}) },
		"by a replay": func(h house, e endpoint) {
			last := latchtest.Decode[eventPage](h.Server, h.Want(http.StatusOK, "GET", "/v2/events?limit=100", nil)).Cursor
			wantJSON(h.TB, h.Call("POST", e.path("replay"), map[string]any{"after": last}), http.StatusAccepted, `{"queued":0}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
				options.Idle = true
				h := newHouse(t, options)
				sink := latchtest.NewSink(t)
				e := h.listen(sink, "connection.created", "connection.updated", "connection.disconnected")
				ada := h.linked("ada")
				h.attempt(latchkey.DeliveryOutcome{Status: 500}) // for the last time
				bob := h.linked("bob")
				h.linked("ada")
				h.Want(http.StatusOK, "DELETE", "/v2/account/connections/"+ada, nil)
				if got := latchtest.Decode[endpoint](h.Server, h.Want(http.StatusOK, "GET", e.path(), nil)); got.Status != "parked" {
					t.Fatalf("the endpoint is %s", got.Status)
				}
				h.Clock.Move(100 * time.Hour)
				if n := h.attempt(latchkey.DeliveryOutcome{}); n != 0 {
					t.Fatalf("%d deliveries are due", n)
				}
				h.start()
				resume(h, e)
				want := map[string][]string{ada: {"created", "updated", "disconnected"}, bob: {"created"}}
				if diff := cmp.Diff(want, h.sent(sink, 4)); diff != "" {
					t.Error(diff)
				}
				h.delivered(e)
				if got := latchtest.Decode[endpoint](h.Server, h.Want(http.StatusOK, "GET", e.path(), nil)); got.Status != "enabled" {
					t.Errorf("the endpoint is %s", got.Status)
				}
				h.recorded(e, `created {"fields":["url","events","description"]}`, `updated {"fields":["status"]}`)
			})
		})
	}
}
