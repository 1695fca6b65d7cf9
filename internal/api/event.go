package api

import (
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"latchkey/internal/web"
)

// eventPage is a piece of the event log. The bodies are the bytes that webhooks
// sign and send.
type eventPage struct {
	List    []jsontext.Value `json:"list"`
	HasMore bool             `json:"hasMore"`
	Cursor  string           `json:"cursor"`
}

// eventsList answers GET /v2/events.
func (d *door) eventsList(w http.ResponseWriter, r *http.Request) error {
	limit, _, err := web.Paging(r)
	if err != nil {
		return err
	}
	page, cursor, err := d.config.Events.After(r.Context(), web.Caller(r.Context()), r.URL.Query().Get("after"), limit)
	if err != nil {
		return err
	}
	answer := eventPage{List: make([]jsontext.Value, len(page.Events)), HasMore: page.More, Cursor: cursor}
	for i, event := range page.Events {
		answer.List[i] = event.Body
	}
	return web.WriteJSON(w, http.StatusOK, answer)
}
