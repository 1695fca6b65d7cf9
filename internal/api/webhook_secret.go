package api

import (
	"net/http"

	"latchkey/internal/web"
)

// endpointRotateSecret answers POST /v2/webhook-endpoints/{id}/rotate-secret.
func (d *door) endpointRotateSecret(w http.ResponseWriter, r *http.Request) error {
	endpoint, secret, err := d.config.Endpoints.RotateSecret(r.Context(), web.Caller(r.Context()), r.PathValue("id"))
	if err != nil {
		return err
	}
	defer secret.Zero()
	answer := describeEndpoint(endpoint)
	answer.Secret = string(secret.Reveal())
	return web.WriteJSON(w, http.StatusOK, answer)
}
