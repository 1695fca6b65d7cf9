package api_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/latchtest"
)

// listen registers the sink for event types, all if none are named.
func (h house) listen(sink *latchtest.Sink, events ...string) endpoint {
	h.Helper()
	return latchtest.Decode[endpoint](h.Server, h.Want(http.StatusCreated, "POST", "/v2/webhook-endpoints",
		map[string]any{"url": sink.URL, "events": events}))
}

// path returns the path of an endpoint and what is below it.
func (e endpoint) path(below ...string) string {
	return strings.Join(append([]string{"/v2/webhook-endpoints", e.ID}, below...), "/")
}

// patch changes an endpoint.
func (h house) patch(e endpoint, body map[string]any) endpoint {
	h.Helper()
	return latchtest.Decode[endpoint](h.Server, h.Want(http.StatusOK, "PATCH", e.path(), body))
}

// told is what a webhook tells.
type told struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Data struct {
		Connection struct {
			ID string `json:"id"`
		} `json:"connection"`
		Session struct {
			ID string `json:"id"`
		} `json:"session"`
	} `json:"data"`
}

// subject is what it happened to.
func (e told) subject() string { return e.Data.Connection.ID + e.Data.Session.ID }

// read decodes a body.
func (h house) read(body []byte) told {
	h.Helper()
	var event told
	if err := json.Unmarshal(body, &event); err != nil {
		h.Fatalf("%s: %v", body, err)
	}
	return event
}

// hooks waits until the sink has got so many and returns them.
func (h house) hooks(sink *latchtest.Sink, n int) []latchtest.Hook {
	h.Helper()
	latchtest.Eventually(h.TB, fmt.Sprintf("%d webhooks came", n), func() bool { return len(sink.Hooks()) >= n })
	hooks := sink.Hooks()
	if len(hooks) != n {
		h.Fatalf("%d webhooks came, want %d", len(hooks), n)
	}
	return hooks
}

// sent waits for n webhooks and returns the types of each subject's, in order.
func (h house) sent(sink *latchtest.Sink, n int) map[string][]string {
	h.Helper()
	types := map[string][]string{}
	for _, hook := range h.hooks(sink, n) {
		event := h.read(hook.Body)
		types[event.subject()] = append(types[event.subject()], strings.TrimPrefix(event.Type, "connection."))
	}
	return types
}

// start begins the background work of an idle house.
func (h house) start() { h.App.Start(context.WithoutCancel(h.Context())) }

// attempt claims what is due in an idle house and ends it so.
func (h house) attempt(outcome latchkey.DeliveryOutcome) int {
	h.Helper()
	now := h.Clock.Now()
	due, err := h.App.Store().DueEndpoints(h.Context(), now, "", 100)
	if err != nil {
		h.Fatal(err)
	}
	var shares []latchkey.DeliveryShare
	for _, endpoint := range due {
		shares = append(shares, latchkey.DeliveryShare{EndpointID: endpoint.ID, Most: 100})
	}
	claimed, err := h.App.Store().ClaimDeliveries(h.Context(), now, time.Minute, shares)
	if err != nil {
		h.Fatal(err)
	}
	for _, delivery := range claimed {
		outcome.At = h.Clock.Now()
		if err := h.App.Store().FinishDelivery(h.Context(), delivery, outcome); err != nil {
			h.Fatal(err)
		}
	}
	return len(claimed)
}

// delivered waits until nothing is on its way to the endpoint.
func (h house) delivered(e endpoint) {
	h.Helper()
	latchtest.Eventually(h.TB, "everything is delivered", func() bool {
		return string(h.Want(http.StatusOK, "GET", e.path("deliveries?state=pending"), nil).Body) == `{"list":[],"hasMore":false}`
	})
}

// records returns what is recorded about an endpoint, as "action detail".
func (h house) records(e endpoint) []string {
	h.Helper()
	records, err := h.App.Store().AuditOf(h.Context(), h.mine.id, e.ID)
	if err != nil {
		h.Fatal(err)
	}
	var list []string
	for _, record := range records {
		if record.Actor != h.mine.keyIDs[h.mine.key] || record.Environment != latchkey.Sandbox {
			h.Errorf("recorded of %s in %s", record.Actor, record.Environment)
		}
		list = append(list, strings.TrimPrefix(string(record.Action), "webhook_endpoint.")+" "+record.Detail)
	}
	return list
}

// recorded fails the test unless these are the records about an endpoint.
func (h house) recorded(e endpoint, want ...string) {
	h.Helper()
	if got := h.records(e); !slices.Equal(got, want) {
		h.Errorf("recorded %q, want %q", got, want)
	}
}
