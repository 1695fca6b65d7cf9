package api

import (
	"net/http"

	"latchkey"
	"latchkey/internal/web"
)

// deliveryBody is one event's way to one endpoint as the API tells of it.
type deliveryBody struct {
	EventID       string                 `json:"eventId"`
	Type          latchkey.EventType     `json:"type"`
	Subject       string                 `json:"subject"`
	State         latchkey.DeliveryState `json:"state"`
	Attempts      int                    `json:"attempts"`
	LastStatus    *int                   `json:"lastStatus"`
	Excerpt       *string                `json:"excerpt"`
	NextAttemptAt *string                `json:"nextAttemptAt"`
	UpdatedAt     string                 `json:"updatedAt"`
}

func describeDelivery(record latchkey.DeliveryRecord) deliveryBody {
	body := deliveryBody{
		EventID: record.EventID, Type: record.EventType, Subject: record.Subject, State: record.State,
		Attempts: record.Attempts, NextAttemptAt: latchkey.FormatOptionalTime(record.NextAttemptAt),
		UpdatedAt: latchkey.FormatTime(record.UpdatedAt),
	}
	if record.LastStatus != 0 {
		body.LastStatus = &record.LastStatus
	}
	if record.Excerpt != "" {
		body.Excerpt = &record.Excerpt
	}
	return body
}

// deliveriesList answers GET /v2/webhook-endpoints/{id}/deliveries.
func (d *door) deliveriesList(w http.ResponseWriter, r *http.Request) error {
	filter := latchkey.DeliveryFilter{
		EndpointID: r.PathValue("id"), State: latchkey.DeliveryState(r.URL.Query().Get("state")),
	}
	var err error
	if filter.Limit, filter.Offset, err = web.Paging(r); err != nil {
		return err
	}
	records, more, err := d.config.Endpoints.Deliveries(r.Context(), web.Caller(r.Context()), filter)
	if err != nil {
		return err
	}
	list := make([]deliveryBody, len(records))
	for i, record := range records {
		list[i] = describeDelivery(record)
	}
	return web.WriteList(w, list, more, filter.Offset)
}
