package api_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/latchtest"
)

// eventPage is a page of the event log.
type eventPage struct {
	List    []jsontext.Value `json:"list"`
	HasMore bool             `json:"hasMore"`
	Cursor  string           `json:"cursor"`
}

// events reads a page after the cursor.
func (h house) events(after string, limit int, headers ...string) eventPage {
	h.Helper()
	return latchtest.Decode[eventPage](h.Server,
		h.Want(http.StatusOK, "GET", fmt.Sprintf("/v2/events?after=%s&limit=%d", after, limit), nil, headers...))
}

// allEvents reads all that come after the cursor, a page at a time.
func (h house) allEvents(after string) []jsontext.Value {
	h.Helper()
	var all []jsontext.Value
	for page := (eventPage{HasMore: true, Cursor: after}); page.HasMore; {
		page = h.events(page.Cursor, 2)
		all = append(all, page.List...)
	}
	return all
}

func TestTheEventLogIsWhatWebhooksTell(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		h := newHouse(t, options)
		sink := latchtest.NewSink(t)
		h.listen(sink)
		empty := h.events("", 10)
		if len(empty.List) != 0 || empty.HasMore || empty.Cursor != "0" {
			t.Errorf("before anything happened: %+v", empty)
		}
		// The whole life of links, one of them with all that JSON escapes.
		ada := h.linked("ada", "clientReferenceId", "<é&\u2028\"\\\u0001 \U0001F511>")
		h.linked("ada", "connectionId", ada)
		bob := h.linked("bob")
		h.Want(http.StatusNoContent, "DELETE", "/v2/link/"+h.whitelabel().ClientSecret, nil)
		h.Want(http.StatusOK, "POST", "/v2/account/connections/"+ada+"/invalidate", nil)
		h.linked("ada", "connectionId", ada)
		middle := h.allEvents("")
		cursor := h.events("", 100).Cursor
		h.Want(http.StatusOK, "DELETE", "/v2/account/connections/"+ada, nil)
		h.Want(http.StatusOK, "DELETE", "/v2/account/connections/"+bob, nil)

		const events = 4*2 + 1 + 1 + 2 // links with their sessions, a cancelled one, an invalidation, two disconnections
		var all []jsontext.Value
		latchtest.Eventually(t, "all events show", func() bool { // the deliverer's transactions may hold them back
			all = append(middle[:len(middle):len(middle)], h.allEvents(cursor)...)
			return len(all) >= events
		})
		if len(all) != events {
			t.Errorf("%d events, want %d", len(all), events)
		}
		if again := h.allEvents("0"); !equalBodies(all, again) {
			t.Error("who reads from the oldest reads something else")
		}
		logged, hooked := map[string][]string{}, map[string][]string{}
		for _, body := range all {
			subject := h.read(body).subject()
			logged[subject] = append(logged[subject], string(body))
		}
		for _, hook := range h.hooks(sink, events) {
			subject := h.read(hook.Body).subject()
			hooked[subject] = append(hooked[subject], string(hook.Body))
		}
		if diff := cmp.Diff(hooked, logged); diff != "" { // byte for byte
			t.Errorf("the log is not what was signed (-hooks +log):\n%s", diff)
		}
		end := h.events("", 100)
		if next := h.events(end.Cursor, 10); len(next.List) != 0 || next.HasMore || next.Cursor != end.Cursor {
			t.Errorf("after the last: %+v", next)
		}
		if first := latchtest.Decode[eventPage](h.Server, h.Want(200, "GET", "/v2/events", nil)); len(first.List) != 10 || !first.HasMore {
			t.Errorf("without a limit there are %d, want 10 and more", len(first.List))
		}
		for name, key := range map[string]string{"another organisation": h.other.key, "the other environment": h.mine.live} {
			for _, after := range []string{"", cursor} {
				if page := h.events(after, 10, "apikey", key); len(page.List) != 0 || page.HasMore {
					t.Errorf("%s sees %+v", name, page)
				}
			}
		}
	})
}

func equalBodies(one, other []jsontext.Value) bool {
	if len(one) != len(other) {
		return false
	}
	for i := range one {
		if !bytes.Equal(one[i], other[i]) {
			return false
		}
	}
	return true
}

func TestTheEventLogRefuses(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	for query, field := range map[string]string{
		"after=-1": "after", "after=%2B1": "after", "after=1.5": "after", "after=" + canary: "after", "after=0x10": "after",
		"after=9223372036854775808": "after", "after=1%00": "after", "after=%D9%A1": "after", "after=%201": "after",
		"limit=0": "limit", "limit=101": "limit", "limit=x": "limit",
	} {
		if said := h.refused(h.Call("GET", "/v2/events?"+query, nil), http.StatusBadRequest, latchkey.Invalid); said.Details.Field != field {
			t.Errorf("%s: field %q, want %q", query, said.Details.Field, field)
		}
	}
	for _, after := range []string{"0", "9223372036854775807"} {
		if page := h.events(after, 1); page.Cursor != after || len(page.List) != 0 {
			t.Errorf("after %s: %+v", after, page)
		}
	}
}
