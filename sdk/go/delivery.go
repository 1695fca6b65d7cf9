package latchkey

import (
	"context"
	"iter"
	"net/url"
	"time"
)

// DeliveryState says whether an event has reached an endpoint.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryPending   DeliveryState = "pending"
	DeliveryDelivered DeliveryState = "delivered"
)

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	EventID       string        `json:"eventId"` // evt_…
	Type          EventType     `json:"type"`
	Subject       string        `json:"subject"` // the connection or session it happened to
	State         DeliveryState `json:"state"`
	Attempts      int           `json:"attempts"`
	LastStatus    *int          `json:"lastStatus"` // of HTTP; nil: no attempt, or no answer
	Excerpt       *string       `json:"excerpt"`    // of the last answer, or of the trouble
	NextAttemptAt *time.Time    `json:"nextAttemptAt"`
	UpdatedAt     time.Time     `json:"updatedAt"`
}

// DeliveryFilter narrows a list of deliveries; zero fields do not narrow.
type DeliveryFilter struct {
	State         DeliveryState
	Limit, Offset int // as in ListOptions
}

func (f DeliveryFilter) query() url.Values {
	return query{}.text("state", string(f.State)).page(f.Limit, f.Offset)
}

// Deliveries returns one page of the endpoint's deliveries, newest first.
func (s *WebhookEndpointsService) Deliveries(ctx context.Context, id string, filter DeliveryFilter) (*Page[Delivery], error) {
	return get[Page[Delivery]](ctx, s.client,
		call{pattern: "GET /v2/webhook-endpoints/{id}/deliveries", id: id, query: filter.query()})
}

// AllDeliveries reads all of the endpoint's deliveries, newest first, page by
// page.
func (s *WebhookEndpointsService) AllDeliveries(ctx context.Context, id string, filter DeliveryFilter) iter.Seq2[Delivery, error] {
	return all(filter.Limit, filter.Offset, func(limit, offset int) (*Page[Delivery], error) {
		filter.Limit, filter.Offset = limit, offset
		return s.Deliveries(ctx, id, filter)
	})
}

// ReplayRequest says which events are sent once more: those after a cursor of
// Events, up to another if one is given, or up to 100 by their ids.
type ReplayRequest struct {
	After    *string  `json:"after,omitempty"` // "0": all that are kept
	Until    *string  `json:"until,omitempty"` // beside After: the cursor of the last
	EventIDs []string `json:"eventIds,omitempty"`
}

// ReplayAnswer tells how many events will be sent.
type ReplayAnswer struct {
	Queued int `json:"queued"`
}

// Replay sends events to the endpoint once more. It is never sent twice.
func (s *WebhookEndpointsService) Replay(ctx context.Context, id string, request ReplayRequest) (*ReplayAnswer, error) {
	return get[ReplayAnswer](ctx, s.client,
		call{pattern: "POST /v2/webhook-endpoints/{id}/replay", id: id, body: request})
}
