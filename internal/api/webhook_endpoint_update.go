package api

import (
	"net/http"

	"latchkey"
	"latchkey/internal/web"
	"latchkey/internal/webhook"
)

// endpointPatch is the body of PATCH /v2/webhook-endpoints/{id}; what is absent
// or null stays, except that a rate of null is the server's default.
type endpointPatch struct {
	URL         *string                  `json:"url"`
	Events      *[]string                `json:"events"`
	Description *string                  `json:"description"`
	Status      *latchkey.EndpointStatus `json:"status"`
	RateLimit   web.Nullable[int]        `json:"rateLimit"`
}

// endpointUpdate answers PATCH /v2/webhook-endpoints/{id}.
func (d *door) endpointUpdate(w http.ResponseWriter, r *http.Request) error {
	var body endpointPatch
	if err := web.Decode(w, r, &body); err != nil {
		return err
	}
	endpoint, err := d.config.Endpoints.Update(r.Context(), web.Caller(r.Context()), r.PathValue("id"),
		webhook.EndpointPatch{
			URL: body.URL, Events: body.Events, Description: body.Description, Status: body.Status,
			RateLimit: body.RateLimit.Pointer(),
		})
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, describeEndpoint(endpoint))
}
