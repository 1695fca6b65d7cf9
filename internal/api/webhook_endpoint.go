package api

import (
	"net/http"

	"latchkey"
	"latchkey/internal/web"
	"latchkey/internal/webhook"
)

// endpointRequest is the body of POST /v2/webhook-endpoints.
type endpointRequest struct {
	URL         *string  `json:"url"`
	Events      []string `json:"events"`
	Description string   `json:"description"`
	RateLimit   int      `json:"rateLimit"` // 0 or null: the server's default
}

// endpointBody is a webhook endpoint as the API tells of it. The secret is
// there once, in the answer to what made it.
type endpointBody struct {
	ID          string                  `json:"id"`
	URL         string                  `json:"url"`
	Events      []string                `json:"events"`
	Description string                  `json:"description"`
	Status      latchkey.EndpointStatus `json:"status"`
	RateLimit   *int                    `json:"rateLimit"`
	CreatedAt   string                  `json:"createdAt"`
	Secret      string                  `json:"secret,omitzero"`
}

func describeEndpoint(endpoint latchkey.WebhookEndpoint) endpointBody {
	body := endpointBody{
		ID: endpoint.ID, URL: endpoint.URL, Events: endpoint.Events, Description: endpoint.Description,
		Status: endpoint.Status, CreatedAt: latchkey.FormatTime(endpoint.CreatedAt),
	}
	if endpoint.RateLimit > 0 {
		body.RateLimit = &endpoint.RateLimit
	}
	return body
}

// endpointCreate answers POST /v2/webhook-endpoints.
func (d *door) endpointCreate(w http.ResponseWriter, r *http.Request) error {
	var body endpointRequest
	if err := web.Decode(w, r, &body); err != nil {
		return err
	}
	if body.URL == nil {
		return latchkey.InvalidField("url", "is required")
	}
	endpoint, secret, err := d.config.Endpoints.Create(r.Context(), web.Caller(r.Context()),
		webhook.NewEndpoint{
			URL: *body.URL, Events: body.Events, Description: body.Description, RateLimit: body.RateLimit,
		})
	if err != nil {
		return err
	}
	defer secret.Zero()
	answer := describeEndpoint(endpoint)
	answer.Secret = string(secret.Reveal())
	return web.WriteJSON(w, http.StatusCreated, answer)
}

// endpointsList answers GET /v2/webhook-endpoints.
func (d *door) endpointsList(w http.ResponseWriter, r *http.Request) error {
	limit, offset, err := web.Paging(r)
	if err != nil {
		return err
	}
	endpoints, more, err := d.config.Endpoints.List(r.Context(), web.Caller(r.Context()), limit, offset)
	if err != nil {
		return err
	}
	list := make([]endpointBody, len(endpoints))
	for i, endpoint := range endpoints {
		list[i] = describeEndpoint(endpoint)
	}
	return web.WriteList(w, list, more, offset)
}

// endpointGet answers GET /v2/webhook-endpoints/{id}.
func (d *door) endpointGet(w http.ResponseWriter, r *http.Request) error {
	endpoint, err := d.config.Endpoints.Get(r.Context(), web.Caller(r.Context()), r.PathValue("id"))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, describeEndpoint(endpoint))
}

// endpointDelete answers DELETE /v2/webhook-endpoints/{id}.
func (d *door) endpointDelete(w http.ResponseWriter, r *http.Request) error {
	if err := d.config.Endpoints.Delete(r.Context(), web.Caller(r.Context()), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
