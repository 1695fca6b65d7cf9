package api

import (
	"net/http"

	"latchkey/internal/web"
	"latchkey/internal/webhook"
)

// replayRequest is the body of POST /v2/webhook-endpoints/{id}/replay: after,
// and perhaps until, or eventIds.
type replayRequest struct {
	After    *string  `json:"after"`
	Until    *string  `json:"until"`
	EventIDs []string `json:"eventIds"`
}

// replayAnswer says how many deliveries were queued.
type replayAnswer struct {
	Queued int64 `json:"queued"`
}

// endpointReplay answers POST /v2/webhook-endpoints/{id}/replay.
func (d *door) endpointReplay(w http.ResponseWriter, r *http.Request) error {
	var body replayRequest
	if err := web.Decode(w, r, &body); err != nil {
		return err
	}
	queued, err := d.config.Endpoints.Replay(r.Context(), web.Caller(r.Context()), r.PathValue("id"),
		webhook.ReplayRequest{After: body.After, Until: body.Until, EventIDs: body.EventIDs})
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusAccepted, replayAnswer{queued})
}
