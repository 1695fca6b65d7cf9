package api_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/latchtest"
)

func TestDeliveriesTellHowFarTheyHaveCome(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		e := h.listen(latchtest.NewSink(t), "connection.created")
		ada := h.linked("ada")
		at := h.Clock.Now()
		h.attempt(latchkey.DeliveryOutcome{Status: 500, Excerpt: "out of <order>", RetryAt: at.Add(time.Hour)})
		h.Clock.Move(time.Second)
		bob := h.linked("bob")
		h.attempt(latchkey.DeliveryOutcome{Delivered: true, Status: 204})
		h.Clock.Move(time.Second)
		eve := h.linked("eve")
		events := latchtest.Decode[eventPage](h.Server, h.Want(http.StatusOK, "GET", "/v2/events?limit=100", nil))
		id := map[string]string{}
		for _, body := range events.List {
			event := h.read(body)
			id[event.subject()] = event.ID
		}
		times := latchtest.Decode[struct {
			List []struct {
				UpdatedAt     string  `json:"updatedAt"`
				NextAttemptAt *string `json:"nextAttemptAt"`
			} `json:"list"`
		}](h.Server, h.Want(http.StatusOK, "GET", e.path("deliveries"), nil)).List
		if len(times) != 3 || times[0].NextAttemptAt == nil {
			t.Fatalf("deliveries %+v", times)
		}
		waiting := fmt.Sprintf(`{"eventId":%q,"type":"connection.created","subject":%q,"state":"pending","attempts":0,"lastStatus":null,
			"excerpt":null,"nextAttemptAt":%q,"updatedAt":%q}`, id[eve], eve, *times[0].NextAttemptAt, times[0].UpdatedAt)
		done := fmt.Sprintf(`{"eventId":%q,"type":"connection.created","subject":%q,"state":"delivered","attempts":1,"lastStatus":204,
			"excerpt":null,"nextAttemptAt":null,"updatedAt":%q}`, id[bob], bob, times[1].UpdatedAt)
		failed := fmt.Sprintf(`{"eventId":%q,"type":"connection.created","subject":%q,"state":"pending","attempts":1,"lastStatus":500,
			"excerpt":"out of <order>","nextAttemptAt":%q,"updatedAt":%q}`, id[ada], ada,
			latchkey.FormatTime(at.Add(time.Hour)), times[2].UpdatedAt)
		for query, want := range map[string]string{
			"": waiting + "," + done + "," + failed, "?state=pending": waiting + "," + failed, "?state=delivered": done,
			"?limit=2&offset=1": done + "," + failed,
		} {
			wantJSON(t, h.Call("GET", e.path("deliveries"+query), nil), http.StatusOK, `{"list":[%s],"hasMore":false}`, want)
		}
		wantJSON(t, h.Call("GET", e.path("deliveries?limit=1"), nil), http.StatusOK, `{"list":[%s],"hasMore":true,"nextOffset":1}`, waiting)
		for query, field := range map[string]string{"state=parked": "state", "state=" + canary: "state", "limit=0": "limit", "offset=-1": "offset"} {
			if said := h.refused(h.Call("GET", e.path("deliveries?"+query), nil), 400, latchkey.Invalid); said.Details.Field != field {
				t.Errorf("%s: field %q", query, said.Details.Field)
			}
		}
		for _, unknown := range []string{"we_unknown", "x", canary} {
			h.refused(h.Call("GET", "/v2/webhook-endpoints/"+unknown+"/deliveries", nil), http.StatusNotFound, latchkey.NotFound)
		}
	})
}

// replay asks for a replay and fails the test unless so many were queued.
func (h house) replay(e endpoint, body map[string]any, queued int) {
	h.Helper()
	wantJSON(h.TB, h.Call("POST", e.path("replay"), body), http.StatusAccepted, `{"queued":%d}`, queued)
}

func TestAReplayComesInOrder(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		h := newHouse(t, options)
		sink := latchtest.NewSink(t)
		e := h.listen(sink, "connection.created", "connection.updated", "connection.expired", "connection.disconnected")
		ada, bob := h.linked("ada"), h.linked("bob")
		h.linked("ada")
		h.Want(http.StatusOK, "POST", "/v2/account/connections/"+ada+"/invalidate", nil)
		h.hooks(sink, 4)
		h.delivered(e)
		h.replay(e, map[string]any{"after": "0"}, 4)
		h.Want(http.StatusOK, "DELETE", "/v2/account/connections/"+ada, nil)
		once := []string{"created", "updated", "expired"}
		want := map[string][]string{ada: append(append(slices.Clone(once), once...), "disconnected"), bob: {"created", "created"}}
		if diff := cmp.Diff(want, h.sent(sink, 9)); diff != "" {
			t.Error(diff)
		}
		h.delivered(e)
		hooks := sink.Hooks()
		first := map[string]string{} // body by webhook-id
		for _, hook := range hooks {
			id := hook.Header.Get("webhook-id")
			if before, again := first[id]; again && before != string(hook.Body) {
				t.Errorf("%s came again as another body", id)
			}
			first[id] = string(hook.Body)
		}
		if len(first) != 5 {
			t.Errorf("%d different events came, want 5", len(first))
		}

		// Named, twice over and out of order.
		last, one := h.read(hooks[8].Body).ID, h.read(hooks[0].Body).ID
		h.replay(e, map[string]any{"eventIds": []string{last, one, last}}, 2)
		h.hooks(sink, 11)
		h.delivered(e)

		// A cursor in the middle: what a receiver has read it need not be told.
		page := latchtest.Decode[eventPage](h.Server, h.Want(http.StatusOK, "GET", "/v2/events?limit=3", nil))
		rest := 0
		for body := range slices.Values(h.allEvents(page.Cursor)) {
			if strings.HasPrefix(h.read(body).Type, "connection.") {
				rest++
			}
		}
		h.replay(e, map[string]any{"after": page.Cursor}, rest)
		h.hooks(sink, 11+rest)
		h.delivered(e)

		// A range ends where another page did.
		first3, all := 0, len(h.allEvents(""))
		for body := range slices.Values(page.List) {
			if strings.HasPrefix(h.read(body).Type, "connection.") {
				first3++
			}
		}
		h.replay(e, map[string]any{"after": "0", "until": page.Cursor}, first3)
		h.replay(e, map[string]any{"after": page.Cursor, "until": page.Cursor}, 0)
		rest += first3
		h.hooks(sink, 11+rest)
		if first3 == 0 || first3 == all {
			t.Errorf("%d of %d events are in the range", first3, all)
		}

		// An endpoint that was made afterwards, and wants less.
		late := latchtest.NewSink(t)
		h.replay(h.listen(late, "connection.created"), map[string]any{"after": "0"}, 2)
		if diff := cmp.Diff(map[string][]string{ada: {"created"}, bob: {"created"}}, h.sent(late, 2)); diff != "" {
			t.Error(diff)
		}
		h.hooks(sink, 11+rest)
	})
}

func TestAReplayRefuses(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	e := h.listen(latchtest.NewSink(t))
	h.linked("ada")
	mine := h.read(h.allEvents("")[0]).ID
	many := make([]string, 101)
	for i := range many {
		many[i] = mine
	}
	for field, bodies := range map[string][]map[string]any{
		"after": {
			{}, {"after": nil}, {"after": "0", "eventIds": []string{mine}}, {"after": ""}, {"after": "-1"}, {"after": "+1"},
			{"after": "1.0"}, {"after": "1e3"}, {"after": " 1"}, {"after": "0x1"}, {"after": "9223372036854775808"}, {"after": "١"},
			{"after": canary}, {"after": 0}, {"after": strings.Repeat("1", 4096)},
		},
		"until": {
			{"after": "0", "until": ""}, {"after": "0", "until": "0"}, {"after": "0", "until": "-1"}, {"after": "0", "until": canary},
			{"after": "0", "until": 1}, {"until": "1", "eventIds": []string{mine}},
		},
		"eventIds": {{"eventIds": []string{}}, {"eventIds": many}, {"eventIds": mine}, {"eventIds": []int{1}}},
	} {
		for _, body := range bodies {
			h.untouched(fmt.Sprint(body), func() {
				said := h.refused(h.Call("POST", e.path("replay"), body), http.StatusBadRequest, latchkey.Invalid)
				if said.Details.Field != field && !strings.HasPrefix(said.Details.Field, field+".") {
					t.Errorf("%v: field %q, want %q", body, said.Details.Field, field)
				}
			})
		}
	}
	h.Want(http.StatusOK, "GET", "/v2/events", nil, "apikey", h.other.key)
	unkept := h.refused(h.Call("POST", e.path("replay"), map[string]any{"after": "0", "until": "9000000"}), 400, latchkey.Invalid)
	if unkept.Details.Field != "until" {
		t.Errorf("an end that is not there: field %q", unkept.Details.Field)
	}
	for _, ids := range [][]string{
		{latchkey.NewID(rand.Reader, latchkey.PrefixEvent)}, {mine, latchkey.NewID(rand.Reader, latchkey.PrefixEvent)},
		{canary}, {mine, "evt_a,evt_b"}, {`evt_"`}, {""}, {"evt_\x00"},
	} {
		said := h.refused(h.Call("POST", e.path("replay"), map[string]any{"eventIds": ids}), http.StatusNotFound, latchkey.NotFound)
		if strings.Contains(said.Message, "evt_") || said.Details.Field != "" {
			t.Errorf("the answer tells which: %+v", said)
		}
	}
	h.attempt(latchkey.DeliveryOutcome{Delivered: true})
	if n := h.attempt(latchkey.DeliveryOutcome{Delivered: true}); n != 0 {
		t.Errorf("%d were queued", n)
	}
	for _, unknown := range []string{"we_unknown", "x", canary} {
		h.refused(h.Call("POST", "/v2/webhook-endpoints/"+unknown+"/replay", map[string]any{"after": "0"}), 404, latchkey.NotFound)
	}
}
