package api

import (
	"net/http"

	"latchkey"
	"latchkey/internal/web"
)

// whoamiResponse is the answer of GET /v2/account/whoami.
type whoamiResponse struct {
	ID          string           `json:"id"` // org_…
	Name        *string          `json:"name"`
	Permissions []latchkey.Scope `json:"permissions"`
}

// whoami answers GET /v2/account/whoami.
func (d *door) whoami(w http.ResponseWriter, r *http.Request) error {
	caller := web.Caller(r.Context())
	answer := whoamiResponse{ID: caller.OrganisationID, Permissions: caller.Scopes}
	if caller.Organisation != "" {
		answer.Name = &caller.Organisation
	}
	return web.WriteJSON(w, http.StatusOK, answer)
}
