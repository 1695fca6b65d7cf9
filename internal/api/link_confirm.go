package api

import (
	"log/slog"
	"net/http"

	"latchkey"
	"latchkey/internal/web"
)

// linkConfirmRequest is the body of POST /v2/link/confirm.
type linkConfirmRequest struct {
	Code              string `json:"code"`
	ClientReferenceID string `json:"clientReferenceId"`
}

// linkConfirm answers POST /v2/link/confirm.
func (d *door) linkConfirm(w http.ResponseWriter, r *http.Request) error {
	var body linkConfirmRequest
	if err := web.Decode(w, r, &body); err != nil {
		return err
	}
	if body.Code == "" {
		return latchkey.InvalidField("code", "is required")
	}
	if body.ClientReferenceID == "" {
		return latchkey.InvalidField("clientReferenceId", "is required")
	}
	session, err := d.config.Links.Confirm(r.Context(), web.Caller(r.Context()), body.Code, body.ClientReferenceID)
	if err != nil {
		return err
	}
	web.Annotate(r.Context(), slog.String("session", session.ID))
	return web.WriteJSON(w, http.StatusOK, sessionOf(session))
}
