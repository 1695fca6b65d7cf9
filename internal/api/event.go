package api

import (
	"net/http"
	"strconv"

	"latchkey/internal/web"
)

// eventsList answers GET /v2/events: {"list":[…],"hasMore":…,"cursor":"…"}. The
// bodies are the bytes that webhooks sign and send, JSON that this server wrote
// itself, so they are put into the answer as they are.
func (d *door) eventsList(w http.ResponseWriter, r *http.Request) error {
	limit, _, err := web.Paging(r)
	if err != nil {
		return err
	}
	page, cursor, err := d.config.Events.After(r.Context(), web.Caller(r.Context()), r.URL.Query().Get("after"), limit)
	if err != nil {
		return err
	}
	size := len(`{"list":[],"hasMore":false,"cursor":""}`) + len(cursor)
	for _, event := range page.Events {
		size += len(event.Body) + 1
	}
	answer := append(make([]byte, 0, size), `{"list":[`...)
	for i, event := range page.Events {
		if i > 0 {
			answer = append(answer, ',')
		}
		answer = append(answer, event.Body...)
	}
	answer = strconv.AppendBool(append(answer, `],"hasMore":`...), page.More)
	answer = append(append(append(answer, `,"cursor":"`...), cursor...), `"}`...)
	web.WriteEncoded(w, http.StatusOK, answer)
	return nil
}
