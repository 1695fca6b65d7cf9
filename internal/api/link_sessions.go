package api

import (
	"net/http"
	"slices"

	"latchkey"
	"latchkey/internal/link"
	"latchkey/internal/web"
)

// sessionSummary is a session in a list.
type sessionSummary struct {
	ID                string                 `json:"id"`
	Status            latchkey.SessionStatus `json:"status"`
	ClientAppID       string                 `json:"clientAppId"`
	Mode              latchkey.Mode          `json:"mode"`
	Provider          *string                `json:"provider"`
	ClientReferenceID *string                `json:"clientReferenceId"`
	ConnectionID      *string                `json:"connectionId"`
	ErrorCode         *string                `json:"errorCode"`
	Step              *string                `json:"step"`
	CreatedAt         string                 `json:"createdAt"`
	UpdatedAt         string                 `json:"updatedAt"`
	ExpiresAt         string                 `json:"expiresAt"`
}

func summarise(session *latchkey.LinkSession) sessionSummary {
	return sessionSummary{
		ID: session.ID, Status: session.Status(), ClientAppID: session.ClientAppID, Mode: session.Request.Mode,
		Provider: orNull(session.Progress.Provider), ClientReferenceID: orNull(session.Request.ClientReferenceID),
		ConnectionID: orNull(session.Progress.ConnectionID), ErrorCode: orNull(string(session.Progress.Failure)),
		Step: orNull(string(link.StepOf(session))), CreatedAt: latchkey.FormatTime(session.CreatedAt),
		UpdatedAt: latchkey.FormatTime(session.UpdatedAt), ExpiresAt: latchkey.FormatTime(session.ExpiresAt),
	}
}

// orNull returns nil, null in JSON, for the empty string.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// linkSessions answers GET /v2/link/sessions.
func (d *door) linkSessions(w http.ResponseWriter, r *http.Request) error {
	filter, err := sessionFilter(r)
	if err != nil {
		return err
	}
	sessions, more, err := d.config.Links.Sessions(r.Context(), web.Caller(r.Context()), filter)
	if err != nil {
		return err
	}
	list := make([]sessionSummary, len(sessions))
	for i, session := range sessions {
		list[i] = summarise(session)
	}
	return web.WriteList(w, list, more, filter.Offset)
}

func sessionFilter(r *http.Request) (latchkey.SessionFilter, error) {
	var filter latchkey.SessionFilter
	var err error
	if filter.Limit, filter.Offset, err = web.Paging(r); err != nil {
		return filter, err
	}
	filter.Status = latchkey.SessionStatus(r.URL.Query().Get("status"))
	if filter.Status != "" && !slices.Contains(latchkey.SessionStatuses(), filter.Status) {
		return filter, latchkey.InvalidField("status", "is not a status of a session")
	}
	if filter.ClientAppID, err = textFilter(r, "clientAppId"); err != nil {
		return filter, err
	}
	if filter.ClientReferenceID, err = textFilter(r, "clientReferenceId"); err != nil {
		return filter, err
	}
	if filter.From, err = web.Time(r, "from"); err != nil {
		return filter, err
	}
	filter.To, err = web.Time(r, "to")
	return filter, err
}
