package latchkey

import (
	"context"
	"iter"
	"time"
)

// WebhookEndpointsService manages who is told of events. Its calls need the
// scope ADMIN.
type WebhookEndpointsService struct{ client *Client }

// EndpointStatus says whether an endpoint is sent to.
type EndpointStatus string

// The statuses of an endpoint. EndpointParked can't be set.
const (
	EndpointEnabled  EndpointStatus = "enabled"
	EndpointDisabled EndpointStatus = "disabled" // by the operator, or by its own 410
	EndpointParked   EndpointStatus = "parked"   // failed for days; its queue is kept
)

// WebhookEndpoint is a URL that is told of events.
type WebhookEndpoint struct {
	ID          string         `json:"id"` // we_…
	URL         string         `json:"url"`
	Events      []EventType    `json:"events"` // EventAll: every type
	Description string         `json:"description"`
	Status      EndpointStatus `json:"status"`
	RateLimit   *int           `json:"rateLimit"` // deliveries in a second at most; nil: the server's default
	CreatedAt   time.Time      `json:"createdAt"`
}

// WebhookEndpointCreated is an endpoint with its new secret.
type WebhookEndpointCreated struct {
	WebhookEndpoint
	Secret string `json:"secret"` // whsec_…, for VerifyWebhook; shown this once
}

// NewWebhookEndpoint describes an endpoint to be made.
type NewWebhookEndpoint struct {
	URL         string      `json:"url"`
	Events      []EventType `json:"events,omitempty"` // none: every type
	Description string      `json:"description,omitempty"`
	RateLimit   int         `json:"rateLimit,omitempty"` // deliveries in a second at most, up to 1000; 0: the server's default
}

// WebhookEndpointPatch changes what it names and leaves the rest. To enable a
// parked endpoint lets its queue go on.
type WebhookEndpointPatch struct {
	URL         *string         `json:"url,omitempty"`
	Events      []EventType     `json:"events,omitempty"`
	Description *string         `json:"description,omitempty"`
	Status      *EndpointStatus `json:"status,omitempty"`
	RateLimit   *int            `json:"rateLimit,omitempty"` // 0: the server's default
}

// List returns one page of the endpoints.
func (s *WebhookEndpointsService) List(ctx context.Context, options ListOptions) (*Page[WebhookEndpoint], error) {
	return get[Page[WebhookEndpoint]](ctx, s.client, call{pattern: "GET /v2/webhook-endpoints", query: options.query()})
}

// All reads all endpoints, page by page.
func (s *WebhookEndpointsService) All(ctx context.Context) iter.Seq2[WebhookEndpoint, error] {
	return all(0, 0, func(limit, offset int) (*Page[WebhookEndpoint], error) {
		return s.List(ctx, ListOptions{Limit: limit, Offset: offset})
	})
}

// Get returns one endpoint.
func (s *WebhookEndpointsService) Get(ctx context.Context, id string) (*WebhookEndpoint, error) {
	return get[WebhookEndpoint](ctx, s.client, call{pattern: "GET /v2/webhook-endpoints/{id}", id: id})
}

// Create makes an endpoint. Keep the Secret of the answer for VerifyWebhook:
// it is not shown again. Create is never sent twice.
func (s *WebhookEndpointsService) Create(ctx context.Context, endpoint NewWebhookEndpoint) (*WebhookEndpointCreated, error) {
	return get[WebhookEndpointCreated](ctx, s.client, call{pattern: "POST /v2/webhook-endpoints", body: endpoint})
}

// Update changes an endpoint.
func (s *WebhookEndpointsService) Update(ctx context.Context, id string, patch WebhookEndpointPatch) (*WebhookEndpoint, error) {
	return get[WebhookEndpoint](ctx, s.client, call{pattern: "PATCH /v2/webhook-endpoints/{id}", id: id, body: patch})
}

// Delete deletes an endpoint and its queue.
func (s *WebhookEndpointsService) Delete(ctx context.Context, id string) error {
	_, err := s.client.do(ctx, call{pattern: "DELETE /v2/webhook-endpoints/{id}", id: id}, nil)
	return err
}

// RotateSecret gives the endpoint a new Secret. The old one signs too for 24
// hours; give VerifyWebhook both. RotateSecret is never sent twice.
func (s *WebhookEndpointsService) RotateSecret(ctx context.Context, id string) (*WebhookEndpointCreated, error) {
	return get[WebhookEndpointCreated](ctx, s.client, call{pattern: "POST /v2/webhook-endpoints/{id}/rotate-secret", id: id})
}
